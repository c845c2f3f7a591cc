/** What a simulator can be told: names, units, defaults, and the check that refuses what it does not know. */

import { failure } from "../errors.ts";
import { FAULT_NAMES, type FaultName } from "./traffic/faults.ts";

/** Milliseconds before an answer starts: fixed, log-normal, or uniform. Drawn anew for each call, replayable by seed. */
export type Latency =
  | number
  | { readonly median: number; readonly sigma: number }
  | { readonly min: number; readonly max: number };

/** Limits a minute, kept as continuously refilled buckets. What is left out is unlimited. */
export interface Limits {
  readonly requestsPerMinute?: number;
  /** Input tokens not read from the cache. */
  readonly inputTokensPerMinute?: number;
  /** Output tokens really produced, taken when the answer goes out; a bucket in debt refuses the next call. */
  readonly outputTokensPerMinute?: number;
  /** Both together. OpenAI reserves max(max_tokens, estimate of the input) of it; the others take what was used. */
  readonly tokensPerMinute?: number;
  /** What a bucket holds when full, as a part of the minute's limit. Default 1; 1/60 lets one second's worth through at once. */
  readonly burst?: number;
  /** Whose limits they are: each key its own account, or all keys of a vendor one account. Default `key`. */
  readonly scope?: "key" | "vendor";
}

export interface SimulatorOptions {
  /** Default 0: any free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Everything drawn (faults, latency) follows from it and from the requests' texts. Default 1. */
  readonly seed?: number;
  /** Keys accepted. Left out: any that is not empty. */
  readonly apiKeys?: readonly string[] | undefined;
  /** Models known, for every vendor. Left out: any whose name does not start with `unknown`. */
  readonly models?: readonly string[] | undefined;
  /** Time to the first byte of an answer, ms. Default 0. Refusals (limits, knee, key, request) come at once. */
  readonly latency?: Latency;
  /** Added for each output token, ms. Default 0. */
  readonly msPerOutputToken?: number;
  readonly limits?: Limits;
  /** Sends the vendor's limit headers (only for limits that are set). Default true. */
  readonly headers?: boolean;
  /** Sends Retry-After with a 429: true for the real wait, `date` for an HTTP date, a number for that many seconds. Default true. */
  readonly retryAfter?: boolean | "date" | number;
  /** Calls worked on at once before the vendor says it is overloaded. Default Infinity. */
  readonly knee?: number;
  /** Each fault's share of calls, 0 to 1; together 1 at most. */
  readonly faults?: Partial<Record<FaultName, number>>;
  /** Lets a text draw wrongSchema and maxTokensCut again and again. Default false: the re-ask heals. */
  readonly persistent?: boolean;
  /** A user message that contains it is always answered 400. */
  readonly poison?: string | undefined;
  /** A user message that contains it is always refused by the model. */
  readonly refuse?: string | undefined;
  /** A user message that contains it always has its answer filtered. */
  readonly filter?: string | undefined;
  /** Output tokens billed for an answer at least, as if the model had thought; free text is that long. Default 0. */
  readonly outputTokens?: number;
  /** Input tokens of each call that count as read from the prompt cache. Default 0. */
  readonly cachedTokens?: number;
  /** Tokens that can be billed before the account is empty. Default Infinity. */
  readonly credit?: number;
  /** Refuses schemas that the vendor would refuse in strict mode. Default true. */
  readonly strictSchemas?: boolean;
  /** Larger request bodies get 413. Default 32 MiB (Anthropic's limit). */
  readonly maxBodyBytes?: number;
  /** Between two pieces of a `slowDrip` body, ms. Default 50; a plain body has 20 pieces. */
  readonly dripInterval?: number;
  /** Ledger entries kept, the latest ones. Default 1,000,000. */
  readonly ledgerSize?: number;
  /** Idle connections are closed after it, ms. Default 60,000. Cannot be changed while running. */
  readonly keepAliveTimeout?: number;
}

type Absent = "apiKeys" | "models" | "poison" | "refuse" | "filter";

/** Options with every default filled in. */
export type Settings = Required<Omit<SimulatorOptions, Absent>> & Pick<SimulatorOptions, Absent>;

export const SIMULATOR_DEFAULTS = {
  port: 0,
  host: "127.0.0.1",
  seed: 1,
  apiKeys: undefined,
  models: undefined,
  latency: 0,
  msPerOutputToken: 0,
  limits: {},
  headers: true,
  retryAfter: true,
  knee: Number.POSITIVE_INFINITY,
  faults: {},
  persistent: false,
  poison: undefined,
  refuse: undefined,
  filter: undefined,
  outputTokens: 0,
  cachedTokens: 0,
  credit: Number.POSITIVE_INFINITY,
  strictSchemas: true,
  maxBodyBytes: 32 * 1024 * 1024,
  dripInterval: 50,
  ledgerSize: 1_000_000,
  keepAliveTimeout: 60_000,
} as const satisfies Settings;

const LIMIT_NAMES = [
  "requestsPerMinute",
  "inputTokensPerMinute",
  "outputTokensPerMinute",
  "tokensPerMinute",
  "burst",
  "scope",
];
const NOT_NEGATIVE = [
  "msPerOutputToken",
  "knee",
  "outputTokens",
  "cachedTokens",
  "credit",
  "maxBodyBytes",
  "dripInterval",
  "ledgerSize",
  "keepAliveTimeout",
] as const;

/** Lays options over settings; throws `invalid_option` for what is unknown or cannot be. */
export function settle(options: SimulatorOptions, base: Settings = SIMULATOR_DEFAULTS): Settings {
  refuseUnknown("simulator option", options, Object.keys(SIMULATOR_DEFAULTS));
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const settings: Settings = { ...base, ...(Object.fromEntries(given) as SimulatorOptions) };
  refuseUnknown("limit", settings.limits, LIMIT_NAMES);
  refuseUnknown("fault", settings.faults, FAULT_NAMES);
  for (const name of NOT_NEGATIVE) refuseNegative(name, settings[name]);
  for (const [name, value] of Object.entries(settings.limits)) {
    if (name !== "scope" && !(value > 0)) refuse(`limits.${name} must be above 0, not ${value}.`);
  }
  const rates = Object.entries(settings.faults);
  for (const [name, rate] of rates) if (!(rate >= 0 && rate <= 1)) refuse(`faults.${name} must be between 0 and 1.`);
  const sum = rates.reduce((total, [, rate]) => total + rate, 0);
  if (sum > 1 + 1e-9) refuse(`The fault rates add up to ${sum}; together they may be 1 at most.`);
  return settings;
}

function refuse(message: string): never {
  throw failure("invalid_option", message);
}

function refuseNegative(name: string, value: number): void {
  if (!(value >= 0)) refuse(`${name} must be 0 or more, not ${value}.`);
}

function refuseUnknown(what: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const near = known.toSorted((a, b) => distance(name, a) - distance(name, b))[0];
    refuse(`There is no ${what} "${name}"; did you mean "${near}"?`);
  }
}

/** Edits (insert, delete, replace) that turn one name into the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
