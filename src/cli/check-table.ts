/** What a check has found, and the table that shows it: pure. */

import type { ErrorCode, MillraceError } from "../errors.ts";
import { messageOf } from "./exit.ts";
import { count, time } from "./words.ts";

/** Limits a minute, as far as the answer's headers told them. */
export interface ToldLimits {
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly inputTokensPerMinute?: number;
  readonly outputTokensPerMinute?: number;
}

/** One line of `--json`. `null`: not known. */
export interface Checked {
  readonly provider: string;
  /** Of several keys of one provider, the first being 1. */
  readonly keyNumber?: number;
  readonly model: string;
  readonly baseURL: string | null;
  readonly keyOk: boolean | null;
  readonly modelOk: boolean | null;
  readonly structuredOutputOk: boolean | null;
  readonly limits: ToldLimits;
  readonly latencyMs: number | null;
  readonly error: { readonly code: ErrorCode; readonly status: number | null; readonly message: string } | null;
}

interface Outcome {
  readonly baseURL: string | null;
  readonly latencyMs: number | null;
  readonly error?: MillraceError;
  readonly limits?: Readonly<Record<string, string>>;
}

type Verdict = readonly [key: boolean | null, model: boolean | null, structuredOutput: boolean | null];

/** What a failure says of the three; of others it says nothing. Vendors look at the key first, then at the model. */
const VERDICTS: Partial<Record<ErrorCode, Verdict>> = {
  invalid_option: [null, null, null],
  authentication_failed: [false, null, null],
  permission_denied: [true, false, null],
  unknown_model: [true, false, null],
  no_credit: [true, null, null],
  rate_limited: [true, null, null],
  schema_rejected: [true, true, false],
  invalid_answer: [true, true, false],
  truncated_answer: [true, true, null],
  refused: [true, true, null],
  content_filtered: [true, true, null],
};

/** For the errors that do not say it themselves. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  rate_limited: "The key is known, but its limit is used up. Check again later, or ask for a higher limit.",
  overloaded: "That passes: check again later.",
  server_error: "That passes: check again later.",
  invalid_request: "Try another --model.",
};

type Asked = Pick<Checked, "provider" | "model"> & { readonly keyNumber?: number | undefined };

export function outcomeOf({ provider, model, keyNumber }: Asked, { error, ...outcome }: Outcome): Checked {
  const [keyOk, modelOk, structuredOutputOk] = error === undefined ? [true, true, true] : verdictOf(error, model);
  const { baseURL, latencyMs, limits = {} } = outcome;
  return {
    provider,
    ...(keyNumber === undefined ? {} : { keyNumber }),
    model,
    baseURL,
    keyOk,
    modelOk,
    structuredOutputOk,
    limits: toldLimits(limits),
    latencyMs,
    error: error === undefined ? null : { code: error.code, status: error.status ?? null, message: told(error) },
  };
}

function verdictOf({ code, message }: MillraceError, model: string): Verdict {
  // Our advice names the model once. If the server did not, what it does not know may be the address.
  if (code === "unknown_model" && message.split(model).length < 3) return [null, null, null];
  return VERDICTS[code] ?? [null, null, null];
}

const told = (error: MillraceError): string => [messageOf(error), ADVICE[error.code]].filter(Boolean).join(" ");

/** Anthropic's, OpenAI's and Mistral's names for them. */
const LIMIT_HEADERS = {
  requestsPerMinute: [
    "anthropic-ratelimit-requests-limit",
    "x-ratelimit-limit-requests",
    "x-ratelimit-limit-req-minute",
  ],
  tokensPerMinute: ["anthropic-ratelimit-tokens-limit", "x-ratelimit-limit-tokens", "x-ratelimit-limit-tokens-minute"],
  inputTokensPerMinute: ["anthropic-ratelimit-input-tokens-limit"],
  outputTokensPerMinute: ["anthropic-ratelimit-output-tokens-limit"],
} as const satisfies Record<keyof ToldLimits, readonly string[]>;

function toldLimits(headers: Readonly<Record<string, string>>): ToldLimits {
  const found = Object.entries(LIMIT_HEADERS).map(([name, headerNames]) => {
    const value = headerNames.map((header) => headers[header]).find((text) => /^\d+$/.test(text ?? ""));
    return [name, value === undefined ? undefined : Number(value)];
  });
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

const HEADINGS = [
  "provider",
  "model",
  "key ok",
  "model ok",
  "structured output",
  "requests/min",
  "tokens/min",
  "latency",
];

/** One row for each, and beneath them what to do about those that failed. */
export function checkedTable(all: readonly Checked[]): string {
  const rows = [HEADINGS, ...all.map(cells)];
  const widths = HEADINGS.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const failed = all.flatMap((one) => (one.error === null ? [] : [`${nameOf(one)}: ${one.error.message}`]));
  return `${[...lines, ...(failed.length > 0 ? ["", ...failed] : [])].join("\n")}\n`;
}

function cells(one: Checked): string[] {
  const { model, keyOk, modelOk, structuredOutputOk, limits, latencyMs } = one;
  const flags = [keyOk, modelOk, structuredOutputOk].map((ok) => (ok === null ? "?" : ok ? "yes" : "NO"));
  const requests = limits.requestsPerMinute === undefined ? "?" : count(limits.requestsPerMinute);
  return [nameOf(one), model, ...flags, requests, tokens(limits), latencyMs === null ? "-" : time(latencyMs)];
}

const nameOf = ({ provider, keyNumber }: Checked): string =>
  keyNumber === undefined ? provider : `${provider} key ${keyNumber}`;

function tokens({ tokensPerMinute, inputTokensPerMinute, outputTokensPerMinute }: ToldLimits): string {
  const parts = [
    [inputTokensPerMinute, " in"],
    [outputTokensPerMinute, " out"],
  ] as const;
  const apart = parts.flatMap(([value, way]) => (value === undefined ? [] : [`${count(value)}${way}`]));
  if (apart.length > 0) return apart.join(" ");
  return tokensPerMinute === undefined ? "?" : count(tokensPerMinute);
}
