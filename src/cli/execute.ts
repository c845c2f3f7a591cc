/** Runs stages as a command: signals, progress, summary, exit code. */

import { writeFile } from "node:fs/promises";
import type { FailureLimit, RunFlags } from "../config/options.ts";
import { failure } from "../errors.ts";
import { type RunError, type RunReport, read, type StageInput, write } from "../index.ts";
import { startRun } from "../pipeline.ts";
import { EXIT, exitCodeOf, messageOf, readerLeft } from "./exit.ts";
import { checkPlaces, deadLettersOf, refuseUnfinished } from "./places.ts";
import { showProgress } from "./progress.ts";
import { onSignals } from "./signals.ts";
import { summary } from "./summary.ts";

const GRACE = 20_000;

/** What a command brings to its run. */
export interface Job {
  readonly input: string;
  readonly stages: readonly StageInput[];
  /** The last stage takes the output's place. */
  readonly ownSink: boolean;
}

/** @returns the exit code. @throws ConfigurationError before anything is sent. */
export async function execute(job: Job, flags: RunFlags): Promise<number> {
  const output = flags.output ?? "-";
  const letters = flags.deadLetters ?? (await deadLettersOf(job.ownSink ? "-" : output));
  await checkPlaces({ input: job.input, output: job.ownSink ? undefined : output, deadLetters: letters });
  if (!job.ownSink && !flags.fresh) await refuseUnfinished(output, job.stages);

  const abort = new AbortController();
  const stop = new AbortController();
  const stages = [read(job.input), ...job.stages, ...(job.ownSink ? [] : [write(output)])];
  const run = startRun(stages, { deadLetters: write(letters), signal: abort.signal, stop: stop.signal });
  const say = (line: string) => flags.quiet || process.stderr.write(`${line}\n`);
  const signals = onSignals({ stop, abort, grace: flags.grace ?? GRACE, say });
  const hide = flags.quiet ? () => {} : showProgress(run.report, flags.progress ?? "auto");
  const ended = await run.done.then(
    (report) => ({ report, error: undefined }),
    (error: RunError) => ({ report: error.report, error }),
  );
  hide();
  const signal = signals.release();

  const places = { output: job.ownSink ? "as the pipeline says" : output, deadLetters: letters };
  const code =
    signal ?? (ended.error === undefined ? verdict(ended.report, flags.maxFailures) : exitCodeOf(ended.error));
  if (ended.error !== undefined && signal === undefined && !readerLeft(ended.error)) {
    process.stderr.write(`millrace: ${messageOf(ended.error)}\n`);
  }
  if (code !== EXIT.usage)
    for (const line of summary(ended.report, { ending: endingOf(code), ...placed(places, ended.error) })) say(line);
  const advice = adviceFor(code, places.deadLetters);
  if (advice !== undefined) say(advice);
  if (flags.report !== undefined) await writeReport(flags.report, ended.report, code);
  return code;
}

/** A run that ended early leaves its files under their partial names. */
function placed(places: { output: string; deadLetters: string }, error: unknown) {
  if (error === undefined) return places;
  const partial = (path: string) => (path === "-" || path.includes(" ") ? path : `${path}.partial`);
  return { output: partial(places.output), deadLetters: partial(places.deadLetters) };
}

function verdict(report: RunReport, limit: FailureLimit = { count: 0 }): number {
  const allowed = "count" in limit ? limit.count : limit.share * report.read;
  return report.deadLettered > allowed ? EXIT.tooManyFailures : EXIT.finished;
}

function endingOf(code: number): string {
  if (code === EXIT.finished || code === EXIT.tooManyFailures) return "Done";
  return code === EXIT.interrupted || code === EXIT.terminated ? "Interrupted" : "Stopped";
}

function adviceFor(code: number, deadLetters: string): string | undefined {
  switch (code) {
    case EXIT.tooManyFailures:
      return `The output is complete but for the failed records; ${deadLetters} says which and why.`;
    case EXIT.stopped:
      return "What was done is kept. Mend the cause and run it again with --fresh.";
    case EXIT.interrupted:
    case EXIT.terminated:
      return "What was done is kept. Run it again with --fresh to start anew.";
    default:
      return undefined;
  }
}

async function writeReport(path: string, report: RunReport, exitCode: number): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify({ exitCode, ...report }, null, 2)}\n`);
  } catch (cause) {
    throw failure("sink_failed", `The report could not be written to ${path}: ${(cause as Error).message}`, { cause });
  }
}
