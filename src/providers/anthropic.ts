/** Claude, over Anthropic's Messages API. */

import type { Anthropic } from "@anthropic-ai/sdk";
import type { AnswerHeaders } from "../http/answer.ts";
import { load } from "../load.ts";
import type { Usage } from "../usage.ts";
import { answered } from "./answered.ts";
import { anthropicAssembly } from "./anthropic-stream.ts";
import { anthropicSchema } from "./json-schema.ts";
import { forEachKey } from "./key.ts";
import { limitHeaders, requestIdOf } from "./limit-headers.ts";
import { VENDORS } from "./models.ts";
import type { CompleteOptions, Completion, FinishReason, ModelRequest, Provider } from "./provider.ts";
import { builtBy, type Post, posting } from "./sdk-request.ts";
import { PROVIDER_KEYS, type ProviderOptions, readSettings, type Settings, sentWith } from "./settings.ts";
import { countOf, fieldsOf, isFields, listOf, misshapen, textOf } from "./shape.ts";
import type { Answered } from "./stream.ts";
import { createWire } from "./wire.ts";

export type AnthropicOptions = ProviderOptions;

/**
 * Longer answers must be streamed, in tokens of the output limit. Anthropic's SDK refuses a plain call that may take over
 * 10 minutes, and reckons with an hour for 128,000 tokens (`calculateNonstreamingTimeout`).
 */
const LONGEST_IN_ONE_PIECE = 21_333;

/**
 * Several keys, separated by commas, give a provider with a lane for each, as `lanes()` makes it.
 *
 * @throws `missing_key`, `invalid_option`
 */
export function anthropic(options: AnthropicOptions = {}): Provider {
  return forEachKey(VENDORS.anthropic, options, withKey);
}

function withKey(options: AnthropicOptions): Provider {
  const settings = readSettings(VENDORS.anthropic, options, { known: PROVIDER_KEYS, compatible: false });
  const { model, baseURL, maxOutputTokens } = settings;
  const wire = createWire(settings, (fetch) => {
    const { Anthropic } = load("@anthropic-ai/sdk") as typeof import("@anthropic-ai/sdk");
    const client = new Anthropic({
      // Given in code, it is the only credential: the SDK then reads neither ANTHROPIC_AUTH_TOKEN nor profiles.
      apiKey: settings.apiKey as string,
      baseURL,
      logLevel: "off",
      defaultHeaders: settings.headers,
    });
    return posting(fetch, builtBy(client, "/v1/messages"));
  });
  return {
    name: "anthropic",
    model,
    maxOutputTokens,
    baseURL,
    sends: sentWith(settings),
    price: settings.price,
    complete: (request, options) =>
      wire.call(options.signal, async (post) => {
        const { data, headers } = await asked(post, request, { options, settings });
        return read(data, headers, settings);
      }),
    close: wire.close,
  };
}

function asked(post: Post, request: ModelRequest, { options, settings }: Asking): Promise<Answered> {
  const sent = body(request, settings);
  const streaming = options.streaming || sent.max_tokens > LONGEST_IN_ONE_PIECE;
  return answered(options, sent, { settings, post, streaming, assembly: anthropicAssembly });
}

interface Asking {
  readonly options: CompleteOptions;
  readonly settings: Settings;
}

function body(request: ModelRequest, settings: Settings): Anthropic.MessageCreateParamsNonStreaming {
  const { system, messages, schema, temperature } = request;
  return {
    model: settings.model,
    max_tokens: request.maxOutputTokens ?? settings.maxOutputTokens,
    messages: messages.map(({ role, content }) => ({ role, content })),
    ...(system === undefined ? {} : { system }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(schema === undefined
      ? {}
      : { output_config: { format: { type: "json_schema", schema: anthropicSchema(schema) } } }),
  };
}

function read(data: unknown, headers: AnswerHeaders, { label }: Settings): Completion {
  const { content, stop_reason, usage, model, id } = fieldsOf(data);
  const requestId = requestIdOf(headers) ?? textOf(id);
  if (!Array.isArray(content)) throw misshapen(label, "no `content`", requestId);
  const billed = readUsage(usage);
  if (billed === undefined) throw misshapen(label, "no readable `usage`", requestId);
  return {
    // Thinking comes in blocks of its own.
    text: listOf(content).map(textOfBlock).join(""),
    finishReason: finish(stop_reason),
    usage: billed,
    model: textOf(model) ?? "unknown",
    requestId,
    limits: limitHeaders(headers),
  };
}

function textOfBlock(block: unknown): string {
  const { type, text } = fieldsOf(block);
  return type === "text" ? (textOf(text) ?? "") : "";
}

/** Anthropic counts input in three disjoint parts: fresh, written to the cache, read from it. */
function readUsage(usage: unknown): Usage | undefined {
  if (!isFields(usage) || usage.input_tokens == null || usage.output_tokens == null) return undefined;
  const fresh = countOf(usage.input_tokens);
  const written = countOf(usage.cache_creation_input_tokens);
  const cached = countOf(usage.cache_read_input_tokens);
  const outputTokens = countOf(usage.output_tokens);
  if (fresh === undefined || written === undefined || cached === undefined || outputTokens === undefined)
    return undefined;
  return {
    inputTokens: fresh + written + cached,
    outputTokens,
    ...(cached > 0 ? { cacheReadTokens: cached } : {}),
    ...(written > 0 ? { cacheWriteTokens: written } : {}),
  };
}

function finish(reason: unknown): FinishReason {
  switch (reason) {
    case "end_turn":
    case "stop_sequence":
      return "stop";
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length";
    case "refusal":
      return "refusal";
    default:
      return "other";
  }
}
