/** What millrace's own streams have in common: a name, counters, and a way out for records that fail. */

import { once } from "node:events";
import type { RecordableHistogram } from "node:perf_hooks";
import type { Writable } from "node:stream";
import { inspect } from "node:util";
import type { Budget } from "./budget.ts";
import { type ErrorCode, failure, isMillraceError, type MillraceError } from "./errors.ts";
import { publishDeadLetter } from "./events.ts";
import { jsonFault, MAX_DEPTH } from "./json.ts";
import type { StoreOption } from "./options.ts";
import { type DeadLetter, type Source, sourceOf } from "./record.ts";
import type { CostTally, Prices, UsageTotal } from "./usage.ts";

/** Counters of the calls that a stage made. */
export interface CallCounts {
  /** Requests sent, every attempt counted. */
  attempts: number;
  /** Attempts that repeated one that had met a fault, counted when they are sent. */
  retries: number;
  /** Times that a provider asked to wait (429, 529). */
  rateLimited: number;
  /** Time that records spent waiting because a provider asked for it, in ms, summed over the records. */
  waitedMs: number;
  /** Records that made no call of their own: what they asked was stored, or another record asked it. */
  cached: number;
  /** Tokens billed, as the answers tell it; those of answers that were of no use included. */
  usage: UsageTotal;
  /** What they cost. */
  readonly cost: CostTally;
  /**
   * Attempts whose answer never came whole: timeouts, lost connections, broken bodies, calls that a stop cut off. The
   * provider may have billed them; what, nobody says, so that `usage` holds nothing of them.
   */
  unknownUsage: number;
  /** Records that wait before their next attempt, after a fault or because they were told to. */
  backingOff: number;
  /** Time from sending to the whole answer, in ms, of the attempts that were answered; undefined before the first. */
  latency: RecordableHistogram | undefined;
  /** Calls that the stage has in flight at most. */
  readonly most: number;
  /** Ms in which the window was full and yet nothing waited to be sent: lost to slow calls at the head of the line. */
  readonly headOfLineMs: number;
  /** How the providers' limits stand. A provider that serves several stages appears in each, as the same function. */
  readonly providers: readonly (() => ProviderReport)[];
}

/** How the limits of a provider stand. */
export interface ProviderReport {
  /** Most calls in flight at once. */
  readonly peakInFlight: number;
  /** Ms in which the next call was held back, by cause: a limit, `pace`, `pause`, `outage`, `concurrency`, `budget`. */
  readonly heldBackMs: Readonly<Record<string, number>>;
  readonly limits: readonly LimitReport[];
  /** Calls that wait to start. */
  readonly waiting: number;
  /** What holds the next of them back; null: nothing. */
  readonly heldBy: string | null;
  readonly lanes: readonly LaneReport[];
}

/** One provider with one key, as it stands. */
export interface LaneReport {
  readonly provider: string;
  readonly model: string;
  /** Which of the provider's keys, from 1. */
  readonly lane: number;
  /** Calls under way. */
  readonly inFlight: number;
  /** Calls that may be under way at once, for now. */
  readonly allowed: number;
  /** `paused`: everything waits, because of refusals. `outage`: every call fails. `closed`: it gets no more calls. */
  readonly state: "open" | "paused" | "outage" | "closed";
  /** Calls a minute that it carries, where that was found by refusals; null: nothing was to be found. */
  readonly pacePerMinute: number | null;
}

/** One limit. */
export interface LimitReport {
  readonly provider: string;
  readonly model: string;
  /** Which of the provider's keys, from 1. */
  readonly lane: number;
  readonly kind: "requests" | "input" | "output" | "tokens";
  /** `provider`: as its answers tell it. `own`: set by whoever runs this. */
  readonly from: "provider" | "own";
  readonly perMinute: number;
  /** What was taken of it since it became known, as the provider counts. */
  readonly spent: number;
  /** How far it was used since it became known; 1 is to the brim. */
  readonly used: number;
}

/** The live counters of one stage. A source has no `in`, a sink no `out` but what it wrote. */
export interface StageReport {
  name: string;
  in: number;
  out: number;
  dropped: number;
  deadLettered: number;
  /** Taken in but let go by a stop before they were done. */
  released: number;
  /** Dead letters by the code of their error. */
  failures: Partial<Record<ErrorCode, number>>;
  calls?: CallCounts;
  /** Of a source. */
  input?: InputCounts;
}

/** How far a source has come in its bytes, as they lie on disk or come in: compressed ones where they are. */
export interface InputCounts {
  readonly bytesRead: number;
  /** Of all inputs together; null where nobody knows, as of a pipe. */
  readonly bytesTotal: number | null;
}

/** What a run gives to each of its stages. */
export interface RunContext {
  /** Where failed records go; undefined: the first one fails the stream. */
  readonly deadLetters?: Writable | undefined;
  /** Aborted when the run should end early but in good order: take in nothing more, finish what is under way. */
  readonly stop?: AbortSignal | undefined;
  /** Where the answers of models are kept. */
  readonly store?: StoreOption | undefined;
  readonly breach?: Breach | undefined;
  /** What all stages together may spend. */
  readonly budget?: Budget | undefined;
  readonly prices?: Prices | undefined;
  /** Ends the run in good order, with this error. */
  readonly halt?: ((fault: MillraceError) => void) | undefined;
}

/** Whether the source could be read to its end. If not, what came before goes all the way, but nothing is complete. */
export interface Breach {
  fault: MillraceError | undefined;
}

const STAGE = Symbol("millrace.stage");

/** The counters and the dead-letter way of one stream. */
export class Stage {
  readonly report: StageReport;
  #context: RunContext;
  /** Whether one record in need not be one out. */
  reshapes = false;
  readonly #onStop: (() => void)[] = [];

  constructor(name: string, context: RunContext = {}) {
    this.report = { name, in: 0, out: 0, dropped: 0, deadLettered: 0, released: 0, failures: {} };
    this.#context = context;
    keepsLetters(context.deadLetters);
  }

  /** Records that a sink has handed on. */
  get written(): number {
    return this.report.out;
  }

  /** This stage, and those behind it where it stands for several. */
  get reports(): readonly StageReport[] {
    return [this.report];
  }

  /** What the stage was given itself wins over what its run gives. */
  join(context: RunContext): void {
    this.#context = { ...context, ...defined(this.#context) };
    const { stop, deadLetters } = this.#context;
    keepsLetters(deadLetters);
    for (const act of this.#onStop) {
      if (stop?.aborted) act();
      else stop?.addEventListener("abort", act, { once: true });
    }
  }

  get store(): StoreOption | undefined {
    return this.#context.store;
  }

  get spending(): Pick<RunContext, "budget" | "prices"> {
    return this.#context;
  }

  /** True when the run ends itself in good order because of the fault, so that the stage need not fail. */
  halts(fault: MillraceError): boolean {
    const { halt } = this.#context;
    halt?.(fault);
    return halt !== undefined;
  }

  /** To be called before the stage joins a run. */
  onStop(act: () => void): void {
    this.#onStop.push(act);
  }

  /** Why what comes out is not complete though the input ends in good order; undefined while nothing says so. */
  get cutShort(): MillraceError | undefined {
    const { breach, stop } = this.#context;
    if (breach?.fault !== undefined) return breach.fault;
    return stop?.aborted ? failure("aborted", "The run was stopped before its end.") : undefined;
  }

  /** Of a source: true when the run takes the fault over, so that the stream is to end as if that were its end. */
  breaks(fault: MillraceError): boolean {
    const { breach } = this.#context;
    if (breach === undefined) return false;
    breach.fault ??= fault;
    return true;
  }

  /** Resolves when the failed record is handed over and there is room for another; throws when nobody takes it. */
  async reject(error: MillraceError, failed: { record: unknown; raw?: string; source?: Source | null }): Promise<void> {
    const source = failed.source === undefined ? sourceOf(failed.record) : failed.source;
    const sink = this.#context.deadLetters;
    if (sink === undefined) throw placed(error, source);
    const { code, message, status, attempts } = error;
    const told = { code, message, status: status ?? null, attempts };
    const letter: DeadLetter = { error: told, stage: this.report.name, source, ...writable(failed) };
    this.report.deadLettered++;
    this.report.failures[code] = (this.report.failures[code] ?? 0) + 1;
    publishDeadLetter(() => ({ ...told, stage: letter.stage, source, time: Date.now() }));
    await handOver(sink, letter);
  }
}

/** A record that JSON cannot hold is shown as it prints: the dead letters must be able to take whatever failed. */
function writable({ record, raw }: { record: unknown; raw?: string }): Pick<DeadLetter, "record" | "raw"> {
  if (raw !== undefined) return { record, raw };
  // The letter is one level more.
  if (jsonFault(record, MAX_DEPTH - 1) === undefined) return { record };
  return { record: null, raw: inspect(record, { depth: 3, maxStringLength: 1_024 }).slice(0, 1_024) };
}

/** A sink that keeps dead letters need not appear when there are none. */
function keepsLetters(sink: (Writable & { onlyIfAny?: () => void }) | undefined): void {
  sink?.onlyIfAny?.();
}

/** Opens a sink of ours before the run; of a foreign one nothing can be asked. */
export async function prepared(sink: object & { prepare?: () => Promise<void> }): Promise<void> {
  if (stageOf(sink) !== undefined) await sink.prepare?.();
}

const defined = (context: RunContext): RunContext =>
  Object.fromEntries(Object.entries(context).filter(([, value]) => value !== undefined));

/** The error that ends a stream names the line that caused it. */
function placed(error: MillraceError, source: Source | null): MillraceError {
  if (source === null) return error;
  const facts = { cause: error, status: error.status, attempts: error.attempts, requestId: error.requestId };
  return failure(error.code, `${source.file}:${source.line}: ${error.message}`, facts);
}

/** One wait for room per sink, shared by all who wait: thousands of listeners on one stream would be as many warnings. */
const rooms = new WeakMap<Writable, Promise<unknown>>();
const watched = new WeakSet<Writable>();

async function handOver(sink: Writable, letter: DeadLetter): Promise<void> {
  if (!watched.has(sink)) {
    watched.add(sink);
    // The fault itself comes back from the wait below, or from whoever ends the sink; unheard it would end the process.
    sink.on("error", () => {});
  }
  if (sink.errored || sink.destroyed) throw deadLetterFault(sink.errored);
  // One that takes bytes gets NDJSON; that a letter can be written as JSON is seen to above.
  if (sink.write(sink.writableObjectMode === false ? `${JSON.stringify(letter)}\n` : letter)) return;
  let room = rooms.get(sink);
  if (room === undefined) {
    const leave = new AbortController();
    const drained = once(sink, "drain", { signal: leave.signal });
    const closed = once(sink, "close", { signal: leave.signal }).then(() => Promise.reject(sink.errored));
    for (const wait of [drained, closed]) wait.catch(() => {});
    room = Promise.race([drained, closed])
      .catch((error) => Promise.reject(deadLetterFault(error)))
      .finally(() => {
        rooms.delete(sink);
        leave.abort();
      });
    rooms.set(sink, room);
  }
  await room;
}

export function deadLetterFault(cause: unknown): MillraceError {
  if (isMillraceError(cause)) return cause;
  const why = cause instanceof Error ? cause.message : "it was closed";
  return failure("sink_failed", `The dead letters could not be written: ${why}`, { cause });
}

/** Marks a stream as one of millrace's own, and shows its counters as `stream.report`. */
export function asStage<S extends object>(stream: S, stage: Stage): S & { readonly report: StageReport } {
  Object.defineProperty(stream, STAGE, { value: stage });
  return Object.defineProperty(stream, "report", { value: stage.report, enumerable: true }) as S & {
    readonly report: StageReport;
  };
}

export const stageOf = (stream: unknown): Stage | undefined =>
  typeof stream === "object" && stream !== null ? (stream as { [STAGE]?: Stage })[STAGE] : undefined;
