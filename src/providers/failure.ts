/** From what went wrong on the wire to a `MillraceError` that says what happened, where, and what to do next. */

import { type ErrorCode, failure, isMillraceError, type MillraceError } from "../errors.ts";
import type { AnswerHeaders } from "../http/answer.ts";
import { limitHeaders, requestIdOf } from "./limit-headers.ts";
import type { Refusal } from "./refusal.ts";
import type { Settings } from "./settings.ts";
import { limitOf, verdict } from "./verdict.ts";

/** Vendors quote requests in their messages; so much of one is shown, in characters. */
const LONGEST_QUOTE = 300;

export function refused(refusal: Refusal, settings: Settings): MillraceError {
  const code = verdict(refusal);
  const { midway = false, type, headers, retryAfter } = refusal;
  const status = midway ? 200 : refusal.status;
  const what = midway ? [type ?? "An error", "in the middle of a streamed answer"] : [status, type];
  const head = [...what, "from", settings.label].filter((part) => part !== undefined).join(" ");
  const said = quote(refusal.message || "no explanation", settings);
  return failure(code, `${head}: ${said} ${advice(code, settings, headers)}`.trim(), {
    status,
    retryAfter,
    shouldRetry: readShouldRetry(headers),
    requestId: requestIdOf(headers),
    limit: code === "rate_limited" ? limitOf(refusal) : undefined,
    limits: limitHeaders(headers),
  });
}

function readShouldRetry(headers: AnswerHeaders): boolean | undefined {
  const said = headers.get("x-should-retry");
  return said === "true" ? true : said === "false" ? false : undefined;
}

/** One line, without the key, without control characters, ending in a full stop. */
export function quote(text: string, { redact }: Pick<Settings, "redact">): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they could steer the reader's terminal.
  const line = redact(text.replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, " ")).trim();
  const cut = line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE - 1)}…` : line;
  return /[.!?…]$/.test(cut) ? cut : `${cut}.`;
}

function advice(code: ErrorCode, settings: Settings, headers: AnswerHeaders): string {
  const { vendor, model, baseURL } = settings;
  switch (code) {
    case "authentication_failed":
      return `Check ${vendor.keyVariable}.`;
    case "permission_denied":
      return `Check that the key's project and region may use "${model}".`;
    case "unknown_model":
      return `Check the model's name ("${model}") and the base URL (${baseURL})${unversioned(settings)}.`;
    case "no_credit":
      return "Add credit or raise the spend limit there, then run the same command again.";
    case "schema_rejected":
      return "Change the schema: plain objects, with every property required, are understood everywhere.";
    case "request_too_large":
      return "The record is too long for this model and its limits: shorten it, or take a model with a larger context.";
    case "bad_response":
      return headers.has("location")
        ? `Check the base URL (${baseURL}): it redirects.`
        : `Check the base URL (${baseURL}).`;
    default:
      return "";
  }
}

/** OpenAI's, unlike the others', is given with its version: a frequent slip. */
const unversioned = ({ vendor, baseURL }: Settings): string =>
  vendor.name === "openai" && !/\/v\d/.test(baseURL) ? ", which most servers want with /v1 at its end" : "";

/** Codes of the system and of undici whose cause is a timer; all others of theirs mean a lost connection. */
const TIMERS = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

/** For the codes that say little by themselves. */
const CONNECTION_ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Nothing listens there: check the base URL.",
  ENOTFOUND: "The name is not known: check the base URL and the network.",
  UND_ERR_CONNECT_TIMEOUT: "It did not accept a connection in time.",
};

/** What the transport or the SDK threw; a `MillraceError` passes as it is. */
export function broken(thrown: unknown, settings: Settings): MillraceError {
  const chain = causes(thrown);
  const ours = chain.find(isMillraceError);
  if (ours !== undefined) return ours;
  const label = settings.label;
  const transport = chain.find((error) => typeof codeOf(error) === "string");
  const code = codeOf(transport);
  if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE") {
    return failure("bad_response", `The answer from ${label} is longer than any completion.`);
  }
  // With a code or without: it holds what came, so it is no cause either.
  if (chain.some((error) => error instanceof Error && error.name === "HTTPParserError")) {
    return failure(
      "bad_response",
      `What answers for ${label} does not speak HTTP. Check the base URL (${settings.baseURL}).`,
    );
  }
  if (code !== undefined) {
    const who = settings.official ? settings.vendor.label : "the server";
    const why = quote(messageOf(transport) || code, settings);
    const said = `The connection to ${who} at ${settings.address} failed: ${why}`;
    const kind = TIMERS.has(code) ? "timeout" : "connection_failed";
    return failure(kind, `${said} ${CONNECTION_ADVICE[code] ?? ""}`.trim(), { cause: transport });
  }
  if (chain.some((error) => error instanceof SyntaxError)) {
    // Its message quotes the body, so it is neither shown nor kept; so does undici's parser error above.
    return failure("bad_response", `The answer from ${label} is not JSON. Check the base URL (${settings.baseURL}).`, {
      status: 200,
    });
  }
  // Whatever else an SDK throws, it threw over an answer. Its message may quote that, so only its name is told.
  const names = chain.map((error) => (error instanceof Error ? error.constructor.name : typeof error));
  return failure("bad_response", `The answer from ${label} could not be read (${names.join(" from ")}).`);
}

const codeOf = (error: unknown): string | undefined => {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" &&
    /^(?:E(?!RR_)[A-Z_]+$|UND_ERR_|CERT_|ERR_SSL|ERR_TLS|DEPTH_|SELF_|UNABLE_)/.test(code)
    ? code
    : undefined;
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : "");

/** The error and its causes, outermost first; at most eight, since a chain may bite its tail. */
function causes(thrown: unknown): unknown[] {
  const chain: unknown[] = [];
  let next = thrown;
  while (next !== undefined && next !== null && chain.length < 8) {
    chain.push(next);
    next = typeof next === "object" && "cause" in next ? next.cause : undefined;
  }
  return chain;
}
