/** Numbers, codes and causes as a person reads them: pure. */

import type { ErrorCode } from "../errors.ts";

const number = new Intl.NumberFormat("en-US");
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });

export const count = (value: number): string => number.format(value);

/** At most six characters. */
export const short = (value: number): string => (value < 10_000 ? count(value) : compact.format(value));

export function time(ms: number): string {
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}m ${two(seconds % 60)}s` : `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
}

/** In whole seconds, for what is drawn again and again. */
export const clock = (ms: number): string => (ms < 59_500 ? `${Math.round(ms / 1_000)} s` : time(ms));

const two = (value: number): string => String(value).padStart(2, "0");

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

export function bytes(size: number): string {
  const power = size < 1_000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(size) / 3));
  const value = size / 1_000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

export function percent(share: number): string {
  const value = share * 100;
  return `${value === 0 || value >= 10 ? Math.round(value) : value.toPrecision(2)} %`;
}

/** Why records failed, as it follows a number. */
const FAILURES: Partial<Record<ErrorCode, string>> = {
  invalid_json: "not valid JSON",
  invalid_csv: "not valid CSV",
  invalid_utf8: "not UTF-8",
  not_an_object: "no object",
  line_too_long: "too long a line",
  too_deep: "nested too deep",
  truncated_line: "cut in the middle",
  missing_content: "without text to ask about",
  unserializable: "not writable in the output's format",
  missing_row_key: "without the key of a row",
  stage_failed: "broke a function of the pipeline",
  returned_nothing: "got nothing back from a function (drop leaves out)",
  invalid_request: "refused as a request",
  request_too_large: "too long for the model",
  content_filtered: "filtered by the provider",
  refused: "refused by the model",
  invalid_answer: "answered against the schema, twice",
  truncated_answer: "answered too long, cut twice",
  timeout: "timed out",
  connection_failed: "lost their connection",
  server_error: "met a server error",
  conflict: "met a conflict",
  bad_response: "got an answer nobody can read",
  rate_limited: "told to wait too long",
  overloaded: "found the provider overloaded",
};

/** Of a cost that cannot be told: what would help. */
export const NO_PRICE = "unknown: say what the model costs under `prices:` in millrace.yaml";

/** @returns "31 timed out", "2 no object" */
export const failed = (code: ErrorCode, times: number): string =>
  `${count(times)} ${FAILURES[code] ?? code.replaceAll("_", " ")}`;

const CAUSES: Readonly<Record<string, string>> = {
  requests: "the request limit",
  input: "the input token limit",
  output: "the output token limit",
  tokens: "the token limit",
  pace: "a rate found by refusals",
  pause: "a pause after refusals",
  outage: "an outage",
  concurrency: "a call in flight to end",
  budget: "room under the cap on the cost",
};

/** What holds a call back. */
export const cause = (name: string): string => CAUSES[name] ?? name;
