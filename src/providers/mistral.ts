/** Mistral, over its chat completions. */

import type { AnswerHeaders } from "../http/answer.ts";
import type { Usage } from "../usage.ts";
import { answered } from "./answered.ts";
import { chatAssembly } from "./chat-stream.ts";
import { strictSchema } from "./json-schema.ts";
import { forEachKey } from "./key.ts";
import { limitHeaders, requestIdOf } from "./limit-headers.ts";
import { loadMistralChat } from "./mistral-chat.ts";
import { VENDORS } from "./models.ts";
import { textOfContent, withCache } from "./openai-chat.ts";
import type { Completion, FinishReason, ModelRequest, Provider } from "./provider.ts";
import { PROVIDER_KEYS, type ProviderOptions, readSettings, type Settings, sentWith } from "./settings.ts";
import { countOf, fieldsOf, isFields, listOf, misshapen, textOf } from "./shape.ts";
import { createWire } from "./wire.ts";

export type MistralOptions = ProviderOptions;

/**
 * Several keys, separated by commas, give a provider with a lane for each, as `lanes()` makes it.
 *
 * @throws `missing_key`, `invalid_option`
 */
export function mistral(options: MistralOptions = {}): Provider {
  return forEachKey(VENDORS.mistral, options, withKey);
}

function withKey(options: MistralOptions): Provider {
  const settings = readSettings(VENDORS.mistral, options, { known: PROVIDER_KEYS, compatible: false });
  const { model, baseURL, maxOutputTokens } = settings;
  const wire = createWire(settings, (fetch) => loadMistralChat(settings, fetch));
  return {
    name: "mistral",
    model,
    maxOutputTokens,
    baseURL,
    sends: sentWith(settings),
    price: settings.price,
    complete: (request, options) =>
      wire.call(options.signal, async (post) => {
        const streaming = options.streaming ?? false;
        const asking = { settings, post, streaming, assembly: chatAssembly };
        const { data, headers } = await answered(options, body(request, settings), asking);
        return read(data, headers, settings);
      }),
    close: wire.close,
  };
}

function body(request: ModelRequest, settings: Settings): Record<string, unknown> {
  const { system, messages, schema, schemaName, temperature } = request;
  return {
    model: settings.model,
    messages: [
      ...(system === undefined ? [] : [{ role: "system", content: system }]),
      ...messages.map(({ role, content }) => ({ role, content })),
    ],
    max_tokens: request.maxOutputTokens ?? settings.maxOutputTokens,
    ...(temperature === undefined ? {} : { temperature }),
    ...(schema === undefined
      ? {}
      : {
          response_format: {
            type: "json_schema",
            json_schema: {
              name: schemaName ?? "answer",
              strict: strictSchema(schema) !== undefined,
              schema,
            },
          },
        }),
  };
}

function read(data: unknown, headers: AnswerHeaders, { label, model }: Settings): Completion {
  const answer = fieldsOf(data);
  const requestId = requestIdOf(headers) ?? textOf(answer.id);
  const { message, finish_reason: reason } = fieldsOf(listOf(answer.choices)[0]);
  if (!isFields(message)) throw misshapen(label, "no `choices`", requestId);
  if (reason === "error") throw misshapen(label, "no end: its server gave up half-way", requestId);
  const usage = readUsage(answer.usage);
  if (usage === undefined) throw misshapen(label, "no readable `usage`", requestId);
  return {
    text: textOfContent(message.content),
    finishReason: finish(reason),
    usage,
    model: textOf(answer.model) ?? model,
    requestId,
    limits: limitHeaders(headers),
  };
}

function readUsage(usage: unknown): Usage | undefined {
  if (!isFields(usage)) return undefined;
  const inputTokens = countOf(usage.prompt_tokens);
  const outputTokens = countOf(usage.completion_tokens);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return withCache({ inputTokens, outputTokens }, fieldsOf(usage.prompt_tokens_details).cached_tokens, undefined);
}

function finish(reason: unknown): FinishReason {
  switch (reason) {
    case "stop":
      return "stop";
    case "length":
    case "model_length":
      return "length";
    case "content_filter":
      return "filter";
    default:
      return "other";
  }
}
