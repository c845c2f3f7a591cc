/** The course of a run: what it publishes, and samples of its report, each kept within a bound. */

import type { DeadLetterEvent } from "../events.ts";
import type { RunReport } from "../report.ts";
import { History } from "./history.ts";
import { Latencies } from "./latency.ts";
import { listen } from "./listen.ts";
import { Newest } from "./newest.ts";
import { clipped, type LogLine, logLine } from "./wording.ts";

/** Points of a chart at most: as many as a screen can show. */
const MOST_POINTS = 600;

/** Lines of the log, and dead letters, that are kept. */
const MOST_LINES = 200;
const MOST_LETTERS = 50;

/** How the run stood at one moment. Counts are totals, so that a rate is the difference of two points. */
export interface Point {
  /** Seconds since the epoch. */
  readonly time: number;
  readonly read: number;
  readonly written: number;
  readonly deadLettered: number;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cost: number | null;
  readonly inFlight: number;
  readonly allowed: number;
  /** Failed attempts so far, by the code of their error. */
  readonly errors: Readonly<Record<string, number>>;
  /** Taken of each limit so far, as the provider counts, and what it allows: by `provider/lane/kind/from`. */
  readonly limits: Readonly<Record<string, { readonly spent: number; readonly perMinute: number }>>;
  /** Ms within which a half, 95 and 99 of a hundred of the calls since the last point were answered. */
  readonly latency: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
  /** Bytes of memory that the process holds. */
  readonly memory: number;
}

interface Sample {
  readonly point: Omit<Point, "latency">;
  readonly latencies: Latencies;
}

/** A dead letter as the page shows it: without the record. */
export interface Letter {
  /** Ms since the epoch. */
  readonly time: number;
  readonly code: string;
  readonly message: string;
  readonly status: number | null;
  readonly attempts: number;
  readonly stage: string;
  readonly where: string | null;
}

export class Course {
  readonly log = new Newest<LogLine>(MOST_LINES);
  readonly letters = new Newest<Letter>(MOST_LETTERS);
  readonly #history = new History<Sample>({ most: MOST_POINTS, merge: merged });
  readonly #errors: Record<string, number> = {};
  #latencies = new Latencies();
  readonly #deafen: () => void;

  constructor() {
    this.#deafen = listen({
      lane: (event) => this.log.add(logLine(event)),
      deadLetter: (event) => this.letters.add(letterOf(event)),
      call: ({ error, durationMs }) => {
        if (error === undefined) this.#latencies.add(durationMs);
        else if (error.code !== undefined) this.#errors[error.code] = (this.#errors[error.code] ?? 0) + 1;
      },
    });
  }

  /** Failed attempts so far, by the code of their error. */
  get errors(): Readonly<Record<string, number>> {
    return this.#errors;
  }

  /** Samples that a point stands for. */
  get step(): number {
    return this.#history.step;
  }

  /** The points from the `from`th on. */
  points(from: number): readonly Point[] {
    return this.#history.points.slice(from).map(({ point, latencies }) => ({ ...point, latency: told(latencies) }));
  }

  sample(report: RunReport, time: number): void {
    const latencies = this.#latencies;
    this.#latencies = new Latencies();
    this.#history.add({ point: pointOf(report, { errors: { ...this.#errors }, time }), latencies });
  }

  /** Hears no more; the last point is made though its time is not full. */
  close(): void {
    this.#deafen();
    this.#history.finish();
  }
}

/** Of two moments the later one; what went up and down between them is shown at its highest. */
function merged(first: Sample, second: Sample): Sample {
  const inFlight = Math.max(first.point.inFlight, second.point.inFlight);
  const allowed = Math.max(first.point.allowed, second.point.allowed);
  const memory = Math.max(first.point.memory, second.point.memory);
  const latencies = new Latencies().join(first.latencies).join(second.latencies);
  return { point: { ...second.point, inFlight, allowed, memory }, latencies };
}

function pointOf(report: RunReport, { errors, time }: { errors: Record<string, number>; time: number }) {
  const { read, written, deadLettered, requests, usage, cost, limits, inFlight, allowed } = report;
  return {
    time,
    read,
    written,
    deadLettered,
    requests,
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    cost,
    inFlight,
    allowed,
    errors,
    limits: Object.fromEntries(
      limits.map(({ provider, lane, kind, from, spent, perMinute }) => [
        [provider, lane, kind, from].join("/"),
        { spent, perMinute },
      ]),
    ),
    memory: process.memoryUsage.rss(),
  };
}

function told(latencies: Latencies): Point["latency"] {
  const [p50, p95, p99] = [latencies.quantile(0.5), latencies.quantile(0.95), latencies.quantile(0.99)];
  return p50 === null || p95 === null || p99 === null ? null : { p50, p95, p99 };
}

function letterOf({ time, code, message, status, attempts, stage, source }: DeadLetterEvent): Letter {
  const where = source === null ? null : clipped(`${source.file}:${source.line}`);
  return { time, code, message: clipped(message), status, attempts, stage, where };
}
