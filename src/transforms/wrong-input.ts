/** When the first records all lack what is asked about, the input is of another kind than the command takes it for. Pure. */

import { failure, type MillraceError } from "../errors.ts";

/** So many first records without content stop the run. */
const FIRST = 20;

export class WrongInput {
  #lacking = 0;
  #last: MillraceError | undefined;
  /** One record had it: whatever follows, this is the right input. */
  #right = false;

  answered(): void {
    this.#right = true;
  }

  /** Takes a record's fault. @throws `invalid_option` when it is the last of so many first ones */
  failed(fault: MillraceError): void {
    if (fault.code !== "missing_content") this.#right = true;
    if (this.#right) return;
    this.#last = fault;
    if (++this.#lacking === FIRST) throw this.#wrong(fault);
  }

  /** To be asked when all records have ended: a short input may be the wrong one, too. */
  atEnd(): MillraceError | undefined {
    return this.#right || this.#last === undefined ? undefined : this.#wrong(this.#last);
  }

  #wrong({ message }: MillraceError): MillraceError {
    const all = this.#lacking === 1 ? "The only record" : `The first ${this.#lacking} records`;
    const last = this.#lacking === 1 ? "" : "the last ";
    return failure("invalid_option", `${all} cannot be asked about, ${last}because: ${message}`);
  }
}
