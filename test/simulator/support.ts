/** How the simulator's tests talk to it: plain requests in each vendor's shape. */

import { onTestFinished } from "vitest";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../src/simulator/simulator.ts";

export const KEY = "sk-test-1234";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Tests reach into bodies of every shape; what is not there fails the expectation.
  readonly json: ReturnType<typeof JSON.parse>;
}

export interface Question {
  readonly text?: string;
  readonly messages?: readonly { readonly role: string; readonly content: unknown }[];
  readonly model?: string;
  readonly schema?: object;
  readonly stream?: boolean;
  readonly maxTokens?: number;
  readonly key?: string | undefined;
  readonly signal?: AbortSignal;
}

/** A simulator that ends with the test. */
export async function simulate(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  onTestFinished(() => simulator.close());
  return simulator;
}

export async function post(
  url: string,
  body: unknown,
  { headers = {}, signal = null }: { headers?: Record<string, string>; signal?: AbortSignal | null } = {},
): Promise<Reply> {
  const response = await fetch(url, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
    signal,
  });
  return read(response);
}

export async function read(response: Response): Promise<Reply> {
  const text = await response.text();
  let json: Reply["json"];
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}

const messagesOf = (question: Question) => question.messages ?? [{ role: "user", content: question.text ?? "hello" }];

export function askAnthropic(url: string, question: Question = {}): Promise<Reply> {
  const format = question.schema && { output_config: { format: { type: "json_schema", schema: question.schema } } };
  const body = {
    model: question.model ?? "claude-haiku-4-5",
    max_tokens: question.maxTokens ?? 1024,
    messages: messagesOf(question),
    ...format,
    ...(question.stream ? { stream: true } : {}),
  };
  const headers = { "anthropic-version": "2023-06-01", "x-api-key": question.key ?? KEY };
  return post(`${url}/anthropic/v1/messages`, body, { headers, signal: question.signal ?? null });
}

const bearer = (key = KEY) => ({ authorization: `Bearer ${key}` });

/** Chat completions, OpenAI's unless another prefix is given. */
export function askChat(url: string, question: Question = {}, prefix = "/openai"): Promise<Reply> {
  const { schema } = question;
  const format = schema && {
    response_format: { type: "json_schema", json_schema: { name: "answer", strict: true, schema } },
  };
  const body = {
    model: question.model ?? "gpt-5-mini",
    messages: messagesOf(question),
    ...format,
    ...(question.maxTokens ? { max_tokens: question.maxTokens } : {}),
    ...(question.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  };
  return post(`${url}${prefix}/v1/chat/completions`, body, {
    headers: bearer(question.key),
    signal: question.signal ?? null,
  });
}

export const askMistral = (url: string, question: Question = {}): Promise<Reply> =>
  askChat(url, { model: "mistral-small-latest", ...question }, "/mistral");

export function askResponses(url: string, question: Question = {}): Promise<Reply> {
  const { schema } = question;
  const body = {
    model: question.model ?? "gpt-5-mini",
    input: question.messages ?? question.text ?? "hello",
    ...(schema ? { text: { format: { type: "json_schema", name: "answer", strict: true, schema } } } : {}),
    ...(question.maxTokens ? { max_output_tokens: question.maxTokens } : {}),
    ...(question.stream ? { stream: true } : {}),
  };
  return post(`${url}/openai/v1/responses`, body, { headers: bearer(question.key), signal: question.signal ?? null });
}

/** The data of a stream's events; what is not JSON comes as text. */
export function eventsOf(text: string): ReturnType<typeof JSON.parse>[] {
  const lines = text.split("\n").filter((line) => line.startsWith("data: "));
  return lines.map((line) => (line === "data: [DONE]" ? "[DONE]" : JSON.parse(line.slice(6))));
}

/** The status of a call, or `broken` when the connection did not hold. */
export const statusOf = (call: Promise<Reply>): Promise<number | "broken"> =>
  call.then(
    (reply) => reply.status,
    () => "broken" as const,
  );

export const VERDICT = {
  type: "object",
  properties: {
    topic: { type: "string" },
    tone: { enum: ["negative", "neutral", "positive"] },
    weight: { type: "integer", minimum: 1, maximum: 9 },
  },
  required: ["topic", "tone", "weight"],
  additionalProperties: false,
} as const;
