/** CSV: the first row names the fields, each further row is a record of strings. The rows are csv-parse's work. */

import { isAscii, isUtf8 } from "node:buffer";
import { finished } from "node:stream/promises";
import { type Parser, parse } from "csv-parse";
import { failure, type MillraceError } from "../errors.ts";
import type { Source } from "../record.ts";
import { type Found, type ParserLimits, type RecordParser, SHOWN_BYTES } from "./found.ts";
import { LongRow } from "./long-row.ts";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export class CsvParser implements RecordParser {
  readonly #file: string;
  readonly #maxBytes: number;
  #rows: Parser;
  /** Where the parser's first byte stood. */
  #base = 0;
  /** The row that is passed over, being too long. */
  #long: LongRow | undefined;
  /** What has come since the last row's end, and where that is. */
  #parts: Buffer[] = [];
  #rowOffset = 0;
  #waiting = 0;
  /** Rows that end behind it are not whole. */
  #lastEnd = Number.POSITIVE_INFINITY;
  #line = 1;
  #names: readonly string[] | undefined;
  /** A field of that name must be defined, not assigned. */
  #plain = true;
  #found: Found[] = [];

  constructor(file: string, { maxLineBytes }: ParserLimits) {
    this.#file = file;
    this.#maxBytes = maxLineBytes;
    this.#rows = this.#parser();
  }

  #parser(): Parser {
    const rows = parse({
      bom: this.#base === 0,
      // All three: a file's lines need not all end in the same way.
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      // A quote in a field that does not begin with one is a quote.
      relax_quotes: true,
      on_record: (fields: string[], { bytes }: { bytes: number }) => this.#row(fields, this.#base + bytes),
    });
    return rows.on("error", () => {});
  }

  push(chunk: Buffer): Iterator<Found, void, undefined> {
    let rest = chunk;
    while (rest.length > 0) rest = this.#long === undefined ? this.#parsed(rest) : this.#passed(this.#long, rest);
    return this.#taken();
  }

  async end(): Promise<Iterator<Found, void, undefined>> {
    if (this.#long !== undefined) {
      this.#rejectLong(this.#long);
      return this.#taken();
    }
    this.#rows.resume().end();
    const fault = await finished(this.#rows).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (fault !== undefined) this.#openQuote(fault);
    return this.#taken();
  }

  /** csv-parse looks a few bytes ahead, and at its end takes what it has for a row, whole or not. */
  async broken(): Promise<Iterator<Found, void, undefined>> {
    if (this.#long !== undefined) return this.#taken();
    const pending = Buffer.concat(this.#parts);
    let whole = 0;
    while (whole < pending.length) {
      const row = new LongRow();
      const end = row.push(pending.subarray(whole));
      if (end === -1 && !row.ended) break;
      whole = end === -1 ? pending.length : whole + end;
    }
    this.#lastEnd = this.#rowOffset + whole;
    this.#rows.resume().end();
    await finished(this.#rows).catch(() => {});
    return this.#taken();
  }

  #parsed(chunk: Buffer): Buffer {
    this.#parts.push(chunk);
    this.#waiting += chunk.length;
    // csv-parse works as it is written to: when this returns, all rows of the chunk but for its last bytes have come.
    this.#rows.write(chunk);
    if (this.#rows.errored) throw this.#rows.errored;
    if (this.#waiting > this.#maxBytes) this.#passOver();
    return NOTHING;
  }

  /** The rest of such a row is not kept. What has come of it decides where it ends. */
  #passOver(): void {
    const long = new LongRow();
    // It may have ended already, in the bytes that csv-parse still looks at.
    if (long.push(Buffer.concat(this.#parts)) !== -1 || long.ended) return;
    this.#long = long;
    this.#parts = [];
    this.#rows.destroy();
  }

  #passed(long: LongRow, chunk: Buffer): Buffer {
    const end = long.push(chunk);
    if (end === -1) return NOTHING;
    this.#rejectLong(long);
    return chunk.subarray(end);
  }

  #rejectLong(long: LongRow): void {
    const fault = long.open ? openQuote(long.length) : this.#tooLong(long.length);
    const source = { file: this.#file, line: this.#line, byteOffset: this.#rowOffset };
    this.#reject(fault, long.shown, source);
    this.#line += long.lines;
    this.#rowOffset += long.length;
    this.#base = this.#rowOffset;
    this.#waiting = 0;
    this.#long = undefined;
    this.#rows = this.#parser();
  }

  #taken(): Iterator<Found, void, undefined> {
    const found = this.#found;
    this.#found = [];
    return found.values();
  }

  /** `end`: the offset of the byte after the row. */
  #row(fields: string[], end: number): undefined {
    if (end > this.#lastEnd) return;
    const bytes = this.#bytesTo(end);
    const source = { file: this.#file, line: this.#line, byteOffset: end - bytes.length };
    this.#line += lineEnds(bytes);
    // An empty line. A single field that is empty has its quotes.
    if (fields.length === 1 && fields[0] === "" && !bytes.includes(0x22)) return;
    const fault = this.#faultOf(fields, bytes);
    if (fault !== undefined) this.#reject(fault, shownOf(bytes), source);
    else if (this.#names === undefined) this.#header(fields, source);
    else this.#found.push({ record: this.#record(fields, this.#names), source });
  }

  #bytesTo(end: number): Buffer {
    const whole = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
    const length = end - this.#rowOffset;
    this.#parts = length === whole.length ? [] : [whole.subarray(length)];
    this.#rowOffset = end;
    this.#waiting = whole.length - length;
    return whole.subarray(0, length);
  }

  #faultOf(fields: readonly string[], bytes: Buffer): MillraceError | undefined {
    if (bytes.length > this.#maxBytes) return this.#tooLong(bytes.length);
    if (!isAscii(bytes) && !isUtf8(bytes)) {
      return failure("invalid_utf8", "The row is not valid UTF-8. Convert the file to UTF-8.");
    }
    const count = this.#names?.length ?? fields.length;
    if (fields.length === count) return undefined;
    return failure("invalid_csv", `The row has ${fields.length} fields, but the header names ${count}.`);
  }

  #reject(fault: MillraceError, raw: string, source: Source): void {
    // Without a header, no row says anything.
    if (this.#names === undefined) throw failure("invalid_option", `${this.#file}: header: ${fault.message}`);
    this.#found.push({ fault, record: null, raw, source });
  }

  #header(names: readonly string[], { line }: Source): void {
    const twice = [...new Set(names.filter((name, at) => names.indexOf(name) !== at))];
    if (twice.length > 0) {
      const named = twice.map((name) => JSON.stringify(name)).join(", ");
      const message = `${this.#file}:${line}: the header names ${named} more than once. Give each column a name of its own.`;
      throw failure("invalid_option", message);
    }
    this.#names = names;
    this.#plain = !names.includes("__proto__");
  }

  #record(fields: readonly string[], names: readonly string[]): object {
    if (!this.#plain) {
      // fromEntries defines; assigning would set the prototype.
      return Object.fromEntries(names.map((name, at) => [name, fields[at]]));
    }
    const record: Record<string, string> = {};
    for (let at = 0; at < names.length; at++) record[names[at] as string] = fields[at] as string;
    return record;
  }

  #tooLong(length: number): MillraceError {
    const message = `The row has ${length} bytes, more than the ${this.#maxBytes} allowed (maxLineBytes).`;
    return failure("line_too_long", message);
  }

  #openQuote(cause: unknown): void {
    if (!(cause instanceof Error && "code" in cause && cause.code === "CSV_QUOTE_NOT_CLOSED")) throw cause;
    const bytes = Buffer.concat(this.#parts);
    const source = { file: this.#file, line: this.#line, byteOffset: this.#rowOffset };
    this.#reject(openQuote(bytes.length), shownOf(bytes), source);
  }
}

const NOTHING = Buffer.alloc(0);

const shownOf = (bytes: Buffer): string => bytes.subarray(0, SHOWN_BYTES).toString("utf8");

const openQuote = (length: number): MillraceError =>
  failure(
    "truncated_line",
    `The row has a quote that is never closed: it takes in the rest of the file, ${length} bytes.`,
  );

/** LF, CRLF and CR alike; csv-parse counts a CRLF in quotes twice. */
function lineEnds(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) count++;
  for (let at = bytes.indexOf(CARRIAGE_RETURN); at !== -1; at = bytes.indexOf(CARRIAGE_RETURN, at + 1)) {
    if (bytes[at + 1] !== LINE_FEED) count++;
  }
  return count;
}
