/** What to do after a failed attempt: pure decisions on numbers, so that every case can be tested without waiting. */

import { failure, type MillraceError } from "../errors.ts";

export interface RetryPolicy {
  /** Further attempts after faults (resets, 5xx, timeouts, broken bodies). */
  readonly maxRetries: number;
  /** Ceiling of the first back-off in ms; it doubles with each further one. */
  readonly retryBaseDelay: number;
  /** The longest that one record may spend in waits its provider asked for, in ms. */
  readonly maxWait: number;
}

/** What one record has been through. */
export interface History {
  /** When it first came, ms on the clock of the process. */
  readonly since: number;
  /** Calls sent. */
  attempts: number;
  retries: number;
  waits: number;
  /** Time spent in waits that its provider asked for, ms. */
  waitedMs: number;
}

type Tries = Readonly<Omit<History, "since">>;

export const noHistory = (now: number): History => ({ since: now, attempts: 0, retries: 0, waits: 0, waitedMs: 0 });

export type Step =
  /** `askedMs` is the part of the delay that the provider asked for. */
  | { readonly action: "retry" | "wait"; readonly delayMs: number; readonly askedMs: number }
  | { readonly action: "fail"; readonly error: MillraceError };

/** No back-off of ours is longer than this, in ms; one that the provider names may be. */
const LONGEST_BACK_OFF = 30_000;

/** Spread over a named wait, so that those told the same do not come back as one: this part of it, at most 5 s. */
const HINT_SPREAD = 0.1;

/** Ceiling of the first wait without a hint, in ms. */
const UNHINTED_BASE = 1_000;

/** After so many waits of one record, a hint is a lower bound only. */
const TRUSTED_HINTS = 4;

/**
 * Full jitter (any delay from 0 to the ceiling) spreads retries best: Brooker, "Exponential Backoff And Jitter",
 * AWS Architecture Blog, 2015.
 */
export function backOff(base: number, times: number, random: () => number): number {
  return random() * Math.min(LONGEST_BACK_OFF, base * 2 ** Math.min(times, 30));
}

const afterHint = (hint: number, random: () => number): number => hint + random() * Math.min(5_000, hint * HINT_SPREAD);

export function nextStep(error: MillraceError, history: Tries, policy: RetryPolicy, random = Math.random): Step {
  if (error.scope === "wait") return waitStep(error, history, policy, random);
  if (error.shouldRetry === false) return { action: "fail", error };
  if (error.scope === "retry" || (error.scope === "record" && error.shouldRetry === true)) {
    if (history.retries >= policy.maxRetries) return { action: "fail", error };
    const backedOff = backOff(policy.retryBaseDelay, history.retries, random);
    const hinted = error.retryAfter === undefined ? 0 : afterHint(error.retryAfter, random);
    const waited = history.waitedMs + (error.retryAfter ?? 0);
    if (waited > policy.maxWait) return { action: "fail", error: tooLong(error, waited, policy) };
    return { action: "retry", delayMs: Math.max(backedOff, hinted), askedMs: hinted };
  }
  return { action: "fail", error };
}

function waitStep(error: MillraceError, history: Tries, policy: RetryPolicy, random: () => number): Step {
  // A hint is obeyed; but one that has been wrong before (`retry-after: 0` for ever) must not become a hot loop.
  const hinted = error.retryAfter === undefined ? 0 : afterHint(error.retryAfter, random);
  const untrusted = history.waits - (error.retryAfter === undefined ? 0 : TRUSTED_HINTS);
  const backedOff = untrusted < 0 ? 0 : backOff(Math.max(policy.retryBaseDelay, UNHINTED_BASE), untrusted, random);
  const delayMs = Math.max(hinted, backedOff);
  if (history.waitedMs + (error.retryAfter ?? delayMs) > policy.maxWait) {
    return { action: "fail", error: tooLong(error, history.waitedMs + delayMs, policy) };
  }
  return { action: "wait", delayMs, askedMs: delayMs };
}

function tooLong(error: MillraceError, needed: number, policy: RetryPolicy): MillraceError {
  const seconds = (ms: number) => `${Math.round(ms / 1_000)} s`;
  return failure(
    "max_wait_exceeded",
    `${error.message} Waiting for it would take ${seconds(needed)} for one record, longer than the longest wait allowed ` +
      `(${seconds(policy.maxWait)}). Run it again later, or allow more with --max-wait (maxWait).`,
    { cause: error, status: error.status, attempts: error.attempts, requestId: error.requestId },
  );
}
