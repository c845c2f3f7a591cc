/** OpenAI's Chat Completions: what is sent, and what comes back. */

import type { OpenAI } from "openai";
import type { AnswerHeaders } from "../http/answer.ts";
import type { Usage } from "../usage.ts";
import { strictSchema } from "./json-schema.ts";
import { limitHeaders, requestIdOf } from "./limit-headers.ts";
import type { Completion, FinishReason, JsonSchema, ModelRequest } from "./provider.ts";
import type { Settings } from "./settings.ts";
import { countOf, fieldsOf, isFields, listOf, misshapen, textOf } from "./shape.ts";

type ChatBody = OpenAI.ChatCompletionCreateParamsNonStreaming;

export function chatBody(request: ModelRequest, settings: Settings): ChatBody {
  const { system, messages, schema, temperature } = request;
  const limit = request.maxOutputTokens ?? settings.maxOutputTokens;
  return {
    model: settings.model,
    messages: [
      ...(system === undefined ? [] : [{ role: "system" as const, content: system }]),
      ...messages.map(({ role, content }) => ({ role, content })),
    ],
    // OpenAI's newer models refuse `max_tokens`; most compatible servers know nothing else.
    ...(settings.official ? { max_completion_tokens: limit } : { max_tokens: limit }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(schema === undefined
      ? {}
      : { response_format: { type: "json_schema", json_schema: namedSchema(schema, request.schemaName) } }),
  };
}

export interface NamedSchema {
  readonly name: string;
  readonly strict: boolean;
  readonly schema: Record<string, unknown>;
}

export function namedSchema(schema: JsonSchema, name = "answer"): NamedSchema {
  const strict = strictSchema(schema);
  return { name, strict: strict !== undefined, schema: strict ?? schema };
}

export function readChat(data: unknown, headers: AnswerHeaders, { label, model }: Settings): Completion {
  const answer = fieldsOf(data);
  const requestId = requestIdOf(headers) ?? textOf(answer.id);
  const choice = fieldsOf(listOf(answer.choices)[0]);
  const { message, finish_reason } = choice;
  if (!isFields(message)) throw misshapen(label, `no \`choices\`${reported(answer.error)}`, requestId);
  // What gateways say when their own server fell over half-way, and DeepSeek when it ran out of machines.
  if (finish_reason === "error" || finish_reason === "insufficient_system_resource") {
    throw misshapen(label, "no end: its server gave up half-way", requestId);
  }
  const usage = readUsage(answer.usage);
  if (usage === undefined) throw misshapen(label, "no readable `usage`", requestId);
  return {
    text: textOfContent(message.content),
    finishReason: message.refusal ? "refusal" : finish(finish_reason),
    usage,
    model: textOf(answer.model) ?? model,
    requestId,
    limits: limitHeaders(headers),
  };
}

/** Gateways report their upstream's failure inside a 200. Its code is told, not its words: they may quote the request. */
function reported(error: unknown): string {
  const code = fieldsOf(error).code;
  return typeof code === "number" || typeof code === "string" ? `, but the error ${String(code).slice(0, 64)}` : "";
}

/** A text, or a list of parts of which some are text. */
export function textOfContent(content: unknown): string {
  if (!Array.isArray(content)) return textOf(content) ?? "";
  return content.map((part) => (fieldsOf(part).type === "text" ? (textOf(fieldsOf(part).text) ?? "") : "")).join("");
}

/** Compatible servers may leave usage out: then it is unknown, and counted as nothing. */
function readUsage(given: unknown): Usage | undefined {
  const usage = fieldsOf(given);
  const details = fieldsOf(usage.prompt_tokens_details);
  const inputTokens = countOf(usage.prompt_tokens);
  const outputTokens = countOf(usage.completion_tokens);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return withCache({ inputTokens, outputTokens }, details.cached_tokens, details.cache_write_tokens);
}

/** Adds the cached parts, where there are some. */
export function withCache(usage: Usage, read: unknown, written: unknown): Usage {
  const cacheReadTokens = countOf(read) ?? 0;
  const cacheWriteTokens = countOf(written) ?? 0;
  return {
    ...usage,
    ...(cacheReadTokens > 0 ? { cacheReadTokens } : {}),
    ...(cacheWriteTokens > 0 ? { cacheWriteTokens } : {}),
  };
}

function finish(reason: unknown): FinishReason {
  switch (reason) {
    case "stop":
      return "stop";
    case "length":
      return "length";
    case "content_filter":
      return "filter";
    default:
      return "other";
  }
}
