/**
 * What OpenAI's endpoints share: keys, errors, limits, models. Errors as in its guide on error codes and in what users
 * quote of them; limit headers as in its guide on rate limits.
 */

import type { Wire } from "../ask.ts";
import type { Problem, ProblemKind, ProblemReply } from "../problem.ts";
import type { Level, Quota } from "../traffic/quota.ts";
import { complain } from "./strict.ts";
import { bearer, type VendorFace } from "./vendor.ts";

type Words = readonly [status: number, type: string, code: string | null, message: string];

const PROBLEMS: Record<ProblemKind, Words> = {
  missing_key: [
    401,
    "invalid_request_error",
    null,
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
  ],
  bad_key: [401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided"],
  not_found: [404, "invalid_request_error", "unknown_url", "Invalid URL"],
  unknown_model: [404, "invalid_request_error", "model_not_found", "The model does not exist"],
  malformed: [400, "invalid_request_error", null, "The request is malformed"],
  invalid_request: [400, "invalid_request_error", null, "The request is invalid"],
  schema_refused: [400, "invalid_request_error", null, "Invalid schema"],
  too_large: [413, "invalid_request_error", null, "Maximum content size limit exceeded"],
  filtered: [
    400,
    "invalid_request_error",
    "content_policy_violation",
    "Your request was rejected by the safety system.",
  ],
  no_credit: [
    429,
    "insufficient_quota",
    "insufficient_quota",
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
  ],
  rate_limited: [429, "requests", "rate_limit_exceeded", "Rate limit reached"],
  overloaded: [
    503,
    "service_unavailable_error",
    "server_is_overloaded",
    "The server is currently overloaded with other requests. Sorry about that! Please retry your request.",
  ],
  timed_out: [408, "server_error", null, "Request timed out."],
  server_error: [500, "server_error", null, "The server had an error while processing your request. Sorry about that!"],
  unavailable: [503, "server_error", null, "Service unavailable."],
};

/** As Go's `time.Duration` prints it: `12ms`, `1.5s`, `6m0s`, `1h0m0s`. */
export function goDuration(ms: number): string {
  if (ms < 1) return "0s";
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms) / 1000;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = `${Number((seconds % 60).toFixed(3))}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}

function sentence(problem: Problem): string {
  const { kind, keyTail, model, shortage } = problem;
  if (kind === "bad_key") {
    return `Incorrect API key provided: ****${keyTail}. You can find your API key at https://platform.openai.com/account/api-keys.`;
  }
  if (kind === "unknown_model") return `The model \`${model}\` does not exist or you do not have access to it.`;
  if (!shortage) return problem.message ?? PROBLEMS[kind][3];
  const what = shortage.limit === "requests" ? "requests per min (RPM)" : "tokens per min (TPM)";
  const where = `for ${model} in organization org-simulator on ${what}: Limit ${shortage.perMinute}`;
  const more = "Visit https://platform.openai.com/account/rate-limits to learn more.";
  if (shortage.wait === Number.POSITIVE_INFINITY) {
    return `Request too large ${where}, Requested ${shortage.requested}. The input or output tokens must be reduced in order to run successfully. ${more}`;
  }
  const again = goDuration(shortage.wait);
  return `Rate limit reached ${where}, Used ${shortage.used}, Requested ${shortage.requested}. Please try again in ${again}. ${more}`;
}

export function openaiProblem(problem: Problem): ProblemReply {
  const [status, type, code] = PROBLEMS[problem.kind];
  const limited = problem.shortage && problem.shortage.limit !== "requests" ? "tokens" : type;
  const error = { message: sentence(problem), type: limited, param: problem.param ?? null, code };
  return { status, body: { error } };
}

function refuseSchema(wire: Wire, param: string): Problem | undefined {
  if (!wire.strict || wire.schema === undefined) return undefined;
  const start = "Invalid schema for response_format:";
  if (wire.schema.type !== "object") {
    const message = `${start} schema must be a JSON Schema of 'type: "object"', got 'type: "${wire.schema.type}"'.`;
    return { kind: "schema_refused", message, param };
  }
  const complaint = complain(wire.schema, true);
  if (!complaint) return undefined;
  const context = `In context=(${complaint.path.map((name) => `'${name}'`).join(", ")})`;
  const rule =
    complaint.rule === "closed"
      ? "'additionalProperties' is required to be supplied and to be false."
      : `'required' is required to be supplied and to be an array including every key in properties. Missing '${complaint.property}'.`;
  return { kind: "schema_refused", message: `${start} ${context}, ${rule}`, param };
}

export const openai: VendorFace = {
  vendor: "openai",
  key: bearer,
  problem: openaiProblem,
  idHeaders: (stamp) => ({
    "x-request-id": `req_${stamp.id}`,
    "openai-processing-ms": "1",
    "openai-version": "2020-10-01",
  }),
  statusHeaders: () => ({}),
  retryHeaders: (wait) => ({
    "retry-after": String(Math.ceil(wait / 1000)),
    "retry-after-ms": String(Math.ceil(wait)),
  }),
  limitHeaders(quota: Quota, now) {
    const headers: Record<string, string> = {};
    const tell = (name: string, level: Level | undefined) => {
      if (!level) return;
      headers[`x-ratelimit-limit-${name}`] = String(level.perMinute);
      headers[`x-ratelimit-remaining-${name}`] = String(level.remaining);
      headers[`x-ratelimit-reset-${name}`] = goDuration(level.reset);
    };
    tell("requests", quota.level("requests", now));
    tell("tokens", quota.level("tokens", now) ?? quota.level("input", now));
    return headers;
  },
  // "The maximum of max_tokens and the estimated number of tokens based on the character count": cached parts count.
  need: (ask) => ({ input: ask.inputTokens, tokens: Math.max(ask.maxTokens ?? 0, ask.inputTokens) }),
  settled: () => 0,
  refuseSchema: (wire) => refuseSchema(wire, "response_format"),
  models(names) {
    return { object: "list", data: names.map((name) => this.model(name)) };
  },
  model: (name) => ({ id: name, object: "model", created: 1_759_276_800, owned_by: "openai" }),
  defaultModels: ["gpt-5-nano", "gpt-5-mini", "gpt-5"],
};
