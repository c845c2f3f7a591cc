/** A client from a configuration: an object, millrace.yaml, or the Python original's config.yaml. */

import { type ClientConfig, readClientConfig } from "../config/client-config.ts";
import { chooseProvider } from "../config/provider.ts";
import { failure } from "../errors.ts";
import type { ArticleClient } from "./client.ts";
import { createClient } from "./vendors.ts";

/** What `createClientFromConfig()` takes: the names of millrace.yaml, and those of the clients where they differ. */
export interface ClientFileConfig extends Omit<ClientConfig, "provider"> {
  /** `claude` is another name for `anthropic`. Default: the one whose key is in the environment. */
  readonly provider?: "anthropic" | "claude" | "openai" | "mistral" | "local";
  /** The clients' name for `concurrency`. */
  readonly maxConcurrent?: number | "auto";
}

const WHERE = "createClientFromConfig()";

/**
 * Makes a client from a configuration, or from the path of a YAML file with one. Its names are those of `millrace.yaml`; under
 * `api:` it may have the six of the Python original, in whose units: `RATE_LIMIT_DELAY`, `BASE_DELAY` and `TIMEOUT` in
 * seconds, `MAX_RETRIES`, `MAX_TOKENS`, `TEMPERATURE`. Settings of the command line only (`output`, `progress` …) are left aside.
 *
 * @throws ConfigurationError for a file that cannot be read, an unknown name, a value that cannot be meant, a missing key
 */
export function createClientFromConfig(config: ClientFileConfig | string): ArticleClient {
  const { provider, providerOptions, callOptions, prices } = readClientConfig(named(config), WHERE);
  const { concurrency, ...options } = callOptions;
  const call = {
    ...options,
    ...(prices === undefined ? {} : { prices }),
    ...(concurrency === undefined ? {} : { maxConcurrent: concurrency }),
  };
  if (provider !== undefined) return createClient(provider, { ...providerOptions, ...call });
  const { apiKey, model, baseURL, maxOutputTokens } = providerOptions;
  if (apiKey !== undefined) throw failure("invalid_option", `${WHERE}: say whose \`apiKey\` it is with \`provider\`.`);
  const flags = Object.entries({ model, baseUrl: baseURL, maxOutputTokens }).filter(([, value]) => value !== undefined);
  return createClient(chooseProvider(Object.fromEntries(flags), process.env), call);
}

/** The same under the names of millrace.yaml. */
function named(config: ClientFileConfig | string): ClientConfig | string {
  if (typeof config !== "object" || config === null) return config;
  const { provider, maxConcurrent, ...rest } = config;
  if (maxConcurrent !== undefined && rest.concurrency !== undefined) {
    throw failure("invalid_option", `${WHERE}: \`maxConcurrent\` and \`concurrency\` are one thing. Keep one of them.`);
  }
  const anthropic = provider === "claude" ? "anthropic" : provider;
  return {
    ...rest,
    ...(anthropic === undefined ? {} : { provider: anthropic }),
    ...(maxConcurrent === undefined ? {} : { concurrency: maxConcurrent }),
  };
}
