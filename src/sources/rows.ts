/** Bytes → rows of fields, by csv-parse. */

import { finished } from "node:stream/promises";
import { Parser } from "csv-parse";

export interface Row {
  readonly fields: readonly string[];
  /** The offset of the byte after it, from the first byte that was fed. */
  readonly end: number;
}

export interface RowOptions {
  /** Whether the first bytes are those of the file. */
  readonly fromStart: boolean;
  /** Whether a carriage return can come: each kind of line end is looked for at each byte. */
  readonly returns: boolean;
}

export class Rows extends Parser {
  #read: Row[] = [];

  constructor({ fromStart, returns }: RowOptions) {
    super({
      bom: fromStart,
      // All three: a file's lines need not all end in the same way.
      record_delimiter: returns ? ["\r\n", "\n", "\r"] : ["\n"],
      relax_column_count: true,
      // A quote in a field that does not begin with one is a quote.
      relax_quotes: true,
    });
    this.on("error", () => {});
  }

  /**
   * csv-parse puts its rows here. They need no buffer, nor to be told about in objects of its own. What more was done here
   * would be compiled into its loop over the bytes, and slow that.
   */
  override push(fields: string[] | null): boolean {
    if (fields === null) return super.push(null);
    this.#read.push({ fields, end: this.info.bytes });
    return true;
  }

  /** The rows whose end is certain: csv-parse works as it is written to. */
  feed(bytes: Buffer): readonly Row[] {
    this.write(bytes);
    if (this.errored) throw this.errored;
    return this.#taken();
  }

  /** The last row, and what is wrong with what follows it. */
  async last(): Promise<{ readonly rows: readonly Row[]; readonly fault?: unknown }> {
    this.resume().end();
    return await finished(this).then(
      () => ({ rows: this.#taken() }),
      (fault: unknown) => ({ rows: this.#taken(), fault }),
    );
  }

  #taken(): readonly Row[] {
    const rows = this.#read;
    this.#read = [];
    return rows;
  }
}
