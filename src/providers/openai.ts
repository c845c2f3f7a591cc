/** OpenAI, and every server that speaks its protocol, over Chat Completions or Responses. */

import type { OpenAI } from "openai";
import { failure } from "../errors.ts";
import type { Fetch } from "../http/fetch.ts";
import { load } from "../load.ts";
import { VENDORS } from "./models.ts";
import { chatBody, readChat } from "./openai-chat.ts";
import { readResponse, responsesBody } from "./openai-responses.ts";
import type { Completion, ModelRequest, Provider } from "./provider.ts";
import { PROVIDER_KEYS, type ProviderOptions, readSettings, type Settings, sentWith } from "./settings.ts";
import { knowsNoSchemas } from "./verdict.ts";
import { createWire, NO_TIMEOUT, refusalOf } from "./wire.ts";

/**
 * How the answer is made to follow a schema. `json_schema`: by the server, as it decodes. `prompt`: by asking for it;
 * the JSON is then taken out of the text.
 */
export type StructuredOutput = "json_schema" | "prompt";

export interface OpenAIOptions extends ProviderOptions {
  /** Default `chat`: Chat Completions, the one that compatible servers know. */
  readonly api?: "chat" | "responses" | undefined;
  /**
   * Default: `json_schema`; but when a server other than OpenAI's refuses that as unknown to it, `prompt` from then on,
   * for as long as this provider lives.
   */
  readonly structuredOutput?: StructuredOutput | undefined;
}

const KEYS = [...PROVIDER_KEYS, "api", "structuredOutput"];
const OUTPUTS = ["json_schema", "prompt"] as const;

const APIS = {
  chat: { path: "/chat/completions", body: chatBody, read: readChat },
  responses: { path: "/responses", body: responsesBody, read: readResponse },
};

/** @throws `missing_key`, `invalid_option` */
export function openai(options: OpenAIOptions = {}): Provider {
  const settings = readSettings(VENDORS.openai, options, { known: KEYS, compatible: true });
  const api = choice("api", options.api ?? "chat", ["chat", "responses"]);
  const { path, body, read } = APIS[api];
  const asked = options.structuredOutput && choice("structuredOutput", options.structuredOutput, OUTPUTS);
  const mayFallBack = asked === undefined && !settings.official;
  let output: StructuredOutput = asked ?? "json_schema";
  const wire = createWire(settings, (fetch) => connect(settings, fetch));

  const call = (request: ModelRequest, signal: AbortSignal, how: StructuredOutput): Promise<Completion> =>
    wire.call(signal, async (client) => {
      const sent = how === "prompt" ? prompted(request) : request;
      const { data, response } = await client
        .post<unknown>(path, { body: body(sent, settings), signal })
        .withResponse();
      const completion = read(data, response.headers, settings);
      return how === "prompt" ? extracted(request, completion) : completion;
    });

  return {
    name: "openai",
    model: settings.model,
    maxOutputTokens: settings.maxOutputTokens,
    baseURL: settings.baseURL,
    sends: { api, structuredOutput: asked ?? null, ...sentWith(settings) },
    async complete(request, { signal }) {
      try {
        return await call(request, signal, output);
      } catch (error) {
        const refusal = refusalOf(error);
        if (!mayFallBack || request.schema === undefined || refusal === undefined || !knowsNoSchemas(refusal))
          throw error;
        output = "prompt";
        return call(request, signal, output);
      }
    },
    close: wire.close,
  };
}

function connect(settings: Settings, fetch: Fetch): OpenAI {
  const { OpenAI } = load("openai") as typeof import("openai");
  return new OpenAI({
    // The SDK demands a key; where there is none, the header is taken off again.
    apiKey: settings.apiKey ?? "none",
    adminAPIKey: null,
    baseURL: settings.baseURL,
    fetch,
    maxRetries: 0,
    timeout: NO_TIMEOUT,
    logLevel: "off",
    defaultHeaders: { ...(settings.apiKey === undefined ? { authorization: null } : {}), ...settings.headers },
  });
}

function choice<T extends string>(option: string, given: T, allowed: readonly T[]): T {
  if (allowed.includes(given)) return given;
  throw failure("invalid_option", `openai(): \`${option}\` must be ${allowed.map((one) => `"${one}"`).join(" or ")}.`);
}

const JSON_ONLY =
  "Answer with one JSON value and nothing else: no code fence, no explanation. It must be valid against this JSON Schema:";

/** The request with its schema in the instructions, where any model reads it. */
function prompted(request: ModelRequest): ModelRequest {
  const { schema, ...rest } = request;
  if (schema === undefined) return request;
  const order = `${JSON_ONLY}\n${JSON.stringify(schema)}`;
  return { ...rest, system: rest.system === undefined ? order : `${rest.system}\n\n${order}` };
}

async function extracted(request: ModelRequest, completion: Completion): Promise<Completion> {
  // A cut answer is left as it is: repair would make a whole-looking one of it.
  if (request.schema === undefined || completion.finishReason !== "stop") return completion;
  const { jsonText } = await import("./json-text.ts");
  return { ...completion, text: jsonText(completion.text) };
}
