/** Whether a run can still work: pure, fed with how each record ended at the provider. Being told to wait is no end. */

import { type ErrorCode, failure, type MillraceError } from "../errors.ts";

/** So many first records failing in one way stop the run. */
const FIRST = 20;

/** More than half of the last so many failing stop it too. */
const LAST = 200;

export class Prospects {
  #ended = 0;
  #failed = 0;
  /** The one way in which all have failed so far. */
  #only: ErrorCode | undefined;
  readonly #last: boolean[] = [];
  #lastFailed = 0;

  /** Takes the end of one record, with its error if it failed; the error to stop with, if there is no hope. */
  add(error?: MillraceError): MillraceError | undefined {
    this.#ended++;
    if (this.#ended === 1) this.#only = error?.code;
    else if (error?.code !== this.#only) this.#only = undefined;
    this.#slide(error !== undefined);
    if (error === undefined) return undefined;
    this.#failed++;
    if (this.#ended === FIRST && this.#only !== undefined)
      return hopeless(`The first ${FIRST} records all failed`, error);
    if (this.#last.length === LAST && this.#lastFailed * 2 > LAST) {
      return hopeless(`${this.#lastFailed} of the last ${LAST} records failed`, error);
    }
    this.#sample = error;
    return undefined;
  }

  #sample: MillraceError | undefined;

  /** To be asked when all records have ended: a short run in which all failed in one way did not work either. */
  atEnd(): MillraceError | undefined {
    if (this.#only === undefined || this.#sample === undefined || this.#failed !== this.#ended) return undefined;
    return hopeless(this.#ended === 1 ? "The only record failed" : `All ${this.#ended} records failed`, this.#sample);
  }

  #slide(failed: boolean): void {
    this.#last.push(failed);
    if (failed) this.#lastFailed++;
    if (this.#last.length > LAST && this.#last.shift()) this.#lastFailed--;
  }
}

const hopeless = (what: string, error: MillraceError): MillraceError =>
  failure("hopeless", `${what}, the last with: ${error.message} Stopped, since the rest would fail as well.`, {
    cause: error,
    status: error.status,
    attempts: error.attempts,
  });
