/** OpenAI, and every server that speaks its protocol, over Chat Completions or Responses. */

import type { OpenAI } from "openai";
import { failure } from "../errors.ts";
import { load } from "../load.ts";
import { answered } from "./answered.ts";
import { chatAssembly } from "./chat-stream.ts";
import { forEachKey } from "./key.ts";
import { VENDORS } from "./models.ts";
import { chatBody, readChat } from "./openai-chat.ts";
import { readResponse, responsesBody } from "./openai-responses.ts";
import type { CompleteOptions, Completion, ModelRequest, Provider } from "./provider.ts";
import type { Refusal } from "./refusal.ts";
import { responsesAssembly } from "./responses-stream.ts";
import { builtBy, type Post, posting } from "./sdk-request.ts";
import { PROVIDER_KEYS, type ProviderOptions, readSettings, type Settings, sentWith } from "./settings.ts";
import { knowsNoSchemas, knowsNoStreamOptions } from "./verdict.ts";
import { createWire, refusalOf, type Wire } from "./wire.ts";

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

export const OPENAI_KEYS = [
  ...PROVIDER_KEYS,
  "api",
  "structuredOutput",
] as const satisfies readonly (keyof OpenAIOptions)[];
const OUTPUTS = ["json_schema", "prompt"] as const;

/** `streaming`: what a streamed call says besides. Chat Completions tell no usage in a stream unless they are asked to. */
const APIS = {
  chat: {
    path: "/chat/completions",
    body: chatBody,
    read: readChat,
    assembly: chatAssembly,
    streaming: { stream_options: { include_usage: true } },
  },
  responses: {
    path: "/responses",
    body: responsesBody,
    read: readResponse,
    assembly: responsesAssembly,
    streaming: {},
  },
};

/** What a server has been found to understand. */
interface Manners {
  readonly output: StructuredOutput;
  /** Whether it may be sent `stream_options`. */
  readonly streamOptions: boolean;
}

/**
 * Several keys, separated by commas, give a provider with a lane for each, as `lanes()` makes it.
 *
 * @throws `missing_key`, `invalid_option`
 */
export function openai(options: OpenAIOptions = {}): Provider {
  return forEachKey(VENDORS.openai, options, withKey);
}

function withKey(options: OpenAIOptions): Provider {
  const settings = readSettings(VENDORS.openai, options, { known: OPENAI_KEYS, compatible: true });
  const kind = choice("api", options.api ?? "chat", ["chat", "responses"]);
  const api = APIS[kind];
  const asked = options.structuredOutput && choice("structuredOutput", options.structuredOutput, OUTPUTS);
  let manners: Manners = { output: asked ?? "json_schema", streamOptions: true };
  const wire = createWire(settings, (fetch) => posting(fetch, builtBy(connect(settings), api.path)));
  const call = caller(wire, settings, api);
  return {
    name: "openai",
    model: settings.model,
    maxOutputTokens: settings.maxOutputTokens,
    baseURL: settings.baseURL,
    sends: { api: kind, structuredOutput: asked ?? null, ...sentWith(settings) },
    price: settings.price,
    async complete(request, how) {
      // At most once more for each manner: what has been given up is not asked for again.
      for (let used = manners; ; ) {
        try {
          return await call(request, how, used);
        } catch (error) {
          const refusal = settings.official ? undefined : refusalOf(error);
          const change = refusal && without(refusal, used, { request, how, mayPrompt: asked === undefined });
          if (change === undefined) throw error;
          used = { ...used, ...change };
          manners = { ...manners, ...change };
        }
      }
    },
    close: wire.close,
  };
}

type Call = (request: ModelRequest, how: CompleteOptions, manners: Manners) => Promise<Completion>;

function caller(wire: Wire, settings: Settings, api: (typeof APIS)[keyof typeof APIS]): Call {
  const asked = (post: Post, request: ModelRequest, { how, streamOptions }: Asking) => {
    const streaming = how.streaming ?? false;
    const streamingBody = streamOptions ? api.streaming : {};
    const asking = { settings, post, streaming, assembly: api.assembly, streamingBody };
    return answered(how, api.body(request, settings), asking);
  };
  return (request, how, { output, streamOptions }) =>
    wire.call(how.signal, async (post) => {
      const question = output === "prompt" ? prompted(request) : request;
      const { data, headers } = await asked(post, question, { how, streamOptions });
      const completion = api.read(data, headers, settings);
      return output === "prompt" ? extracted(request, completion) : completion;
    });
}

interface Asking {
  readonly how: CompleteOptions;
  readonly streamOptions: boolean;
}

interface Sent {
  readonly request: ModelRequest;
  readonly how: CompleteOptions;
  readonly mayPrompt: boolean;
}

/** What a compatible server says that it does not understand, if that can be done without. */
function without(refusal: Refusal, used: Manners, { request, how, mayPrompt }: Sent): Partial<Manners> | undefined {
  if (how.streaming && used.streamOptions && knowsNoStreamOptions(refusal)) return { streamOptions: false };
  const schemas = mayPrompt && request.schema !== undefined && used.output !== "prompt";
  return schemas && knowsNoSchemas(refusal) ? { output: "prompt" } : undefined;
}

function connect(settings: Settings): OpenAI {
  const { OpenAI } = load("openai") as typeof import("openai");
  return new OpenAI({
    // The SDK demands a key; where there is none, the header is taken off again.
    apiKey: settings.apiKey ?? "none",
    adminAPIKey: null,
    baseURL: settings.baseURL,
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
