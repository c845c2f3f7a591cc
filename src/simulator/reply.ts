/** Turns a decision into what goes over the wire: status, headers, body, and the manner of sending it. */

import type { Decision } from "./decide.ts";
import type { Manner, Pace, Reply } from "./deliver.ts";
import type { Settings } from "./options.ts";
import type { FaultName } from "./traffic/faults.ts";
import type { Stamp } from "./vendors/vendor.ts";

export interface Sending {
  readonly reply: Reply;
  readonly pace: Pace;
  /** The client gets at least a part of an answer of the model, so its tokens are billed. */
  readonly billed: boolean;
}

/** What a 429 that no limit caused asks for, ms. */
const FAULT_WAIT = 100;

const MANNERS: Partial<Record<FaultName, Manner>> = {
  resetBeforeHeaders: "resetFirst",
  resetMidBody: "reset",
  hang: "never",
  cutBody: "cut",
  slowDrip: "drip",
  stallMidBody: "stall",
};

const HTML = "<!doctype html>\n<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n";

const JSON_TYPE = { "content-type": "application/json" };

export function sendingOf(decision: Decision, stamp: Stamp, settings: Settings, now: number): Sending {
  const { problem, fault } = decision;
  if (problem) {
    const { status, body } = decision.route.face.problem(problem, stamp);
    const headers = { ...headersOf(decision, stamp, settings, now), ...retryHeaders(decision, settings, now) };
    const more = { ...JSON_TYPE, ...decision.route.face.statusHeaders(status) };
    const reply = { status, headers: { ...headers, ...more }, body: JSON.stringify(body) };
    return { reply, pace: { manner: "whole", interval: 0 }, billed: false };
  }
  if (fault === "htmlBody") {
    const reply = { status: 200, headers: { "content-type": "text/html; charset=utf-8" }, body: HTML };
    return { reply, pace: { manner: "whole", interval: 0 }, billed: false };
  }
  const manner = (fault && MANNERS[fault]) ?? "whole";
  const billed = manner !== "never" && manner !== "resetFirst";
  const { body, type } = bodyOf(decision, stamp);
  // The output counts against its limit before the headers tell what is left.
  const output = decision.answer?.usage.output ?? 0;
  if (billed) decision.quota?.settle({ output, tokens: decision.route.face.settled(output) }, now);
  const headers = { ...headersOf(decision, stamp, settings, now), "content-type": type };
  return {
    reply: { status: 200, headers, body },
    pace: { manner, interval: intervalOf(decision, settings, body) },
    billed,
  };
}

function bodyOf(decision: Decision, stamp: Stamp): { body: string | readonly string[]; type: string } {
  const { answer, ask, fault, route } = decision;
  if (!answer || !ask || !route.endpoint) return { body: "", type: "text/plain" };
  if (!ask.stream) {
    const whole = JSON.stringify(route.endpoint.body(answer, stamp));
    // A body of the right length that ends in the middle: what a broken proxy makes of it.
    return { body: fault === "invalidJsonBody" ? whole.slice(0, whole.length >> 1) : whole, type: "application/json" };
  }
  const events = route.endpoint.events(answer, ask, stamp);
  const half = events.slice(0, Math.ceil(events.length / 2));
  const type = "text/event-stream; charset=utf-8";
  if (fault === "invalidJsonBody") return { body: [...half, 'data: {"id": "cut\n\n'], type };
  if (fault !== "streamError") return { body: events, type };
  return { body: [...half, route.endpoint.errorEvent({ kind: "overloaded" }, stamp)], type };
}

/** Between two parts of the body, ms. */
function intervalOf(decision: Decision, settings: Settings, body: string | readonly string[]): number {
  if (decision.fault === "slowDrip") return settings.dripInterval;
  const tokens = decision.answer?.usage.output ?? 0;
  return typeof body === "string" ? 0 : (settings.msPerOutputToken * tokens) / Math.max(1, body.length);
}

function headersOf(
  { route, quota, answer }: Decision,
  stamp: Stamp,
  settings: Settings,
  now: number,
): Record<string, string> {
  const tokens = answer ? answer.usage.input + answer.usage.output : 0;
  const limits = settings.headers && quota ? route.face.limitHeaders(quota, now, { tokens }) : {};
  return { ...route.face.idHeaders(stamp), ...limits };
}

function retryHeaders({ problem, route }: Decision, settings: Settings, now: number): Record<string, string> {
  const { retryAfter } = settings;
  if (problem?.kind !== "rate_limited" || retryAfter === false) return {};
  if (typeof retryAfter === "number") return { "retry-after": String(retryAfter) };
  const wait = problem.shortage?.wait ?? FAULT_WAIT;
  if (wait === Number.POSITIVE_INFINITY) return {};
  if (retryAfter === true) return route.face.retryHeaders(wait);
  // HTTP dates have whole seconds: the next one, so that nobody comes back too early.
  return { "retry-after": new Date(Math.ceil((now + wait) / 1000) * 1000).toUTCString() };
}
