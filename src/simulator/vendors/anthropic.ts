/**
 * Anthropic's Messages API: shapes as in @anthropic-ai/sdk 1.12 (`resources/messages`), errors and limit headers as in
 * its API reference (errors, rate limits).
 */

import type { Answer } from "../answers/answer.ts";
import { isObject, type JsonObject, numberOr, textOf, turnsOf, type Wire } from "../ask.ts";
import type { Problem, ProblemKind, ProblemReply } from "../problem.ts";
import type { Level, LimitName, Quota } from "../traffic/quota.ts";
import { complain } from "./strict.ts";
import { bearer, type Endpoint, event, pieces, type RequestHeaders, type Stamp, type VendorFace } from "./vendor.ts";

const PROBLEMS: Record<ProblemKind, readonly [status: number, type: string, message: string]> = {
  missing_key: [401, "authentication_error", "x-api-key header is required"],
  bad_key: [401, "authentication_error", "invalid x-api-key"],
  not_found: [404, "not_found_error", "Not Found"],
  unknown_model: [404, "not_found_error", "model: unknown"],
  malformed: [400, "invalid_request_error", "The request is malformed"],
  invalid_request: [400, "invalid_request_error", "The request is invalid"],
  schema_refused: [400, "invalid_request_error", "output_config.format.schema: Invalid schema"],
  too_large: [413, "request_too_large", "Request exceeds the maximum size"],
  filtered: [400, "invalid_request_error", "Output blocked by content filtering policy"],
  no_credit: [
    400,
    "invalid_request_error",
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
  ],
  rate_limited: [
    429,
    "rate_limit_error",
    "This request would exceed your account's rate limit. Please try again later.",
  ],
  overloaded: [529, "overloaded_error", "Overloaded"],
  timed_out: [408, "timeout_error", "Request timed out"],
  server_error: [500, "api_error", "Internal server error"],
  unavailable: [503, "api_error", "Service unavailable"],
};

const LIMIT_WORDS: Record<LimitName, string> = {
  requests: "requests",
  input: "input tokens",
  output: "output tokens",
  tokens: "tokens",
};

/** Made before the first refusal: that takes ms, in which calls would be sent that no real server would be late to refuse. */
const GROUPED = new Intl.NumberFormat("en");
GROUPED.format(1_000);

function sentence(problem: Problem): string {
  if (problem.kind === "unknown_model") return `model: ${problem.model}`;
  if (!problem.shortage) return problem.message ?? PROBLEMS[problem.kind][2];
  const { limit, perMinute } = problem.shortage;
  return `This request would exceed the rate limit for your organization of ${GROUPED.format(perMinute)} ${LIMIT_WORDS[limit]} per minute. For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers for current usage. Please reduce the prompt length or the maximum tokens requested, or try again later.`;
}

function problemBody(problem: Problem, stamp: Stamp): object {
  const type = PROBLEMS[problem.kind][1];
  return { type: "error", error: { type, message: sentence(problem) }, request_id: `req_${stamp.id}` };
}

function usageOf({ usage }: Answer): object {
  return {
    input_tokens: usage.input - usage.cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cached,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: usage.output,
    service_tier: "standard",
  };
}

const STOP_REASONS = { stop: "end_turn", length: "max_tokens", refusal: "refusal", filter: "refusal" } as const;

function ending(answer: Answer): object {
  const details = { type: "refusal", category: null, explanation: null };
  const refused = answer.finish === "refusal" || answer.finish === "filter";
  return { stop_reason: STOP_REASONS[answer.finish], stop_sequence: null, stop_details: refused ? details : null };
}

function message(answer: Answer, stamp: Stamp): JsonObject {
  // A refusal comes with what was written before it: here nothing.
  const content = answer.finish === "refusal" ? [] : [{ type: "text", text: answer.text }];
  return {
    id: `msg_${stamp.id}`,
    type: "message",
    role: "assistant",
    model: answer.model,
    content,
    ...ending(answer),
    usage: usageOf(answer),
  };
}

export const anthropicMessages: Endpoint = {
  read(body, headers): Wire | Problem {
    if (headers["anthropic-version"] === undefined) {
      return { kind: "malformed", message: "anthropic-version: header is required" };
    }
    const turns = turnsOf(body.messages);
    if (typeof body.model !== "string") return { kind: "malformed", message: "model: Field required" };
    if (!turns) return { kind: "malformed", message: "messages: Field required" };
    if (typeof body.max_tokens !== "number") return { kind: "malformed", message: "max_tokens: Field required" };
    if (body.max_tokens < 0) return { kind: "malformed", message: "max_tokens: must be greater than or equal to 0" };
    const format = isObject(body.output_config) ? body.output_config.format : undefined;
    const schema = isObject(format) && isObject(format.schema) ? format.schema : undefined;
    return {
      model: body.model,
      system: textOf(body.system),
      turns,
      schema,
      strict: true,
      maxTokens: numberOr(body.max_tokens),
      stream: body.stream === true,
      includeUsage: true,
    };
  },
  body: message,
  events(answer, _ask, stamp) {
    const whole = message(answer, stamp);
    const opening = { ...whole, content: [], stop_reason: null, stop_details: null };
    const usage = { ...usageOf(answer), output_tokens: 1 };
    const texts = answer.finish === "refusal" ? [] : pieces(answer.text);
    const delta = (text: string) => ({
      type: "content_block_delta",
      index: 0,
      delta: { type: "text_delta", text },
    });
    return [
      event({ type: "message_start", message: { ...opening, usage } }, "message_start"),
      event(
        { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
        "content_block_start",
      ),
      event({ type: "ping" }, "ping"),
      ...texts.map((text) => event(delta(text), "content_block_delta")),
      event({ type: "content_block_stop", index: 0 }, "content_block_stop"),
      event({ type: "message_delta", delta: ending(answer), usage: usageOf(answer) }, "message_delta"),
      event({ type: "message_stop" }, "message_stop"),
    ];
  },
  errorEvent: (problem, stamp) => event(problemBody(problem, stamp), "error"),
};

/** The sum of two limits, told where there is none on all tokens together. */
function sumOf(a: Level | undefined, b: Level | undefined): Level | undefined {
  if (!a || !b) return undefined;
  return {
    perMinute: a.perMinute + b.perMinute,
    remaining: a.remaining + b.remaining,
    reset: Math.max(a.reset, b.reset),
  };
}

export const anthropic: VendorFace = {
  vendor: "anthropic",
  key(headers: RequestHeaders) {
    const key = headers["x-api-key"];
    return typeof key === "string" ? key : bearer(headers);
  },
  problem: (problem, stamp): ProblemReply => ({
    status: PROBLEMS[problem.kind][0],
    body: problemBody(problem, stamp),
  }),
  idHeaders: (stamp) => ({ "request-id": `req_${stamp.id}` }),
  statusHeaders(status): Record<string, string> {
    if (status < 400) return {};
    const again = status === 408 || status === 409 || status === 429 || status >= 500;
    return { "x-should-retry": String(again) };
  },
  retryHeaders: (wait) => ({ "retry-after": String(Math.ceil(wait / 1000)) }),
  limitHeaders(quota: Quota, now) {
    const headers: Record<string, string> = {};
    const tell = (name: string, level: Level | undefined, step: number) => {
      if (!level) return;
      const prefix = `anthropic-ratelimit-${name}`;
      headers[`${prefix}-limit`] = String(level.perMinute);
      headers[`${prefix}-remaining`] = String(Math.round(level.remaining / step) * step);
      // Whole seconds, as RFC 3339 has it and the vendor sends it.
      headers[`${prefix}-reset`] = new Date(Math.ceil((now + level.reset) / 1000) * 1000)
        .toISOString()
        .replace(".000", "");
    };
    const input = quota.level("input", now);
    const output = quota.level("output", now);
    tell("requests", quota.level("requests", now), 1);
    tell("input-tokens", input, 1000);
    tell("output-tokens", output, 1000);
    tell("tokens", quota.level("tokens", now) ?? sumOf(input, output), 1000);
    return headers;
  },
  need: (ask, cached) => ({ input: ask.inputTokens - cached, tokens: ask.inputTokens - cached }),
  settled: (outputTokens) => outputTokens,
  refuseSchema(wire) {
    const complaint = complain(wire.schema, false);
    if (!complaint) return undefined;
    const message =
      "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false";
    return { kind: "schema_refused", message };
  },
  models(names) {
    const data = names.map((name) => this.model(name));
    return { data, has_more: false, first_id: names[0] ?? null, last_id: names.at(-1) ?? null };
  },
  model: (name) => ({ type: "model", id: name, display_name: name, created_at: "2025-10-01T00:00:00Z" }),
  defaultModels: ["claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-5"],
};
