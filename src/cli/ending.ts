/** What a finished or broken run comes to: its exit code and the last lines on stderr. Pure. */

import type { FailureLimit } from "../config/values.ts";
import { databaseOf } from "../formats.ts";
import type { RunError, RunReport } from "../index.ts";
import { EXIT, exitCodeOf, messageOf, readerLeft } from "./exit.ts";
import { summary } from "./summary.ts";

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
  /** `-` for stdout; undefined where the pipeline has a sink of its own. */
  readonly output: string | undefined;
  readonly deadLetters: string;
  /** Where what a run that did not end has written to a path lies, if anywhere. */
  readonly leftOf: (path: string) => string | undefined;
  /** Where the answers are kept; undefined: nowhere. */
  readonly store: string | undefined;
}

interface LastWords {
  /** Said even when quiet. */
  readonly errors: readonly string[];
  readonly summary: readonly string[];
}

export function lastWords({ report, error }: Ended, code: number, places: Places): LastWords {
  const interrupted = code === EXIT.interrupted || code === EXIT.terminated;
  const told = error !== undefined && !interrupted && !readerLeft(error);
  const errors = told ? [`millrace: ${messageOf(error)}`] : [];
  // Of a mistake, and to a reader who has left, there is nothing more to say.
  if (code === EXIT.usage || readerLeft(error)) return { errors, summary: [] };
  const whole = error === undefined;
  const ending = whole ? "Done" : interrupted ? "Interrupted" : "Stopped";
  const kept = whole ? places : keptOf(places, report);
  return { errors, summary: [...summary(report, { ending, ...kept }), ...adviceFor(code, kept)] };
}

/** A run that ended early leaves its files under their partial names; of nothing written, nothing is left. */
function keptOf({ output, deadLetters, leftOf, store }: Places, report: RunReport): Places {
  const file = output !== undefined && output !== "-" && databaseOf(output) === undefined;
  const left = file ? leftOf(output) : output;
  return {
    output: report.written > 0 ? left : undefined,
    deadLetters: leftOf(deadLetters) ?? deadLetters,
    leftOf,
    store,
  };
}

function adviceFor(code: number, { output, deadLetters, store }: Omit<Places, "leftOf">): string[] {
  switch (code) {
    case EXIT.tooManyFailures:
      return [`The output is complete but for the failed records; ${deadLetters} says which and why.`];
    case EXIT.stopped:
    case EXIT.interrupted:
    case EXIT.terminated:
      if (output !== undefined && databaseOf(output) !== undefined) {
        return [`The rows committed so far are in ${output}; run it again to have them all.`];
      }
      if (store !== undefined) return ["Run the same command again to go on: what was answered is not paid for twice."];
      if (output === undefined || output === "-") return ["Run it again to start anew."];
      return [`What was done is kept in ${output}; run it again with --fresh to start anew.`];
    default:
      return [];
  }
}
