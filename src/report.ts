/** What a run has done and is doing, from the counters of its stages: pure. */

import { createHistogram } from "node:perf_hooks";

import type { ErrorCode } from "./errors.ts";
import type { CallCounts, LaneReport, LimitReport, ProviderReport, Stage, StageReport } from "./stage.ts";
import { addUsage, noUsage, type UsageTotal } from "./usage.ts";

/** One stage in a report. `null`: a stage of another make, between others of that kind, was not looked into. */
export interface StageSummary {
  readonly name: string;
  readonly in: number | null;
  readonly out: number | null;
  readonly dropped: number;
  readonly deadLettered: number;
}

/**
 * What a run has done. Through our stages and plain functions
 * `read = written + dropped + deadLettered + unfinished`; a stage that makes several records of one, or one of several,
 * shows its own `in` and `out`.
 */
export interface RunReport {
  /** Records taken from the input, broken ones included. */
  readonly read: number;
  /** Bytes of the inputs that these were in, as they lie on disk: compressed ones where they are. */
  readonly bytesRead: number;
  /** Of all inputs together; null where nobody knows, as of a pipe or of records made by a program. */
  readonly bytesTotal: number | null;
  readonly written: number;
  readonly deadLettered: number;
  /** The dead letters by the code of their error. */
  readonly failures: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Left out on purpose. */
  readonly dropped: number;
  /** Read but neither written, dropped nor dead-lettered, because the run ended before its end. 0 after a whole run. */
  readonly unfinished: number;
  /** Records that made no call of their own: what they asked was stored, or another record of the run asked it. */
  readonly cached: number;
  /** Requests sent to providers, every attempt counted. */
  readonly requests: number;
  /** Calls under way now; 0 when the run has ended. */
  readonly inFlight: number;
  /** Calls that may be under way at once, for now. */
  readonly allowed: number;
  /** Calls that wait to start. */
  readonly waiting: number;
  /** What holds the next of them back: a limit, `pace`, `pause`, `outage`, `concurrency`; null: nothing does. */
  readonly heldBy: string | null;
  /** Records that wait before their next attempt, after a fault or because they were told to. */
  readonly backingOff: number;
  /** The providers and keys that are called, as they stand. */
  readonly lanes: readonly LaneReport[];
  /** Requests repeated after a fault. */
  readonly retries: number;
  /** Answers that said "wait" (429, 529). */
  readonly rateLimited: number;
  /** Time that records waited because a provider said so, in ms, summed over the records. */
  readonly waitedMs: number;
  /** Ms in which the next call was held back, by cause: a limit, `pace`, `pause`, `outage`, `concurrency`, `budget`. */
  readonly heldBackMs: Readonly<Record<string, number>>;
  /** Ms lost to slow calls at the head of the line, when records leave in order. */
  readonly headOfLineMs: number;
  /** Most calls in flight at once at one provider. */
  readonly peakConcurrency: number;
  /** The limits that the providers told, and those of one's own, and how far they were used. */
  readonly limits: readonly LimitReport[];
  /** Ms from sending a request to its whole answer; null before there was one. */
  readonly latencyMs: Percentiles | null;
  /** Tokens billed, as the answers tell it; those of answers that were of no use included. */
  readonly usage: Readonly<UsageTotal>;
  /**
   * Requests whose answer never came whole: timeouts, lost connections, broken bodies, calls that a stop cut off. The
   * provider may have billed them as well; what, it has told nobody, so that `usage` and `cost` hold nothing of them.
   */
  readonly unknownUsage: number;
  /** US dollars, by the usage that the providers told; null when a model's price is not known. */
  readonly cost: number | null;
  /** `cost` and what calls without an answer (timed out, broken off) may have cost besides, US dollars; null as `cost`. */
  readonly costAtMost: number | null;
  /** The day of the price data that `cost` rests on; null when it rests on none. */
  readonly pricesDate: string | null;
  readonly elapsedMs: number;
  readonly stages: readonly StageSummary[];
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** A stage of a run; without `stage` it is of another make. */
export interface Watched {
  readonly name: string;
  readonly stage: Stage | undefined;
}

export function reportOf(watched: readonly Watched[], elapsedMs: number, whole: boolean): RunReport {
  const reports = watched.flatMap(({ stage }) => stage?.reports ?? []);
  const sum = (count: (report: StageReport) => number) => reports.reduce((total, report) => total + count(report), 0);
  const source = watched[0]?.stage?.report;
  const read = source === undefined ? 0 : source.out + source.deadLettered;
  const written = watched.at(-1)?.stage?.written ?? 0;
  const deadLettered = sum((report) => report.deadLettered);
  const dropped = sum((report) => report.dropped);
  // Where a stage makes several of one, or is of another make, a whole run's sums need not come out.
  const exact = watched.every(({ stage }) => stage !== undefined && !stage.reshapes);
  const calls = reports.flatMap((report) => report.calls ?? []);
  return {
    read,
    bytesRead: source?.input?.bytesRead ?? 0,
    bytesTotal: source?.input?.bytesTotal ?? null,
    written,
    deadLettered,
    failures: failuresOf(reports),
    dropped,
    unfinished: whole && !exact ? 0 : Math.max(0, read - written - deadLettered - dropped),
    cached: sum((report) => report.calls?.cached ?? 0),
    requests: sum((report) => report.calls?.attempts ?? 0),
    retries: sum((report) => report.calls?.retries ?? 0),
    rateLimited: sum((report) => report.calls?.rateLimited ?? 0),
    waitedMs: Math.round(sum((report) => report.calls?.waitedMs ?? 0)),
    ...admissionOf(calls),
    latencyMs: latencyOf(calls),
    usage: usageOf(reports),
    unknownUsage: sum((report) => report.calls?.unknownUsage ?? 0),
    ...costOf(calls),
    elapsedMs: Math.round(elapsedMs),
    stages: watched.map((one, index) => summaryOf(one, watched[index - 1], watched[index + 1])),
  };
}

type AdmissionPart = Pick<
  RunReport,
  | "inFlight"
  | "allowed"
  | "waiting"
  | "heldBy"
  | "backingOff"
  | "lanes"
  | "heldBackMs"
  | "headOfLineMs"
  | "peakConcurrency"
  | "limits"
>;

function admissionOf(calls: readonly CallCounts[]): AdmissionPart {
  const providers: ProviderReport[] = [...new Set(calls.flatMap((one) => one.providers))].map((report) => report());
  const heldBackMs: Record<string, number> = {};
  for (const [cause, ms] of providers.flatMap((provider) => Object.entries(provider.heldBackMs))) {
    heldBackMs[cause] = Math.round((heldBackMs[cause] ?? 0) + ms);
  }
  const lanes = providers.flatMap((provider) => provider.lanes);
  const sum = <T>(all: readonly T[], count: (one: T) => number) => all.reduce((total, one) => total + count(one), 0);
  return {
    inFlight: sum(lanes, ({ inFlight }) => inFlight),
    allowed: Math.min(
      sum(lanes, ({ allowed }) => allowed),
      sum(calls, ({ most }) => most),
    ),
    waiting: sum(providers, ({ waiting }) => waiting),
    heldBy: providers.find(({ heldBy }) => heldBy !== null)?.heldBy ?? null,
    backingOff: sum(calls, ({ backingOff }) => backingOff),
    lanes,
    heldBackMs,
    headOfLineMs: calls.reduce((sum, one) => sum + one.headOfLineMs, 0),
    peakConcurrency: Math.max(0, ...providers.map(({ peakInFlight }) => peakInFlight)),
    limits: providers.flatMap(({ limits }) => limits),
  };
}

function costOf(calls: readonly CallCounts[]): Pick<RunReport, "cost" | "costAtMost" | "pricesDate"> {
  const tallies = calls.map(({ cost }) => cost);
  const pricesDate = tallies.find((tally) => tally.pricesDate !== undefined)?.pricesDate ?? null;
  if (tallies.some(({ unpriced }) => unpriced > 0)) return { cost: null, costAtMost: null, pricesDate };
  const cost = tallies.reduce((sum, { dollars }) => sum + dollars, 0);
  const atMost = tallies.reduce((sum, { unheard }) => sum + unheard, cost);
  return { cost: rounded(cost), costAtMost: rounded(atMost), pricesDate };
}

/** Sums of fractions drift in their last digits. */
const rounded = (dollars: number): number => Number(dollars.toFixed(9));

/**
 * What a run will have cost when `total` records have gone through, in US dollars, if the rest is like what was asked so
 * far: records that needed no call come first in a run that goes on, and say nothing of the rest. Null when nothing can be
 * said yet, or the price is not known.
 */
export function projectedCost(
  report: Pick<RunReport, "cost" | "written" | "deadLettered" | "dropped" | "cached">,
  total: number,
): number | null {
  const { cost, written, deadLettered, dropped, cached } = report;
  const done = written + deadLettered + dropped;
  const asked = done - cached;
  if (cost === null) return null;
  if (done >= total) return cost;
  return asked > 0 ? cost + ((total - done) * cost) / asked : null;
}

function latencyOf(calls: readonly CallCounts[]): Percentiles | null {
  const [first, ...more] = calls.flatMap(({ latency }) => latency ?? []);
  if (first === undefined) return null;
  const all = more.length === 0 ? first : createHistogram();
  if (all !== first) for (const one of [first, ...more]) all.add(one);
  return { p50: all.percentile(50), p95: all.percentile(95), p99: all.percentile(99), max: all.max };
}

function usageOf(reports: readonly StageReport[]): UsageTotal {
  const usage = noUsage();
  for (const { calls } of reports) if (calls !== undefined) addUsage(usage, calls.usage);
  return usage;
}

function failuresOf(reports: readonly StageReport[]): Partial<Record<ErrorCode, number>> {
  const failures: Partial<Record<ErrorCode, number>> = {};
  for (const report of reports) {
    for (const [code, times] of Object.entries(report.failures) as [ErrorCode, number][]) {
      failures[code] = (failures[code] ?? 0) + times;
    }
  }
  return failures;
}

function summaryOf(one: Watched, before: Watched | undefined, after: Watched | undefined): StageSummary {
  const report = one.stage?.report;
  if (report !== undefined) {
    const { name, out, dropped, deadLettered } = report;
    const took = before === undefined ? out + deadLettered : report.in;
    return { name, in: took, out: one.stage?.written ?? out, dropped, deadLettered };
  }
  // What its neighbours of ours gave it and got from it is what is known of a foreign stage.
  const took = before?.stage?.report.out ?? null;
  const gave = after?.stage?.report.in ?? null;
  return { name: one.name, in: took, out: gave, dropped: 0, deadLettered: 0 };
}
