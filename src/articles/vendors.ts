/** The clients by their vendors' names, and the factory. */

import { failure } from "../errors.ts";
import { checkKeys, nearest } from "../options.ts";
import { type AnthropicOptions, anthropic } from "../providers/anthropic.ts";
import { local } from "../providers/local.ts";
import { type MistralOptions, mistral } from "../providers/mistral.ts";
import { OPENAI_KEYS, type OpenAIOptions, openai } from "../providers/openai.ts";
import type { Provider } from "../providers/provider.ts";
import { PROVIDER_KEYS } from "../providers/settings.ts";
import { ArticleClient, CALL_OPTIONS, type CallOptions } from "./client.ts";

/** Options of the provider (key, model, server …) and of the calls (limits, retries, `maxConcurrent` …). */
export type ClaudeClientOptions = AnthropicOptions & CallOptions;
export type OpenAIClientOptions = OpenAIOptions & CallOptions;
export type MistralClientOptions = MistralOptions & CallOptions;

/** Those of `createClient()`, whichever provider it is. */
export type ClientOptions = OpenAIClientOptions;

interface Parts<Options> {
  readonly call: CallOptions;
  readonly own: Omit<Options, keyof CallOptions>;
}

/** The options of the calls apart from those of the provider. @param own the provider's, by name */
function parted<Options extends CallOptions>(options: Options, own: readonly string[], where: string): Parts<Options> {
  checkKeys(options, [...new Set([...own, ...CALL_OPTIONS])], where);
  const isCall = ([name]: [string, unknown]) => (CALL_OPTIONS as readonly string[]).includes(name);
  const entries = Object.entries(options);
  return {
    call: Object.fromEntries(entries.filter(isCall)),
    own: Object.fromEntries(entries.filter((entry) => !isCall(entry))) as Omit<Options, keyof CallOptions>,
  };
}

/**
 * Claude. The key is `apiKey` or `ANTHROPIC_API_KEY`, the model `claude-haiku-4-5` unless given.
 *
 * @throws ConfigurationError `missing_key`, `invalid_option`
 */
export class ClaudeClient extends ArticleClient {
  constructor(options: ClaudeClientOptions = {}) {
    const { call, own } = parted(options, PROVIDER_KEYS, "ClaudeClient");
    super(anthropic(own), call);
  }
}

/**
 * OpenAI, or a server that speaks its protocol (`baseURL`). The key is `apiKey` or `OPENAI_API_KEY`.
 *
 * @throws ConfigurationError `missing_key`, `invalid_option`
 */
export class OpenAIClient extends ArticleClient {
  constructor(options: OpenAIClientOptions = {}) {
    const { call, own } = parted(options, OPENAI_KEYS, "OpenAIClient");
    super(openai(own), call);
  }
}

/**
 * Mistral. The key is `apiKey` or `MISTRAL_API_KEY`.
 *
 * @throws ConfigurationError `missing_key`, `invalid_option`
 */
export class MistralClient extends ArticleClient {
  constructor(options: MistralClientOptions = {}) {
    const { call, own } = parted(options, PROVIDER_KEYS, "MistralClient");
    super(mistral(own), call);
  }
}

const MAKERS = {
  anthropic: (options: ClientOptions) => new ClaudeClient(options),
  claude: (options: ClientOptions) => new ClaudeClient(options),
  openai: (options: ClientOptions) => new OpenAIClient(options),
  mistral: (options: ClientOptions) => new MistralClient(options),
  local(options: ClientOptions) {
    const { call, own } = parted(options, [], 'createClient("local")');
    return new ArticleClient(local(own), call);
  },
} as const;

/** `claude` is another name for `anthropic`; `local` is the embedded analyser, without a key or the network. */
export type ProviderName = keyof typeof MAKERS;

/**
 * Makes the client of a provider: by its name (in whatever case), or of a provider object, such as
 * `fallback([anthropic(), openai()])`, which then takes the options of the calls only.
 *
 * @throws ConfigurationError `missing_key`, `invalid_option`
 */
export function createClient(provider: ProviderName | Provider, options: ClientOptions = {}): ArticleClient {
  if (typeof provider === "object" && typeof provider?.complete === "function")
    return new ArticleClient(provider, options);
  const name = String(provider).trim().toLowerCase();
  if (Object.hasOwn(MAKERS, name)) return MAKERS[name as ProviderName](options);
  const names = Object.keys(MAKERS);
  const near = nearest(name, names);
  const hint = near === undefined ? `There are ${names.join(", ")}.` : `Did you mean "${near}"?`;
  throw failure("invalid_option", `createClient(): there is no such provider. ${hint}`);
}
