/** What a refusal means: pure rules on its status, its words and its headers. The first rule that fits decides. */

import type { ErrorCode } from "../errors.ts";
import type { Refusal } from "./refusal.ts";

interface Rule {
  readonly code: ErrorCode;
  when(refusal: Refusal): boolean;
}

/** Statuses that say "this request is wrong" and leave the rest to the words. */
const WRONG = new Set([400, 403, 413, 422]);

function anyOf(...phrases: readonly RegExp[]): RegExp {
  return new RegExp(phrases.map(({ source }) => source).join("|"));
}

/**
 * No money left, by the vendors' own codes and sentences: OpenAI's four kinds of `insufficient_quota`; Anthropic's 400s
 * "Your credit balance is too low" and "You have reached your specified API usage limits".
 */
const NO_CREDIT = anyOf(
  /insufficient[_ ](?:quota|credits?|balance|funds)/,
  /credit[_ ]balance/,
  /(?:spend|usage)_limit_exceeded/,
  /billing_(?:hard_limit|not_active|error)/,
  /reached your specified (?:\w+ )?api usage limit/,
);

/** Words of money that a rate limit may use as well, so that they count only where no wait is named. */
const MONEY = /billing|exceeded your current quota|spend(?:ing)?[ _]limit|usage[ _]limit|out of credits?/;

/** "Please try again in 6m0s": it is a matter of time. */
const NAMES_A_WAIT = /(?:try again|retry) (?:in|after) \d|rate_limit_exceeded/;

const FILTERED = /content[ _-]?(?:filter|polic|management)|responsible_?ai|flagged|moderation/;

const TOO_LONG = anyOf(
  /context[ _](?:length|window|size|limit)|maximum context/,
  /(?:prompt|input|request|string) (?:is )?too (?:long|large)|too large for model/,
  /string_above_max_length|request_too_large|too many (?:input )?tokens/,
);

/**
 * 429s that no wait cures: OpenAI's "Request too large for … on tokens per min (TPM): Limit …, Requested …", Anthropic's
 * "Extra usage is required for long context requests".
 */
const NEVER_FITS = /request too large|long context requests/;

const NO_MODEL =
  /model_not_found|(?:invalid|unknown)[ _]model|model\b.{0,120} (?:does not exist|not found|is not available)/;

const SCHEMA =
  /response_?format|json_?schema|output_config|output_format|text\.format|structured[ _]outputs?|\bschema\b|grammar/;

/** The parameter that is wrong is a message: its text may well speak of schemas. */
const OF_A_MESSAGE = /\bmessages\[\d+\]|\binput\[\d+\]/;

const OVERLOADED = /overloaded|slow_down/;

const RULES: readonly Rule[] = [
  { code: "no_credit", when: ({ status, words }) => status === 402 || (status < 500 && NO_CREDIT.test(words)) },
  {
    code: "request_too_large",
    when: ({ status, words }) => status === 413 || (status === 429 && NEVER_FITS.test(words)),
  },
  {
    code: "no_credit",
    when: ({ status, words, retryAfter }) =>
      status === 429 && retryAfter === undefined && MONEY.test(words) && !NAMES_A_WAIT.test(words),
  },
  { code: "rate_limited", when: ({ status }) => status === 429 },
  { code: "authentication_failed", when: ({ status }) => status === 401 },
  { code: "timeout", when: ({ status }) => status === 408 },
  { code: "conflict", when: ({ status }) => status === 409 },
  { code: "conflict", when: ({ status }) => status === 425 },
  { code: "overloaded", when: ({ status }) => status === 498 },
  { code: "permission_denied", when: ({ words }) => /must be verified to use/.test(words) },
  {
    code: "unknown_model",
    when: ({ status, words }) => status === 404 || (status === 403 && /model_not_found/.test(words)),
  },
  { code: "content_filtered", when: ({ status, words }) => WRONG.has(status) && FILTERED.test(words) },
  { code: "permission_denied", when: ({ status }) => status === 403 },
  { code: "request_too_large", when: ({ status, words }) => WRONG.has(status) && TOO_LONG.test(words) },
  {
    code: "schema_rejected",
    when: ({ status, words }) => WRONG.has(status) && SCHEMA.test(words) && !OF_A_MESSAGE.test(words),
  },
  { code: "unknown_model", when: ({ status, words }) => WRONG.has(status) && NO_MODEL.test(words) },
  { code: "overloaded", when: ({ status, words }) => status === 529 || (status >= 500 && OVERLOADED.test(words)) },
  { code: "overloaded", when: ({ status, retryAfter }) => status === 503 && retryAfter !== undefined },
  { code: "server_error", when: ({ status }) => status >= 500 },
  { code: "invalid_request", when: ({ status }) => status >= 400 },
];

/** Redirects and what else no rule fits are `bad_response`: what answered is not the vendor's API. */
export function verdict(refusal: Refusal): ErrorCode {
  return RULES.find((rule) => rule.when(refusal))?.code ?? "bad_response";
}

/** A compatible server that says it knows no schemas, rather than that this one is wrong. */
export function knowsNoSchemas(refusal: Refusal): boolean {
  return (
    verdict(refusal) === "schema_rejected" &&
    !/invalid (?:json )?schema|schema is (?:invalid|not valid)/.test(refusal.words)
  );
}

/** "50 requests per minute", "80,000 output tokens per minute", "tokens per min (TPM)". */
const A_MINUTE = /(?:(output|input|prompt)[ _-]?)?(tokens|requests)[ _-]?(?:per|\/)[ _-]?(?:min|sec|hour|day)/;

/**
 * Which limit a 429 speaks of. What stands before "per minute" is it: Anthropic goes on with the advice to lower "the maximum
 * tokens requested", whichever it was.
 */
export function limitOf({ words }: Refusal): "requests" | "input" | "output" | "tokens" | undefined {
  const [said = words] = A_MINUTE.exec(words) ?? [];
  if (/output[ _-]?tokens/.test(said)) return "output";
  if (/(?:input|prompt)[ _-]?tokens/.test(said)) return "input";
  if (/tokens/.test(said)) return "tokens";
  return /requests/.test(said) ? "requests" : undefined;
}

/** A compatible server that does not know how to tell the usage of a stream. */
export const knowsNoStreamOptions = ({ status, words }: Refusal): boolean =>
  WRONG.has(status) && /stream_?options|include_usage/.test(words);
