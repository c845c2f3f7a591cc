/** Chat completions, as OpenAI defines them and Mistral follows them. */

import type { Answer } from "../answers/answer.ts";
import { ANY_OBJECT, type Ask, isObject, type JsonObject, numberOr, turnsOf, type Wire } from "../ask.ts";
import type { Problem } from "../problem.ts";
import { openaiProblem } from "./openai.ts";
import { type Endpoint, event, pieces, type Stamp } from "./vendor.ts";

/** The schema of `response_format`, and whether it is to be held strictly. */
function formatOf(format: unknown): { schema: JsonObject | undefined; strict: boolean } {
  if (!isObject(format)) return { schema: undefined, strict: false };
  if (format.type === "json_object") return { schema: ANY_OBJECT, strict: false };
  const wrapped = format.json_schema;
  if (format.type !== "json_schema" || !isObject(wrapped)) return { schema: undefined, strict: false };
  return { schema: isObject(wrapped.schema) ? wrapped.schema : undefined, strict: wrapped.strict === true };
}

/** Reads a chat request; `system` and `developer` messages are the system prompt. */
export function readChat(body: JsonObject): Wire | Problem {
  const turns = turnsOf(body.messages);
  if (typeof body.model !== "string") {
    return { kind: "malformed", message: "Missing required parameter: 'model'.", param: "model" };
  }
  if (!turns) return { kind: "malformed", message: "Missing required parameter: 'messages'.", param: "messages" };
  const isSystem = (role: string) => role === "system" || role === "developer";
  const options = isObject(body.stream_options) ? body.stream_options : {};
  return {
    model: body.model,
    system: turns.map((turn) => (isSystem(turn.role) ? turn.text : "")).join(""),
    turns: turns.filter((turn) => !isSystem(turn.role)),
    ...formatOf(body.response_format),
    maxTokens: numberOr(body.max_completion_tokens ?? body.max_tokens),
    stream: body.stream === true,
    includeUsage: options.include_usage === true,
  };
}

function usageOf({ usage }: Answer): object {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

const FINISH_REASONS = { stop: "stop", length: "length", refusal: "stop", filter: "content_filter" } as const;

/** The part of a chat answer that the stream's chunks repeat. */
const head = (answer: Answer, stamp: Stamp, object: string): JsonObject => ({
  id: `chatcmpl-${stamp.id}`,
  object,
  created: stamp.created,
  model: answer.model,
  service_tier: "default",
  system_fingerprint: "fp_simulator",
});

function body(answer: Answer, stamp: Stamp): object {
  const refused = answer.finish === "refusal";
  const message = {
    role: "assistant",
    content: refused ? null : answer.text,
    refusal: refused ? answer.text : null,
    annotations: [],
  };
  const choice = { index: 0, message, logprobs: null, finish_reason: FINISH_REASONS[answer.finish] };
  return { ...head(answer, stamp, "chat.completion"), choices: [choice], usage: usageOf(answer) };
}

function events(answer: Answer, ask: Ask, stamp: Stamp): string[] {
  const opening = head(answer, stamp, "chat.completion.chunk");
  const usage = ask.includeUsage ? { usage: null } : {};
  const chunk = (delta: object, finish: string | null) =>
    event({ ...opening, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...usage });
  const field = answer.finish === "refusal" ? "refusal" : "content";
  return [
    chunk({ role: "assistant", content: "", refusal: null }, null),
    ...pieces(answer.text).map((text) => chunk({ [field]: text }, null)),
    chunk({}, FINISH_REASONS[answer.finish]),
    ...(ask.includeUsage ? [event({ ...opening, choices: [], usage: usageOf(answer) })] : []),
    event("[DONE]"),
  ];
}

export const openaiChat: Endpoint = {
  read: readChat,
  body,
  events,
  errorEvent: (problem) => event(openaiProblem(problem).body),
};
