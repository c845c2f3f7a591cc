/** Fields that were asked for and that no record has: said once, early, so that a misspelt one costs few answers. */

import { listed, quoted } from "./fields.ts";
import { nearest } from "./options.ts";

/** Records that are looked at before it is said. */
const FIRST_RECORDS = 100;

/** Fields remembered to say what a misspelt one may have been. */
const MOST_SEEN = 1_000;

/** What is missing in a stream of records, as it goes by: pure, whoever feeds it tells what it says. */
export class Missing {
  readonly #what: string;
  readonly #missing: Set<string>;
  readonly #seen = new Set<string>();
  #records = 0;

  /** @param what the fields, as a sentence about them begins: `CSV columns` */
  constructor(what: string, fields: readonly string[]) {
    this.#what = what;
    this.#missing = new Set(fields);
  }

  /** False: whatever the next record has, nothing will be said of it. */
  get looking(): boolean {
    return this.#missing.size > 0 && this.#records < FIRST_RECORDS;
  }

  /**
   * Takes the next record.
   *
   * @param names of its fields, for the message
   * @param has whether it has a field; left out: whether that is among the names
   * @returns what is to be said, if it is time to say something
   */
  met(names: Iterable<string>, has?: (name: string) => boolean): string | undefined {
    if (!this.looking) return undefined;
    for (const name of names) {
      if (has === undefined) this.#missing.delete(name);
      if (this.#seen.size < MOST_SEEN) this.#seen.add(name);
    }
    if (has !== undefined) for (const name of this.#missing) if (has(name)) this.#missing.delete(name);
    return ++this.#records === FIRST_RECORDS ? this.#said(`the first ${FIRST_RECORDS} records`) : undefined;
  }

  /** Of fewer records than were waited for. */
  end(): string | undefined {
    if (!this.looking || this.#records === 0) return undefined;
    const said = this.#said(this.#records === 1 ? "1 record" : `the ${this.#records} records`);
    this.#missing.clear();
    return said;
  }

  #said(records: string): string | undefined {
    if (this.#missing.size === 0) return undefined;
    const seen = [...this.#seen];
    const names = [...this.#missing].map((name) => {
      const near = nearest(name, seen);
      return near === undefined ? quoted(name) : `${quoted(name)} (did you mean ${quoted(near)}?)`;
    });
    return `${this.#what} that none of ${records} has: ${names.join(", ")}. They have: ${listed(seen)}.`;
  }
}
