/**
 * Mistral's chat completions: OpenAI's requests, its own errors and headers. Shapes as in @mistralai/mistralai 2.7
 * (`models/components`); errors 1300 and 1500, the bare 401 and the header names as users quote them
 * (mistralai/client-ts#169, earendil-works/pi#9815, nextcloud/integration_openai#332); the rest after its error glossary.
 */

import type { Answer } from "../answers/answer.ts";
import type { Ask } from "../ask.ts";
import type { Problem, ProblemKind, ProblemReply } from "../problem.ts";
import type { Level, Quota } from "../traffic/quota.ts";
import { readChat } from "./chat.ts";
import { bearer, type Endpoint, event, pieces, type Stamp, type VendorFace } from "./vendor.ts";

const PROBLEMS: Record<ProblemKind, readonly [status: number, type: string, code: string | null, message: string]> = {
  missing_key: [401, "", null, "Unauthorized"],
  bad_key: [401, "", null, "Unauthorized"],
  not_found: [404, "not_found", null, "no Route matched with those values"],
  unknown_model: [400, "invalid_model", "1500", "Invalid model"],
  malformed: [422, "invalid_request_error", null, "Field required"],
  invalid_request: [400, "invalid_request_error", "3051", "The request is invalid"],
  schema_refused: [400, "invalid_request_error", "3051", "Invalid schema"],
  too_large: [413, "invalid_request_error", null, "Request size limit exceeded"],
  filtered: [403, "invalid_request_error", null, "The request was blocked by a guardrail"],
  no_credit: [402, "payment_required", null, "Payment required: the workspace has no credit left"],
  rate_limited: [429, "rate_limited", "1300", "Rate limit exceeded"],
  overloaded: [503, "service_unavailable", null, "Service unavailable: this model is overloaded"],
  timed_out: [408, "timeout", null, "Request timed out"],
  server_error: [500, "internal_server_error", null, "Internal server error"],
  unavailable: [503, "service_unavailable", null, "Service unavailable"],
};

function mistralProblem(problem: Problem): ProblemReply {
  const [status, type, code, standard] = PROBLEMS[problem.kind];
  if (status === 401) return { status, body: { detail: standard } };
  if (status === 422) {
    const msg = problem.message ?? standard;
    return { status, body: { detail: [{ type: "missing", loc: ["body", problem.param ?? ""], msg, input: {} }] } };
  }
  const message = problem.kind === "unknown_model" ? `Invalid model: ${problem.model}` : (problem.message ?? standard);
  const param = problem.param ?? null;
  return { status, body: { object: "error", message, type, param, code, raw_status_code: status } };
}

function usageOf({ usage }: Answer): object {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cached },
  };
}

// Mistral has neither a refusal field nor a filter of its own: the model declines in words.
const FINISH_REASONS = { stop: "stop", length: "length", refusal: "stop", filter: "stop" } as const;

function body(answer: Answer, stamp: Stamp): object {
  const message = { role: "assistant", tool_calls: null, content: answer.text };
  return {
    id: stamp.id,
    object: "chat.completion",
    created: stamp.created,
    model: answer.model,
    choices: [{ index: 0, message, finish_reason: FINISH_REASONS[answer.finish] }],
    usage: usageOf(answer),
  };
}

function events(answer: Answer, _ask: Ask, stamp: Stamp): string[] {
  const opening = { id: stamp.id, object: "chat.completion.chunk", created: stamp.created, model: answer.model };
  const chunk = (delta: object, finish: string | null, more: object = {}) =>
    event({ ...opening, choices: [{ index: 0, delta, finish_reason: finish }], ...more });
  return [
    chunk({ role: "assistant", content: "" }, null),
    ...pieces(answer.text).map((content) => chunk({ content }, null)),
    chunk({ content: "" }, FINISH_REASONS[answer.finish], { usage: usageOf(answer) }),
    event("[DONE]"),
  ];
}

export const mistralChat: Endpoint = {
  read: readChat,
  body,
  events,
  errorEvent: (problem) => event(mistralProblem(problem).body),
};

export const mistral: VendorFace = {
  vendor: "mistral",
  key: bearer,
  problem: mistralProblem,
  idHeaders: (stamp) => ({ "mistral-correlation-id": stamp.id, "x-kong-request-id": stamp.id }),
  statusHeaders: () => ({}),
  retryHeaders: (wait) => ({ "retry-after": String(Math.ceil(wait / 1000)) }),
  limitHeaders(quota: Quota, now, used) {
    const headers: Record<string, string> = {};
    const tell = (name: string, level: Level | undefined) => {
      if (!level) return;
      headers[`x-ratelimit-limit-${name}`] = String(level.perMinute);
      headers[`x-ratelimit-remaining-${name}`] = String(level.remaining);
    };
    tell("req-minute", quota.level("requests", now));
    const tokens = quota.level("tokens", now) ?? quota.level("input", now);
    tell("tokens-minute", tokens);
    if (tokens && used.tokens > 0) headers["x-ratelimit-tokens-query-cost"] = String(used.tokens);
    return headers;
  },
  need: (ask) => ({ input: ask.inputTokens, tokens: ask.inputTokens }),
  settled: (outputTokens) => outputTokens,
  refuseSchema: () => undefined,
  models(names) {
    return { object: "list", data: names.map((name) => this.model(name)) };
  },
  model: (name) => ({
    id: name,
    object: "model",
    created: 1_759_276_800,
    owned_by: "mistralai",
    capabilities: { completion_chat: true },
    max_context_length: 131_072,
    type: "base",
  }),
  defaultModels: ["ministral-8b-latest", "mistral-small-latest", "mistral-large-latest"],
};
