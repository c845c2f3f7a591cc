/** What becomes of a call: everything is decided here, at once, before anything is waited for or sent. */

import { type Answer, answerTo, canSpoil, type Twist } from "./answers/answer.ts";
import { type Ask, askOf, isObject } from "./ask.ts";
import type { Ledger, LedgerEntry, Outcome } from "./ledger.ts";
import type { Settings } from "./options.ts";
import { isProblem, type Problem, type ProblemKind } from "./problem.ts";
import { type Route, withModel } from "./routes.ts";
import { drawFault, type FaultName, isContentFault } from "./traffic/faults.ts";
import { drawLatency } from "./traffic/latency.ts";
import { Quota } from "./traffic/quota.ts";
import type { Texts } from "./traffic/texts.ts";
import type { RequestHeaders } from "./vendors/vendor.ts";

/** What the simulator knows when a call comes in. */
export interface World {
  settings: Settings;
  readonly ledger: Ledger;
  readonly texts: Texts;
  readonly quotas: Map<string, Quota>;
  /** Calls being answered now: what the knee is about. */
  working: number;
}

export interface Call {
  readonly route: Route;
  readonly headers: RequestHeaders;
  readonly key: string | undefined;
  /** Undefined: larger than `maxBodyBytes`. */
  readonly body: string | undefined;
  readonly entry: LedgerEntry;
}

export interface Decision {
  readonly route: Route;
  readonly outcome: Outcome;
  readonly quota: Quota | undefined;
  /** Sent instead of an answer. */
  readonly problem?: Problem;
  readonly answer?: Answer;
  readonly ask?: Ask;
  readonly fault?: FaultName | undefined;
  /** Before the first byte, ms. */
  readonly wait: number;
}

/** Accounts whose limits are kept; more keys than that push the oldest out. */
const MAX_QUOTAS = 10_000;

/** Fault by fault: what is sent in its place, when that is a problem. */
const FAULT_PROBLEMS: Partial<Record<FaultName, ProblemKind>> = {
  error500: "server_error",
  error503: "unavailable",
  overloaded529: "overloaded",
  rateLimit429: "rate_limited",
  timeout408: "timed_out",
};

function quotaOf(world: World, { route, key }: Pick<Call, "route" | "key">, now: number): Quota | undefined {
  const { limits } = world.settings;
  const isLimited = Object.keys(limits).some((name) => name.endsWith("PerMinute"));
  if (!isLimited) return undefined;
  const account = limits.scope === "vendor" ? route.face.vendor : `${route.face.vendor} ${key}`;
  const known = world.quotas.get(account);
  if (known) return known;
  const quota = new Quota(limits, now);
  world.quotas.set(account, quota);
  if (world.quotas.size > MAX_QUOTAS) world.quotas.delete(world.quotas.keys().next().value ?? "");
  return quota;
}

/** Whether the key may be used; what the vendor says when it may not. */
export function keyProblem(key: string | undefined, settings: Settings): Problem | undefined {
  if (key === undefined || key === "") return { kind: "missing_key" };
  if (settings.apiKeys && !settings.apiKeys.includes(key)) return { kind: "bad_key", keyTail: key.slice(-4) };
  return undefined;
}

export const isKnownModel = (model: string, settings: Settings): boolean =>
  settings.models ? settings.models.includes(model) : !model.startsWith("unknown");

export function decide(world: World, call: Call, now: number): Decision {
  const refused = (problem: Problem, route = call.route, quota?: Quota): Decision => ({
    route,
    outcome: problem.kind,
    problem,
    quota,
    wait: 0,
  });
  const badKey = keyProblem(call.key, world.settings);
  if (badKey) return refused(badKey);
  const read = readAsk(call);
  if (isProblem(read)) return refused(read, "route" in read ? read.route : call.route);
  const { ask, route } = read;
  const attempt = world.texts.see(ask.text);
  Object.assign(call.entry, { vendor: route.face.vendor, model: ask.model, text: ask.text, id: ask.id, attempt });
  const problem = refusal(world, ask, route);
  if (problem) return refused(problem, route);
  if (world.working >= world.settings.knee) return refused({ kind: "overloaded" }, route);
  const quota = quotaOf(world, { route, key: call.key }, now);
  const cached = Math.min(world.settings.cachedTokens, ask.inputTokens);
  const shortage = quota?.admit(route.face.need(ask, cached), now);
  if (shortage) return refused({ kind: "rate_limited", shortage, model: ask.model }, route, quota);
  return { ...answered(world, ask, route), route, quota };
}

function readAsk(call: Call): { ask: Ask; route: Route } | (Problem & { route: Route }) {
  const { route } = call;
  if (call.body === undefined) return { kind: "too_large", route };
  let body: unknown;
  try {
    body = JSON.parse(call.body);
  } catch {
    return { kind: "invalid_request", message: "We could not parse the JSON body of your request.", route };
  }
  if (!isObject(body)) return { kind: "invalid_request", message: "The body must be a JSON object.", route };
  const settled = withModel(route, body.model);
  const wire = settled.endpoint?.read(body, call.headers) ?? { kind: "not_found" as const };
  return isProblem(wire) ? { ...wire, route: settled } : { ask: askOf(wire), route: settled };
}

/** What is wrong with this request whenever it comes. */
function refusal(world: World, ask: Ask, route: Route): Problem | undefined {
  const { settings } = world;
  if (!isKnownModel(ask.model, settings)) return { kind: "unknown_model", model: ask.model };
  if (settings.strictSchemas) {
    const problem = route.face.refuseSchema(ask);
    if (problem) return problem;
  }
  if (contains(ask, settings.poison)) {
    return { kind: "invalid_request", message: "The request was rejected: it contains what this model cannot take." };
  }
  // Anthropic answers filtered output with an error; the others with an answer.
  if (contains(ask, settings.filter) && route.face.vendor === "anthropic") return { kind: "filtered" };
  return world.ledger.tokensBilled >= settings.credit ? { kind: "no_credit" } : undefined;
}

const contains = (ask: Ask, marker: string | undefined): boolean => Boolean(marker) && ask.userText.includes(marker!);

/** The fault of this draw, if it applies to this request and the text has not had its share. */
function drawn(world: World, ask: Ask, draw: number): FaultName | undefined {
  const { faults, seed, persistent } = world.settings;
  const fault = drawFault(faults, seed, { text: ask.text, draw });
  if (fault === "wrongSchema" && !canSpoil(ask)) return undefined;
  if (fault === "streamError" && !ask.stream) return undefined;
  if (!isContentFault(fault)) return fault;
  if (world.texts.isSpoiled(ask.text) && !persistent) return undefined;
  world.texts.spoil(ask.text);
  return fault;
}

function twistOf(world: World, ask: Ask, { route, fault }: { route: Route; fault: FaultName | undefined }): Twist {
  if (contains(ask, world.settings.refuse)) return "refusal";
  // Mistral has no filter of its own: its model declines.
  if (contains(ask, world.settings.filter)) return route.face.vendor === "mistral" ? "refusal" : "filter";
  return fault === "wrongSchema" || fault === "maxTokensCut" || fault === "refusal" ? fault : undefined;
}

function answered(world: World, ask: Ask, route: Route): Omit<Decision, "route" | "quota"> {
  const { settings } = world;
  const draw = world.texts.draw(ask.text);
  const fault = drawn(world, ask, draw);
  const wait = drawLatency(settings.latency, settings.seed, ask.text, draw);
  const kind = fault && FAULT_PROBLEMS[fault];
  if (kind) return { outcome: fault, problem: { kind, model: ask.model }, fault, wait };
  const twist = twistOf(world, ask, { route, fault });
  const answer = answerTo(ask, { ...settings, twist });
  const spent = ask.stream ? 0 : answer.usage.output * settings.msPerOutputToken;
  return { outcome: fault ?? "answered", answer, ask, fault, wait: wait + spent };
}
