/** What becomes of a stage's calls, in numbers. */

import { createHistogram } from "node:perf_hooks";
import { isMillraceError, type MillraceError } from "../errors.ts";
import type { Step } from "../limits/retry.ts";
import { sleep } from "../limits/sleep.ts";
import type { Completion } from "../providers/provider.ts";
import type { CallCounts, ProviderReport } from "../stage.ts";
import { addUsage, noUsage } from "../usage.ts";

interface Setup {
  /** Calls in flight at most. */
  readonly most: number;
  /** Ms lost to the head of the line so far. */
  readonly headOfLine: { readonly ms: number };
  readonly providers: readonly (() => ProviderReport)[];
}

export const callCounts = ({ most, headOfLine, providers }: Setup): CallCounts => ({
  attempts: 0,
  retries: 0,
  rateLimited: 0,
  waitedMs: 0,
  cached: 0,
  usage: noUsage(),
  unknownUsage: 0,
  backingOff: 0,
  latency: createHistogram(),
  most,
  get headOfLineMs() {
    return Math.round(headOfLine.ms);
  },
  providers,
});

/** Books an attempt that was sent and has ended. @param outcome undefined: it was taken back */
export function tally(counts: CallCounts, outcome: Completion | MillraceError | undefined, ms: number): void {
  if (outcome === undefined || isMillraceError(outcome)) {
    if (mayBeBilled(outcome)) counts.unknownUsage++;
    return;
  }
  addUsage(counts.usage, outcome.usage);
  counts.latency.record(Math.max(1, Math.round(ms)));
}

/** `stage_failed`: whoever listened to the pieces of an answer has ended it. */
const NO_WHOLE_ANSWER = new Set(["timeout", "connection_failed", "bad_response", "stage_failed"]);

/** Faults of a connection that never came to be: nothing was sent. */
const NOT_SENT = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** A status that refuses is the provider's word that it has answered nothing. */
function mayBeBilled(outcome: MillraceError | undefined): boolean {
  if (outcome === undefined) return true;
  const { code, status, cause } = outcome;
  if (!NO_WHOLE_ANSWER.has(code) || (status !== undefined && status >= 300)) return false;
  return !(cause instanceof Error && "code" in cause && NOT_SENT.has(String(cause.code)));
}

/** Waits before the next attempt. What a stop spares is not counted as waited. */
export async function backOff(
  { delayMs, askedMs }: Exclude<Step, { action: "fail" }>,
  counts: CallCounts,
  release: AbortSignal,
): Promise<void> {
  const since = performance.now();
  counts.backingOff++;
  try {
    await sleep(delayMs, release);
  } finally {
    counts.backingOff--;
    counts.waitedMs += Math.min(askedMs, performance.now() - since);
  }
}
