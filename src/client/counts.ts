/** What becomes of a stage's calls, in numbers. */

import { createHistogram } from "node:perf_hooks";
import { isMillraceError, type MillraceError } from "../errors.ts";
import type { Step } from "../limits/retry.ts";
import { sleep } from "../limits/sleep.ts";
import type { Completion } from "../providers/provider.ts";
import type { CallCounts, ProviderReport } from "../stage.ts";
import { addUsage, noCost, noUsage } from "../usage.ts";
import { perhapsBilled } from "./billed.ts";

/**
 * Ms, to 1 %. The longest stream takes an hour. So bounded a histogram has 15 kB, outside the heap, where nothing urges the
 * collector: at 100 kB, thousands of runs over one article each settled at 700 MB, so at 390 (measured).
 */
const LATENCIES = { lowest: 1, highest: 2 * 60 * 60 * 1_000, figures: 2 };

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
  cost: noCost(),
  unknownUsage: 0,
  backingOff: 0,
  latency: undefined,
  most,
  get headOfLineMs() {
    return Math.round(headOfLine.ms);
  },
  providers,
});

/** Books an attempt that was sent and has ended. @param outcome undefined: it was taken back */
export function tally(counts: CallCounts, outcome: Completion | MillraceError | undefined, ms: number): void {
  if (outcome === undefined || isMillraceError(outcome)) {
    if (perhapsBilled(outcome)) counts.unknownUsage++;
    return;
  }
  addUsage(counts.usage, outcome.usage);
  counts.latency ??= createHistogram(LATENCIES);
  counts.latency.record(Math.min(LATENCIES.highest, Math.max(1, Math.round(ms))));
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
