/** Runs stages as a command: signals, progress, summary, exit code. */

import { writeFile } from "node:fs/promises";
import type { RunFlags } from "../config/options.ts";
import { failure } from "../errors.ts";
import { type RunError, type RunReport, read, type StageInput, write } from "../index.ts";
import { startRun } from "../pipeline.ts";
import { type Ended, exitCodeFor, lastWords } from "./ending.ts";
import { checkPlaces, deadLettersOf, refuseUnfinished } from "./places.ts";
import { showProgress } from "./progress.ts";
import { onSignals } from "./signals.ts";

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
  const places = { output: job.ownSink ? undefined : output, deadLetters: letters };
  await checkPlaces({ ...places, input: job.input, report: flags.report });
  if (!job.ownSink && !flags.fresh) await refuseUnfinished(output, job.stages);

  const abort = new AbortController();
  const stop = new AbortController();
  const stages = [read(job.input), ...job.stages, ...(job.ownSink ? [] : [write(output)])];
  const run = startRun(stages, { deadLetters: write(letters), signal: abort.signal, stop: stop.signal });
  const say = (line: string) => flags.quiet || process.stderr.write(`${line}\n`);
  const signals = onSignals({ stop, abort, grace: flags.grace ?? GRACE, say });
  const hide = flags.quiet ? () => {} : showProgress(run.report, flags.progress ?? "auto");
  const ended: Ended = await run.done.then(
    (report) => ({ report, error: undefined }),
    (error: RunError) => ({ report: error.report, error }),
  );
  hide();
  const code = exitCodeFor(ended, { signal: signals.release(), maxFailures: flags.maxFailures });
  const lines = lastWords(ended, code, places);
  for (const line of lines.errors) process.stderr.write(`${line}\n`);
  for (const line of lines.summary) say(line);
  if (flags.report !== undefined) await writeReport(flags.report, ended.report, code);
  return code;
}

async function writeReport(path: string, report: RunReport, exitCode: number): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify({ exitCode, ...report }, null, 2)}\n`);
  } catch (cause) {
    throw failure("sink_failed", `The report could not be written to ${path}: ${(cause as Error).message}`, { cause });
  }
}
