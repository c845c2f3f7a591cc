/** Input fields that options name for the output: whether any record has them. What a question needs is refused by itself. */

import { fieldAt, fieldNames } from "../fields.ts";
import { Missing } from "../missing.ts";
import { warn } from "../warn.ts";
import type { AnalyzeOptions } from "./analyze-options.ts";

/** Warns once of those that none of the first records has. */
export class NamedFields {
  readonly #all: readonly Missing[];

  constructor({ keep, fields: { content: _asked, ...told } = {} }: Pick<AnalyzeOptions<unknown>, "fields" | "keep">) {
    this.#all = [
      new Missing("Fields to keep (--keep)", keep === undefined || keep === "all" ? [] : keep),
      new Missing("Fields mapped to others (--map)", Object.values(told)),
    ];
  }

  met(record: unknown): void {
    for (const missing of this.#all) {
      if (!missing.looking) continue;
      tell(missing.met(fieldNames(record), (path) => fieldAt(record, path) !== undefined));
    }
  }

  /** There are no more records. */
  end(): void {
    for (const missing of this.#all) tell(missing.end());
  }
}

const tell = (message: string | undefined) => message && warn(message);
