/** Stages in, report out. */

import { Readable, Writable } from "node:stream";
import { finished, pipeline as nodePipeline } from "node:stream/promises";
import { Budget } from "./budget.ts";
import { failure, isMillraceError, type MillraceError } from "./errors.ts";
import { checkKeys, checkMaxCost, checkPrices, checkStore, type StoreOption } from "./options.ts";
import type { Provider } from "./providers/provider.ts";
import { type RunReport, reportOf, type Watched } from "./report.ts";
import { type Breach, deadLetterFault, prepared, type RunContext, stageOf } from "./stage.ts";
import { type Part, type StageInput, streamOf } from "./stages.ts";
import type { Prices } from "./usage.ts";

export type { StageInput };

export interface PipelineOptions {
  /** Where failed records go. It is ended with the run. Without it the first failed record fails the run. */
  readonly deadLetters?: Writable;
  /**
   * Keeps the answers that were paid for, such as ".millrace/responses.db": the same run again asks only for what has no
   * answer yet. One file may serve several runs at once. Without it nothing is kept.
   */
  readonly store?: StoreOption;
  /**
   * US dollars that the run may spend. Each call reserves the most it can cost before it starts, so the run ends (in good
   * order, with `cost_cap_reached`) before the cap can be passed. Needs known prices. Default: no cap.
   */
  readonly maxCost?: number;
  /** What models cost, in US dollars for a million tokens, by their names. Default: what the vendors list. */
  readonly prices?: Prices;
  /** Ends the run at once when aborted; calls in flight are aborted too. */
  readonly signal?: AbortSignal;
  /** Ends the run in good order when aborted: nothing more is read, calls in flight end, what waits is let go. */
  readonly stop?: AbortSignal;
}

const KNOWN = [
  "deadLetters",
  "store",
  "maxCost",
  "prices",
  "signal",
  "stop",
] as const satisfies readonly (keyof PipelineOptions)[];

/** A run under way. */
export interface Run {
  /** Resolves with the final report; rejects with one `MillraceError`, whose `report` says how far it came. */
  readonly done: Promise<RunReport>;
  /** How far it has come. */
  report(): RunReport;
}

/** The error of a run, with what had been done by then. */
export type RunError = MillraceError & { readonly report: RunReport };

/**
 * Runs a chain of stages: a source first (`read()`, or any Readable of records), a sink last (`write()`, `route()`, or
 * any Writable), and between them any Transform, web TransformStream, function or generator function:
 *
 * - a function gets one record and gives the one that goes on, or `drop`;
 * - a generator function gets one record and yields as many as it likes;
 * - an async generator function gets all of them, as in Node's own pipeline.
 *
 * Resolves with the report; rejects with one `MillraceError`, which holds it as `report`. Every stage is destroyed on
 * failure, and the calls in flight with it; but when the source cannot be read to its end, all that it gave before goes
 * through to the sink first.
 */
export function pipeline(...args: readonly [...StageInput[], StageInput | PipelineOptions]): Promise<RunReport> {
  const last = args.at(-1);
  const options = isOptions(last) ? last : {};
  const stages = (isOptions(last) ? args.slice(0, -1) : args) as readonly StageInput[];
  try {
    return startRun(stages, options).done;
  } catch (error) {
    // A run that cannot begin has failed as well: what it was given to close is closed.
    for (const stage of stages) if (stage instanceof Readable || stage instanceof Writable) stage.destroy();
    return Promise.reject(error);
  }
}

/** Plain objects are options; everything that can be a stage is a function or has a stream's methods. */
function isOptions(value: StageInput | PipelineOptions | undefined): value is PipelineOptions {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  const plain = prototype === Object.prototype || prototype === null;
  return plain && !("readable" in value) && !("writable" in value) && !("pipe" in value);
}

/** Starts a run and gives a view of it. @throws ConfigurationError when the stages cannot be a run. */
export function startRun(inputs: readonly StageInput[], options: PipelineOptions = {}): Run {
  checkOptions(options);
  if (inputs.length < 2) throw failure("invalid_option", "pipeline(): give at least a source and a sink.");
  const streams = inputs.map((input, index) => streamOf(input, index, inputs.length));
  const watched = watch(streams, inputs);
  const startedAt = performance.now();
  const report = (whole = false) => reportOf(watched, performance.now() - startedAt, whole);
  const done = run(streams, options).then(
    () => accounted(report(true)),
    (error: unknown) => Promise.reject(Object.assign(typed(error, options), { report: report() })),
  );
  return { done, report };
}

/** Every record read must have gone somewhere: a sum that does not come out is a bug of ours and must not look like success. */
function accounted(report: RunReport): RunReport {
  if (report.unfinished === 0) return report;
  const lost = `${report.unfinished} records were read but neither written, dropped nor dead-lettered.`;
  throw Object.assign(failure("internal", lost), { report });
}

function checkOptions(options: PipelineOptions): void {
  checkKeys(options, KNOWN, "pipeline()");
  const { deadLetters, store, maxCost, prices, signal, stop } = options;
  checkStore(store, "pipeline()");
  checkMaxCost(maxCost, "pipeline()");
  checkPrices(prices, "pipeline()");
  for (const [name, given] of Object.entries({ signal, stop })) {
    if (given === undefined || given instanceof AbortSignal) continue;
    throw failure("invalid_option", `pipeline(): \`${name}\` must be an AbortSignal.`);
  }
  if (deadLetters === undefined || typeof deadLetters.write === "function") return;
  throw failure("invalid_option", "pipeline(): `deadLetters` must be a sink: write(path), or a Writable.");
}

/** Stages of one kind are told apart by a number. */
function watch(streams: readonly Part[], inputs: readonly StageInput[]): readonly Watched[] {
  const seen = new Map<string, number>();
  return streams.map((stream, index) => {
    const stage = stageOf(stream);
    const kind = stage?.report.name ?? foreignName(inputs[index]);
    const count = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, count);
    const name = count === 1 ? kind : `${kind} ${count}`;
    if (stage !== undefined) stage.report.name = name;
    return { name, stage };
  });
}

/** Node's typing knows the form with an array of stages only without options. */
const joined = nodePipeline as unknown as (
  streams: readonly Part[],
  options: { readonly signal: AbortSignal },
) => Promise<void>;

const foreignName = (input: StageInput | undefined): string =>
  typeof input === "function" ? input.name || "generator" : (input?.constructor?.name ?? "stream");

async function run(parts: readonly Part[], options: PipelineOptions): Promise<void> {
  const { deadLetters, signal, stop } = options;
  const abort = new AbortController();
  const stopping = new AbortController();
  const forget = [forward(signal, abort), forward(stop, stopping)];
  const breach: Breach = { fault: undefined };
  const streams = parts.filter((part) => typeof part !== "function");
  const lettersFailed = (error: Error) => abort.abort(deadLetterFault(error));
  deadLetters?.on("error", lettersFailed);
  // One that fails before Node's pipeline listens would end the process; that pipeline finds it failed.
  for (const stream of streams) stream.on("error", () => {});
  try {
    const context = contextOf(options, { breach, stopping });
    for (const stream of streams) stageOf(stream)?.join(context);
    if (deadLetters !== undefined) stageOf(deadLetters)?.join({ stop: stopping.signal, breach });
    if (signal?.aborted) throw signal.reason;
    const opened = deadLetters === undefined ? streams : [...streams, deadLetters];
    await unlessAborted(allPrepared(opened), abort.signal);
    for (const { errored } of streams) if (errored) throw errored;
    await joined(parts, { signal: abort.signal });
    // Each sink of ours has refused by then.
    if (breach.fault !== undefined) throw breach.fault;
    await unlessAborted(ended(deadLetters), abort.signal);
    // A generator that throws `undefined` ends Node's pipeline without an error.
    if ((streams.at(-1) as Writable).writableFinished === false) throw failure("stage_failed", EARLY);
  } catch (error) {
    // Node's pipeline says only that it was aborted; the reason says why.
    const why = abort.signal.aborted ? abort.signal.reason : error;
    for (const stream of streams) stream.destroy();
    await closed(streams);
    const orderly = breach.fault !== undefined || stopping.signal.aborted;
    if (orderly) await unlessAborted(ended(deadLetters), abort.signal).catch(() => {});
    await left(deadLetters);
    throw why;
  } finally {
    for (const end of forget) end();
    deadLetters?.off("error", lettersFailed);
  }
}

function contextOf(
  { deadLetters, store, maxCost, prices }: PipelineOptions,
  { breach, stopping }: { readonly breach: Breach; readonly stopping: AbortController },
): RunContext {
  const budget = maxCost === undefined ? undefined : new Budget(maxCost);
  const halt = (fault: MillraceError) => {
    breach.fault ??= fault;
    stopping.abort();
  };
  return { deadLetters, store, budget, prices, stop: stopping.signal, breach, halt };
}

/** One after the other, so that of two sinks on one file the second is told. */
async function allPrepared(streams: readonly object[]): Promise<void> {
  for (const stream of streams) await prepared(stream);
}

/** A wait for somebody else, as for the reader of a pipe, ends with the run. */
function unlessAborted<T>(wait: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    wait.then(resolve, reject);
  });
}

function forward(from: AbortSignal | undefined, to: AbortController): () => void {
  const act = () => to.abort(from?.reason);
  if (from?.aborted) act();
  from?.addEventListener("abort", act, { once: true });
  return () => from?.removeEventListener("abort", act);
}

async function ended(sink: Writable | undefined): Promise<void> {
  if (sink === undefined) return;
  const end = finished(sink);
  sink.end();
  await end.catch((error) => Promise.reject(deadLetterFault(error)));
}

/** Dead letters of a run that failed stay as far as they came. */
async function left(sink: Writable | undefined): Promise<void> {
  if (sink === undefined) return;
  sink.destroy();
  await closed([sink]);
}

/** How long a stream of another make may take to close, in ms, before the run's failure is told without it. */
const LONGEST_CLOSE = 1_000;

/** Only when the sinks have closed is all that was done on disk. */
async function closed(streams: readonly (Readable | Writable)[]): Promise<void> {
  const closes = streams.map((stream) => {
    // Streams of readable-stream's make do not say whether they are.
    if (stream.closed !== false) return undefined;
    return new Promise<void>((resolve) => {
      stream.once("close", resolve);
    });
  });
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, LONGEST_CLOSE);
  });
  await Promise.race([Promise.all(closes), patience]);
  clearTimeout(timer);
}

function typed(error: unknown, { signal }: PipelineOptions): MillraceError {
  if (isMillraceError(error)) return error;
  if (signal?.aborted) return failure("aborted", "The run was aborted.", { cause: signal.reason });
  return failure("stage_failed", `A stage failed: ${whyOf(error)}`, { cause: error });
}

const EARLY = "A stage ended before the output was complete, and gave no error.";

function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // What Node's pipeline says of a stage that was destroyed without an error of its own.
  const early = "code" in error && (error.code === "ERR_STREAM_PREMATURE_CLOSE" || error.code === "ABORT_ERR");
  return early ? "it closed before its end. An async generator must take all its records." : error.message;
}

/** What a pipeline file is given when it is run. */
export interface PipelineContext {
  /** As the command line's `--provider` and its companions, or the environment, say. Asked for when first used. */
  readonly provider: Provider;
  /** The call options of the command line, to be handed to `analyze()`: `analyze({ provider, ...options, … })`. */
  readonly options: Readonly<Record<string, unknown>>;
}

export interface PipelineDefinition {
  /** One line that `millrace run` shows. */
  readonly description: string;
  /** The stages between the input and the output. A sink as the last one takes the output's place. */
  readonly stages: (context: PipelineContext) => readonly StageInput[];
}

/** What a file in `pipelines/` exports as its default. @throws ConfigurationError when it cannot be one. */
export function definePipeline(definition: PipelineDefinition): PipelineDefinition {
  checkKeys(definition, ["description", "stages"], "definePipeline()");
  if (typeof definition.stages !== "function") {
    throw failure("invalid_option", "definePipeline(): `stages` must be a function that gives a list of stages.");
  }
  return definition;
}
