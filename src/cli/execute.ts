/** Runs stages as a command: signals, progress, summary, exit code. */

import { basename } from "node:path";
import { type RunFlags, STORE } from "../config/options.ts";
import { failure } from "../errors.ts";
import { databaseOf, formatOf } from "../formats.ts";
import { type RunError, type RunReport, read, type StageInput, write } from "../index.ts";
import { type Run, startRun } from "../pipeline.ts";
import { holdsPassword } from "../sinks/postgres.ts";
import { RecordSink } from "../sinks/write.ts";
import { filesOf } from "../sources/files.ts";
import { openTelemetry } from "../telemetry/telemetry.ts";
import { Analyze } from "../transforms/analyze.ts";
import { type Ended, exitCodeFor, lastWords } from "./ending.ts";
import { EXIT, errorNote } from "./exit.ts";
import { type Log, logOf } from "./log.ts";
import { checkPlaces, deadLettersOf, leftOf, pathsOf, refuseUnfinished } from "./places.ts";
import { showProgress } from "./progress.ts";
import { reading } from "./reading.ts";
import { reportFile, writeReport } from "./report-file.ts";
import { onSignals } from "./signals.ts";
import { VERSION } from "./version.ts";
import { sayWhatHappens, warningOf } from "./warnings.ts";

const GRACE = 20_000;

/** What a command brings to its run. */
export interface Job {
  /** Files, patterns, `-`. */
  readonly inputs: readonly string[];
  readonly stages: readonly StageInput[];
  /** The last stage takes the output's place. */
  readonly ownSink: boolean;
}

/** @returns the exit code. @throws ConfigurationError before anything is sent. */
export async function execute(job: Job, flags: RunFlags): Promise<number> {
  const log = logOf(flags);
  const places = await placesOf(job, flags);
  const { inputs, outputs, deadLetters, sink, store } = places;
  const abort = new AbortController();
  const stop = new AbortController();
  const stages = [read(inputs, reading(flags)), ...job.stages, ...(sink === undefined ? [] : [sink])];
  const hush = sayWhatHappens(log);
  const startedAt = new Date();
  const telemetry = await openTelemetry({
    serve: flags.serve,
    title: inputs.join(", "),
    say: (message) => log.tell({ level: "info", event: "note", text: `millrace: ${message}`, facts: { message } }),
  });
  const run = startRun(stages, {
    deadLetters: write(deadLetters),
    signal: abort.signal,
    stop: stop.signal,
    ...(store === undefined ? {} : { store }),
    ...(flags.maxCost === undefined ? {} : { maxCost: flags.maxCost }),
    ...(flags.prices === undefined ? {} : { prices: flags.prices }),
  });
  telemetry.follow(run.report);
  log.tell({ level: "info", event: "start", facts: startFacts(job, places) });
  if (sink instanceof RecordSink) sink.on("notice", (message) => log.tell(warningOf(message)));
  const signals = onSignals({ stop, abort, grace: flags.grace ?? GRACE, log });
  const ended = await endOf(run, { log, flags, label: labelOf(inputs) });
  hush();
  const code = exitCodeFor(ended, { signal: signals.release(), maxFailures: flags.maxFailures });
  const lines = lastWords(ended, code, { outputs, deadLetters, leftOf, store: store?.path });
  const file = reportFile(ended, { exitCode: code, startedAt, endedAt: new Date() });
  if (lines.error !== undefined) log.tell(errorNote(lines.error, code, log));
  if (lines.summary.length > 0) {
    log.tell({ level: "info", event: "summary", text: lines.summary.join("\n"), facts: file });
  }
  await telemetry.end(ended);
  if (flags.report !== undefined) await writeReport(flags.report, file);
  return code;
}

interface Places {
  /** Patterns stand for the files that they came to. */
  readonly inputs: readonly string[];
  /** Undefined: the pipeline has a sink of its own. */
  readonly output: string | undefined;
  /** That, or those of the pipeline's own sink. */
  readonly outputs: readonly string[];
  readonly sink: StageInput | undefined;
  readonly deadLetters: string;
  readonly store: ReturnType<typeof storeOf>;
}

/** What the run reads and writes. @throws ConfigurationError for what cannot be, or must not be overwritten */
async function placesOf(job: Job, flags: RunFlags): Promise<Places> {
  const output = job.ownSink ? undefined : (flags.output ?? "-");
  const deadLetters = flags.deadLetters ?? (await deadLettersOf(output ?? "-"));
  const sink = sinkOf(output, flags);
  const outputs = output === undefined ? pathsOf(job.stages.at(-1)) : [output];
  const inputs = await filesOf(job.inputs);
  const store = storeOf(flags);
  await checkPlaces({ inputs, outputs, deadLetters, report: flags.report, store: store?.path });
  if (store === undefined && !flags.fresh) await refuseUnfinished(outputs, job.stages);
  return { inputs, output, outputs, sink, deadLetters, store };
}

interface Watching {
  readonly log: Log;
  readonly flags: RunFlags;
  readonly label: string;
}

/** How the run has ended, its progress shown until then. */
async function endOf(run: Run, { log, flags, label }: Watching): Promise<Ended> {
  const hide = showProgress(run.report, { how: flags.progress ?? "auto", log, label, limit: flags.limit });
  const stalled = () => standstill(run.report(), log);
  process.once("beforeExit", stalled);
  try {
    return { report: await run.done, error: undefined };
  } catch (error) {
    return { report: (error as RunError).report, error: error as RunError };
  } finally {
    hide();
    process.off("beforeExit", stalled);
  }
}

function storeOf({ store = STORE, fresh = false, retryFailed = false }: RunFlags) {
  if (store !== false) return { path: store, fresh, retryFailed };
  if (retryFailed)
    throw failure(
      "invalid_option",
      "--retry-failed is about stored answers: it wants a store, not --no-store (store: false).",
    );
  return undefined;
}

/** @throws ConfigurationError for what is for another kind of output. */
function sinkOf(output: string | undefined, { columns, table, key }: RunFlags): StageInput | undefined {
  const given = Object.entries({ columns, table, key }).filter(([, value]) => value !== undefined);
  const [first] = given;
  if (output === undefined) {
    if (first === undefined) return undefined;
    throw refused(`--${first[0]} is for the run's output, but the pipeline has a sink of its own`);
  }
  const database = databaseOf(output);
  if (columns !== undefined && (output === "-" || database || formatOf(output, undefined, "write()") !== "csv")) {
    throw refused("--columns is for CSV: give an --output that ends in .csv, .csv.gz or .csv.zst");
  }
  if ((table !== undefined || key !== undefined) && database === undefined) {
    const name = table === undefined ? "--key" : "--table";
    throw refused(`${name} is for a database: give an --output that ends in .db, or a postgres:// URL`);
  }
  if (database === "postgres" && holdsPassword(output)) {
    const why = "everybody on this machine can read a command line";
    throw refused(`--output must not hold a password: ${why}. Put it into PGPASSWORD or ~/.pgpass`);
  }
  return write(output, Object.fromEntries(given));
}

const refused = (why: string) => failure("invalid_option", `${why}.`);

function startFacts({ stages }: Job, { inputs, output, deadLetters, store }: Places): object {
  const asked = stages.flatMap((stage) => (stage instanceof Analyze ? [stage.provider] : []));
  const providers = asked.map(({ name, model, baseURL }) => ({ provider: name, model, baseURL: baseURL ?? null }));
  return { version: VERSION, inputs, output: output ?? null, deadLetters, store: store?.path ?? null, providers };
}

/** What is read, in a word. */
function labelOf(inputs: readonly string[]): string {
  const [first = "", ...more] = inputs;
  if (more.length > 0) return `${inputs.length} inputs`;
  return first === "-" ? "stdin" : basename(first);
}

/** Nothing is under way any more and the run has not ended: a stage has forgotten a record. */
function standstill(report: RunReport, log: Log): void {
  const stages = report.stages.map(({ name, in: took, out }) => `${name} ${took ?? "?"} → ${out ?? "?"}`).join(", ");
  const message = `The run came to a standstill: a stage took a record and never answered, neither with a result nor with an error (records in → out: ${stages}).`;
  log.tell(errorNote(failure("stage_failed", message), EXIT.stopped, log));
  process.exitCode = EXIT.stopped;
}
