/** OpenAI's Responses: what is sent, and what comes back. */

import type { OpenAI } from "openai";
import type { AnswerHeaders } from "../http/answer.ts";
import type { Usage } from "../usage.ts";
import { limitHeaders, requestIdOf } from "./limit-headers.ts";
import { namedSchema, withCache } from "./openai-chat.ts";
import type { Completion, FinishReason, ModelRequest } from "./provider.ts";
import type { Settings } from "./settings.ts";
import { countOf, type Fields, fieldsOf, isFields, listOf, misshapen, textOf } from "./shape.ts";

export function responsesBody(
  request: ModelRequest,
  settings: Settings,
): OpenAI.Responses.ResponseCreateParamsNonStreaming {
  const { system, messages, schema, temperature } = request;
  return {
    model: settings.model,
    input: messages.map(({ role, content }) => ({ role, content })),
    max_output_tokens: request.maxOutputTokens ?? settings.maxOutputTokens,
    // Otherwise OpenAI would keep prompt and answer for thirty days.
    store: false,
    ...(system === undefined ? {} : { instructions: system }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(schema === undefined
      ? {}
      : { text: { format: { type: "json_schema", ...namedSchema(schema, request.schemaName) } } }),
  };
}

export function readResponse(data: unknown, headers: AnswerHeaders, { label, model }: Settings): Completion {
  const answer = fieldsOf(data);
  const requestId = requestIdOf(headers) ?? textOf(answer.id);
  if (!Array.isArray(answer.output)) throw misshapen(label, "no `output`", requestId);
  if (answer.status === "failed" || answer.status === "cancelled") {
    const code = textOf(fieldsOf(answer.error).code)?.slice(0, 64);
    throw misshapen(label, `no end: it was ${answer.status}${code === undefined ? "" : ` (${code})`}`, requestId);
  }
  const usage = readUsage(answer.usage);
  if (usage === undefined) throw misshapen(label, "no readable `usage`", requestId);
  const parts = answer.output.flatMap((item) =>
    fieldsOf(item).type === "message" ? listOf(fieldsOf(item).content) : [],
  );
  return {
    text: parts
      .map((part) => (fieldsOf(part).type === "output_text" ? (textOf(fieldsOf(part).text) ?? "") : ""))
      .join(""),
    finishReason: parts.some((part) => fieldsOf(part).type === "refusal") ? "refusal" : finish(answer),
    usage,
    model: textOf(answer.model) ?? model,
    requestId,
    limits: limitHeaders(headers),
  };
}

function readUsage(usage: unknown): Usage | undefined {
  if (!isFields(usage)) return undefined;
  const details = fieldsOf(usage.input_tokens_details);
  const inputTokens = countOf(usage.input_tokens);
  const outputTokens = countOf(usage.output_tokens);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return withCache({ inputTokens, outputTokens }, details.cached_tokens, details.cache_write_tokens);
}

function finish(answer: Fields): FinishReason {
  if (answer.status === "completed") return "stop";
  switch (fieldsOf(answer.incomplete_details).reason) {
    case "max_output_tokens":
      return "length";
    case "content_filter":
      return "filter";
    default:
      return "other";
  }
}
