/** Mistral, over its chat completions. */

import type { ChatCompletionRequest } from "@mistralai/mistralai/models/components/chatcompletionrequest.js";
import type { Usage } from "../usage.ts";
import { strictSchema } from "./json-schema.ts";
import { limitHeaders, requestIdOf } from "./limit-headers.ts";
import { VENDORS } from "./models.ts";
import { textOfContent, withCache } from "./openai-chat.ts";
import type { Completion, FinishReason, ModelRequest, Provider } from "./provider.ts";
import { PROVIDER_KEYS, type ProviderOptions, readSettings, type Settings } from "./settings.ts";
import { countOf, fieldsOf, isFields, listOf, misshapen, textOf } from "./shape.ts";
import { createWire } from "./wire.ts";

export type MistralOptions = ProviderOptions;

/** @throws `missing_key`, `invalid_option` */
export function mistral(options: MistralOptions = {}): Provider {
  const settings = readSettings(VENDORS.mistral, options, { known: PROVIDER_KEYS, compatible: false });
  const { model, baseURL, maxOutputTokens, headers } = settings;
  const wire = createWire(settings, async (fetch) => {
    // The one function instead of the whole SDK: 100 MB less. (Measured: 116 MB against 172 on its own.)
    const [{ MistralCore }, { chatComplete }, { HTTPClient }, { env }] = await Promise.all([
      import("@mistralai/mistralai/core.js"),
      import("@mistralai/mistralai/funcs/chatComplete.js"),
      import("@mistralai/mistralai/lib/http.js"),
      import("@mistralai/mistralai/lib/env.js"),
    ]);
    const core = new MistralCore({
      apiKey: settings.apiKey as string,
      serverURL: baseURL,
      retryConfig: { strategy: "none" },
      httpClient: new HTTPClient({ fetcher: async (input, init) => undeprecated(await fetch(input, init)) }),
      // Where MISTRAL_DEBUG is set, the SDK would log the key in clear.
      ...(env().MISTRAL_DEBUG ? { debugLogger: SILENT } : {}),
    });
    // A signal switches the SDK's own timer off, and every call has one.
    return (request: ModelRequest, signal: AbortSignal) =>
      chatComplete(core, body(request, settings), { signal, headers: { ...headers } }).$inspect();
  });
  return {
    name: "mistral",
    model,
    maxOutputTokens,
    baseURL,
    complete: (request, { signal }) =>
      wire.call(signal, async (chat) => {
        const [result, call] = await chat(request, signal);
        if (!result.ok) throw result.error;
        return read(result.value, call.status === "complete" ? call.response.headers : new Headers(), settings);
      }),
    close: wire.close,
  };
}

const SILENT = { group() {}, groupEnd() {}, log() {} };

/** Takes off the header on which the SDK writes a warning to stderr, call for call. */
function undeprecated(response: Response): Response {
  response.headers.delete("x-model-deprecation-timestamp");
  return response;
}

function body(request: ModelRequest, settings: Settings): ChatCompletionRequest {
  const { system, messages, schema, schemaName, temperature } = request;
  return {
    model: settings.model,
    messages: [
      ...(system === undefined ? [] : [{ role: "system" as const, content: system }]),
      ...messages.map(({ role, content }) => ({ role, content })),
    ],
    maxTokens: request.maxOutputTokens ?? settings.maxOutputTokens,
    ...(temperature === undefined ? {} : { temperature }),
    ...(schema === undefined
      ? {}
      : {
          responseFormat: {
            type: "json_schema" as const,
            jsonSchema: {
              name: schemaName ?? "answer",
              strict: strictSchema(schema) !== undefined,
              schemaDefinition: { ...schema },
            },
          },
        }),
  };
}

/** @param data as the SDK hands it out, its names in camel case */
function read(data: unknown, headers: Headers, { label, model }: Settings): Completion {
  const answer = fieldsOf(data);
  const requestId = requestIdOf(headers) ?? textOf(answer.id);
  const { message, finishReason } = fieldsOf(listOf(answer.choices)[0]);
  if (!isFields(message)) throw misshapen(label, "no `choices`", requestId);
  if (finishReason === "error") throw misshapen(label, "no end: its server gave up half-way", requestId);
  const usage = readUsage(answer.usage);
  if (usage === undefined) throw misshapen(label, "no readable `usage`", requestId);
  return {
    text: textOfContent(message.content),
    finishReason: finish(finishReason),
    usage,
    model: textOf(answer.model) ?? model,
    requestId,
    limits: limitHeaders(headers),
  };
}

function readUsage(usage: unknown): Usage | undefined {
  if (!isFields(usage)) return undefined;
  const inputTokens = countOf(usage.promptTokens);
  const outputTokens = countOf(usage.completionTokens);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  // Not in the SDK's types, so that it passes as it came.
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
