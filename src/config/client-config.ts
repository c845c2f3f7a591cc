/** What a client is made from: a configuration, by a program or from a file, to a provider and its options. Pure but for the file. */

import { dirname, resolve } from "node:path";
import { failure } from "../errors.ts";
import type { Prices } from "../usage.ts";
import { settingsIn } from "./configuration.ts";
import { readConfigFile } from "./file.ts";
import type { RunFlags } from "./options.ts";
import { SETTINGS } from "./settings.ts";

/** The six names of the Python original. Times are in seconds. */
export interface LegacyApi {
  /** Seconds from one call to the next: `requestsPerMinute` = 60 / it. 0: no limit. */
  readonly RATE_LIMIT_DELAY?: number;
  readonly MAX_RETRIES?: number;
  /** `retryBaseDelay`, in seconds. */
  readonly BASE_DELAY?: number;
  /** `timeout`, in seconds. */
  readonly TIMEOUT?: number;
  /** `maxOutputTokens`. */
  readonly MAX_TOKENS?: number;
  readonly TEMPERATURE?: number;
}

/**
 * A configuration in a program: what millrace.yaml holds, under the same names. Times are in ms, or texts with their unit,
 * as the file has them (`"60s"`). Settings that are about a command's files and screen (`output`, `progress`, …) may be
 * there, and are left aside.
 */
export interface ClientConfig {
  readonly provider?: NonNullable<RunFlags["provider"]>;
  readonly model?: string;
  readonly baseURL?: string;
  /** Only here, never in a file. Default: the vendor's variable in the environment. */
  readonly apiKey?: string;
  readonly concurrency?: number | "auto";
  readonly requestsPerMinute?: number;
  readonly inputTokensPerMinute?: number;
  readonly outputTokensPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly maxRetries?: number;
  readonly retryBaseDelay?: number | string;
  readonly timeout?: number | string;
  readonly maxWait?: number | string;
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  /** Where answers are kept; false or left out: nowhere. */
  readonly store?: string | false;
  readonly prices?: Prices;
  /** The block of the Python original's `config/config.yaml`. */
  readonly api?: LegacyApi;
  readonly [other: string]: unknown;
}

/** A configuration, read: what is not given is not there. */
export interface ClientSettings {
  /** undefined: the one whose key is in the environment. */
  readonly provider?: NonNullable<RunFlags["provider"]>;
  /** For `anthropic()`, `openai()`, `mistral()`. */
  readonly providerOptions: {
    readonly model?: string;
    readonly baseURL?: string;
    readonly apiKey?: string;
    readonly maxOutputTokens?: number;
  };
  /** For `analyze()`, under its names and in its units (ms). */
  readonly callOptions: { readonly concurrency?: number | "auto"; readonly store?: string } & {
    readonly [name in Exclude<CallName, "store">]?: number;
  };
  readonly prices?: Prices;
}

const PROVIDER = ["model", "baseURL", "maxOutputTokens"] as const;
/** Of the names under which calls are set everywhere, those that mean the same everywhere. */
export const CALL_NAMES = [
  "requestsPerMinute",
  "inputTokensPerMinute",
  "outputTokensPerMinute",
  "tokensPerMinute",
  "maxRetries",
  "retryBaseDelay",
  "timeout",
  "maxWait",
  "maxOutputTokens",
  "temperature",
  "store",
] as const;
export type CallName = (typeof CALL_NAMES)[number];

/**
 * Reads what a client is to be made from.
 *
 * @param config a configuration, or the path of a YAML file with one: millrace.yaml, or the original's `config/config.yaml`.
 *   In a file the store's path counts from the file's folder
 * @param where the call as the user wrote it, for errors: `createClientFromConfig()`
 * @throws ConfigurationError for a file that cannot be read, an unknown name, a value that cannot be meant, a setting
 *   under both its old and its new name, a cap on the cost (it is one run's), and a key (`apiKey`) in a file
 */
export function readClientConfig(config: ClientConfig | string, where: string): ClientSettings {
  const found = typeof config === "string" ? fromFile(config) : fromObject(config, where);
  if (found.maxCost !== undefined) {
    const why = `${where}: a cap on the cost is one run's, and a client makes many.`;
    throw failure("invalid_option", `${why} Give \`maxCost\` to batchAnalyze() or processArticles().`);
  }
  const some = (keys: readonly string[]) =>
    Object.fromEntries(keys.filter((key) => found[key] !== undefined).map((key) => [key, found[key]]));
  return {
    ...some(["provider", "prices"]),
    providerOptions: some([...PROVIDER, "apiKey"]),
    callOptions: some(["concurrency", ...CALL_NAMES.filter((name) => name !== "store" || found.store !== false)]),
  };
}

type Values = Readonly<Record<string, unknown>>;

function fromFile(path: string): Values {
  const values = valuesOf(settingsIn(readConfigFile(path)));
  const { store } = values;
  return typeof store === "string" ? { ...values, store: resolve(dirname(path), store) } : values;
}

function fromObject(config: ClientConfig, where: string): Values {
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw failure("invalid_option", `${where} takes a configuration, or the path of a YAML file with one.`);
  }
  const { apiKey, ...rest } = config;
  if (apiKey !== undefined && typeof apiKey !== "string") {
    throw failure("invalid_option", `${where}: \`apiKey\` must be a text.`);
  }
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  const values = Object.fromEntries(given.map(([key, value]) => [key, withUnit(key, value)]));
  const at = (path: readonly string[], part: "name" | "value") =>
    part === "name" && path.length > 1 ? `${where}: ${path.slice(0, -1).join(".")}` : where;
  return { ...valuesOf(settingsIn({ values, at })), ...(apiKey === undefined ? {} : { apiKey }) };
}

/** Times, by their shape: texts with a unit. */
const TIMES = SETTINGS.filter(({ schema }) => schema.pattern !== undefined).map(({ key }) => key);

/** A number is ms in a program, as everywhere in the library. In a file that would be a guess. */
const withUnit = (key: string, value: unknown): unknown =>
  TIMES.includes(key) && typeof value === "number" ? `${value}ms` : value;

const valuesOf = (settings: ReturnType<typeof settingsIn>): Values =>
  Object.fromEntries([...settings.values()].map(({ key, value }) => [key, value]));
