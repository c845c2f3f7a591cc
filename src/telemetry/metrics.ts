/** The numbers of a run as Prometheus wants them. Counts are the report's own, so that the two cannot differ. */

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { CallEvent } from "../events.ts";
import type { RunReport } from "../report.ts";

/** Seconds; the last but one is the usual timeout, the last the longest that a whole answer may be asked to take. */
const BUCKETS = [0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300, 600];

/** What is counted, from the report: name, help, and its values by their labels. */
interface Row {
  readonly name: string;
  readonly help: string;
  readonly gauge?: true;
  readonly labels?: readonly string[];
  values(report: RunReport): readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];
}

const one = (value: (report: RunReport) => number | null | undefined) => (report: RunReport) => {
  const known = value(report);
  return known === null || known === undefined ? [] : ([[{}, known]] as const);
};

const by = (label: string, values: (report: RunReport) => Readonly<Record<string, number>>) => (report: RunReport) =>
  Object.entries(values(report)).map(([name, value]) => [{ [label]: name }, value] as const);

const ROWS: readonly Row[] = [
  {
    name: "records_read_total",
    help: "Records taken from the input, broken ones included.",
    values: one((r) => r.read),
  },
  { name: "records_written_total", help: "Records written.", values: one((r) => r.written) },
  { name: "records_dropped_total", help: "Records left out on purpose.", values: one((r) => r.dropped) },
  {
    name: "records_dead_lettered_total",
    help: "Records that failed for good, by the code of their error.",
    labels: ["code"],
    values: by("code", (r) => r.failures),
  },
  {
    name: "records_cached_total",
    help: "Records that made no call of their own.",
    values: one((r) => r.cached),
  },
  {
    name: "requests_total",
    help: "Requests sent to providers, every attempt counted.",
    values: one((r) => r.requests),
  },
  { name: "retries_total", help: "Requests repeated after a fault.", values: one((r) => r.retries) },
  { name: "rate_limited_total", help: "Answers that said wait (429, 529).", values: one((r) => r.rateLimited) },
  {
    name: "waited_seconds_total",
    help: "Time that records waited because a provider said so, summed over the records.",
    values: one((r) => r.waitedMs / 1_000),
  },
  {
    name: "held_back_seconds_total",
    help: "Time in which the next call was held back, by cause.",
    labels: ["cause"],
    values: (r) => Object.entries(r.heldBackMs).map(([cause, ms]) => [{ cause }, ms / 1_000] as const),
  },
  {
    name: "head_of_line_seconds_total",
    help: "Time lost to slow calls at the head of the line.",
    values: one((r) => r.headOfLineMs / 1_000),
  },
  {
    name: "tokens_total",
    help: "Tokens billed. cache_read and cache_write are parts of input.",
    labels: ["type"],
    values: by("type", ({ usage }) => ({
      input: usage.inputTokens,
      output: usage.outputTokens,
      cache_read: usage.cacheReadTokens,
      cache_write: usage.cacheWriteTokens,
    })),
  },
  { name: "cost_dollars_total", help: "Cost in US dollars, where prices are known.", values: one((r) => r.cost) },
  { name: "elapsed_seconds", help: "Time since the run began.", gauge: true, values: one((r) => r.elapsedMs / 1_000) },
  { name: "in_flight_requests", help: "Calls under way.", gauge: true, values: one((r) => r.inFlight) },
  {
    name: "allowed_requests",
    help: "Calls that may be under way at once.",
    gauge: true,
    values: one((r) => r.allowed),
  },
  { name: "waiting_requests", help: "Calls that wait to start.", gauge: true, values: one((r) => r.waiting) },
  {
    name: "backing_off_records",
    help: "Records that wait before their next attempt.",
    gauge: true,
    values: one((r) => r.backingOff),
  },
  { name: "input_read_bytes_total", help: "Bytes of the inputs that were read.", values: one((r) => r.bytesRead) },
  { name: "input_size_bytes", help: "Bytes of all inputs.", gauge: true, values: one((r) => r.bytesTotal) },
  {
    name: "unknown_usage_requests_total",
    help: "Requests that may have been billed without telling their tokens.",
    values: one((r) => r.unknownUsage),
  },
  {
    name: "peak_concurrency",
    help: "Most calls in flight at once at one provider.",
    gauge: true,
    values: one((r) => r.peakConcurrency),
  },
  {
    name: "limit_per_minute",
    help: "A limit, as the provider tells it or as it was given (from is provider or own).",
    gauge: true,
    labels: ["provider", "model", "lane", "kind", "from"],
    values: (r) => r.limits.map((limit) => [limitLabels(limit), limit.perMinute] as const),
  },
  {
    name: "limit_used_ratio",
    help: "How far a limit was used since it became known; 1 is to the brim.",
    gauge: true,
    labels: ["provider", "model", "lane", "kind", "from"],
    values: (r) => r.limits.map((limit) => [limitLabels(limit), limit.used] as const),
  },
];

const limitLabels = ({ provider, model, lane, kind, from }: RunReport["limits"][number]) => ({
  provider,
  model,
  lane: String(lane),
  kind,
  from,
});

/** `millrace_…` in a registry of the run's own. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #duration: Histogram;
  readonly #rows: readonly { readonly row: Row; readonly metric: Counter | Gauge }[];
  readonly #memory: Gauge;

  constructor() {
    const registers = [this.#registry];
    this.#rows = ROWS.map((row) => {
      const { name, help, gauge, labels = [] } = row;
      const Kind = gauge ? Gauge : Counter;
      return { row, metric: new Kind({ name: `millrace_${name}`, help, labelNames: [...labels], registers }) };
    });
    this.#duration = new Histogram({
      name: "millrace_request_duration_seconds",
      help: "Time from sending a request to its whole answer or its failure. outcome is answered or an error's code.",
      labelNames: ["provider", "model", "lane", "outcome"],
      buckets: BUCKETS,
      registers,
    });
    this.#memory = new Gauge({
      name: "process_resident_memory_bytes",
      help: "Resident memory size in bytes.",
      registers,
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  call({ provider, model, lane, error, durationMs }: CallEvent): void {
    const outcome = error === undefined ? "answered" : (error.code ?? "taken_back");
    this.#duration.observe({ provider, model, lane: String(lane), outcome }, durationMs / 1_000);
  }

  /** The text that Prometheus reads. */
  scrape(report: RunReport): Promise<string> {
    for (const { row, metric } of this.#rows) {
      metric.reset();
      // What is not known is not 0.
      if (row.labels === undefined) metric.remove({});
      for (const [labels, value] of row.values(report)) metric.inc({ ...labels }, value);
    }
    this.#memory.set(process.memoryUsage.rss());
    return this.#registry.metrics();
  }
}
