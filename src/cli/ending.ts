/** What a finished or broken run comes to: its exit code and the last lines on stderr. Pure. */

import type { FailureLimit } from "../config/values.ts";
import { type ErrorCode, scopeOf } from "../errors.ts";
import { databaseOf } from "../formats.ts";
import type { RunError, RunReport } from "../index.ts";
import { EXIT, exitCodeOf, readerLeft } from "./exit.ts";
import { summary } from "./summary.ts";
import { count } from "./words.ts";

export interface Ended {
  readonly report: RunReport;
  readonly error: RunError | undefined;
}

interface Circumstances {
  /** The exit code of the signal that came, if one did. */
  readonly signal: number | undefined;
  readonly maxFailures: FailureLimit | undefined;
}

/** A signal that came too late to stop anything changes nothing. */
export function exitCodeFor({ report, error }: Ended, { signal, maxFailures = { count: 0 } }: Circumstances): number {
  if (error === undefined) {
    const allowed = "count" in maxFailures ? maxFailures.count : maxFailures.share * report.read;
    return report.deadLettered > allowed ? EXIT.tooManyFailures : EXIT.finished;
  }
  return error.code === "aborted" && signal !== undefined ? signal : exitCodeOf(error);
}

interface Places {
  /** `-` is stdout. None where the pipeline has a sink of its own that has no name. */
  readonly outputs: readonly string[];
  readonly deadLetters: string;
  /** Where what a run that did not end has written to a path lies, if anywhere. */
  readonly leftOf: (path: string) => string | undefined;
  /** Where the answers are kept; undefined: nowhere. */
  readonly store: string | undefined;
}

interface LastWords {
  /** What ended the run, if it is to be told; said even when quiet. */
  readonly error: RunError | undefined;
  readonly summary: readonly string[];
}

export function lastWords({ report, error }: Ended, code: number, places: Places): LastWords {
  const interrupted = code === EXIT.interrupted || code === EXIT.terminated;
  const told = error !== undefined && !interrupted && !readerLeft(error);
  const blamed = told ? error : undefined;
  // Of a mistake, and to a reader who has left, there is nothing more to say.
  if (code === EXIT.usage || readerLeft(error)) return { error: blamed, summary: [] };
  const whole = error === undefined;
  const ending = whole ? "Done" : interrupted ? "Interrupted" : "Stopped";
  const kept = whole ? places : keptOf(places, report);
  const lines = [
    ...summary(report, { ending, ...kept }),
    ...(whole && report.read === 0
      ? ["No record was read: the input has none, or --skip passed over all of them."]
      : []),
    ...adviceFor(code, kept),
    ...again(report, { code, store: places.store }),
  ];
  return { error: blamed, summary: lines };
}

/** A run that ended early leaves its files under their partial names; of nothing written, nothing is left. */
function keptOf({ outputs, deadLetters, leftOf, store }: Places, report: RunReport): Places {
  const left = (output: string) => (output === "-" || databaseOf(output) !== undefined ? output : leftOf(output));
  return {
    outputs: report.written > 0 ? outputs.flatMap((output) => left(output) ?? []) : [],
    deadLetters: leftOf(deadLetters) ?? deadLetters,
    leftOf,
    store,
  };
}

/** Verdicts that were paid for, and are kept. */
const FINAL: ReadonlySet<ErrorCode> = new Set(["refused", "content_filtered", "invalid_answer", "truncated_answer"]);

/** How failed records are tried again, after a run that came to its end. */
function again(
  { failures }: RunReport,
  { code, store }: { readonly code: number; readonly store: string | undefined },
): string[] {
  if (store === undefined || (code !== EXIT.finished && code !== EXIT.tooManyFailures)) return [];
  const all = Object.entries(failures) as [ErrorCode, number][];
  const sum = (chosen: typeof all) => chosen.reduce((total, [, times]) => total + times, 0);
  const passing = sum(all.filter(([failed]) => scopeOf(failed) === "retry" || scopeOf(failed) === "wait"));
  const final = sum(all.filter(([failed]) => FINAL.has(failed)));
  if (passing + final === 0) return [];
  const retried = `The same command again tries ${count(passing)} of them again, at the price of these only`;
  const whose = final === 1 ? "one whose answer was" : `${count(final)} whose answers were`;
  const anew = `--retry-failed asks anew for the ${whose} of no use`;
  if (final === 0) return [`${retried}.`];
  return [passing === 0 ? `With the same command, ${anew}.` : `${retried}; ${anew}.`];
}

function adviceFor(code: number, { outputs, deadLetters, store }: Omit<Places, "leftOf">): string[] {
  switch (code) {
    case EXIT.tooManyFailures:
      return [`The output is complete but for the failed records; ${deadLetters} says which and why.`];
    case EXIT.stopped:
    case EXIT.interrupted:
    case EXIT.terminated:
      if (outputs.some(databaseOf)) {
        return [`The rows committed so far are in ${outputs.join(", ")}; run it again to have them all.`];
      }
      if (store !== undefined) {
        const first = code === EXIT.stopped ? "Once that is settled, run" : "Run";
        return [`${first} the same command again to go on: what was answered is not paid for twice.`];
      }
      if (outputs.length === 0 || outputs.includes("-")) return ["Run it again to start anew."];
      return [`What was done is kept in ${outputs.join(", ")}; run it again with --fresh to start anew.`];
    default:
      return [];
  }
}
