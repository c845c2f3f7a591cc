/** CSV: the first row names the fields, each further row is a record of strings. The rows are csv-parse's work. */

import { isAscii, isUtf8 } from "node:buffer";
import { failure, type MillraceError } from "../errors.ts";
import type { Source } from "../record.ts";
import { type Found, type ParserLimits, type RecordParser, SHOWN_BYTES } from "./found.ts";
import { LongRow, lineEnds } from "./long-row.ts";
import { type Row, Rows } from "./rows.ts";

const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;

/** csv-parse is given so much at a time: the rows of more would leave the processor's cache before they are taken. */
const PIECE_BYTES = 32 * 1024;

/** Between names in a header that has no comma: a single field with one of them is hardly a name. */
const OTHER_SEPARATORS = /[^;\t|][;\t|][^;\t|]/;

export class CsvParser implements RecordParser {
  readonly #file: string;
  readonly #maxBytes: number;
  #rows: Rows | undefined;
  #returns = false;
  /** The row that is passed over, being too long. */
  #long: LongRow | undefined;
  /** What has come since the last row's end, where that begins, and where what `#rows` was given begins. */
  #parts: Buffer[] = [];
  #offset = 0;
  #rowsOffset = 0;
  #waiting = 0;
  /** Of the row that is being read. */
  #rowOffset = 0;
  #line = 1;
  /** Whether `#parts` are known to hold no quote, and nothing but ASCII: then no row need be looked at for it. */
  #unquoted = true;
  #ascii = true;
  #names: readonly string[] | undefined;
  /** No field has the one name that must be defined, not assigned. */
  #plain = true;

  constructor(file: string, { maxLineBytes }: ParserLimits) {
    this.#file = file;
    this.#maxBytes = maxLineBytes;
  }

  *push(chunk: Buffer): Generator<Found, void, undefined> {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      let piece = chunk.subarray(at, at + PIECE_BYTES);
      if (this.#long !== undefined) {
        const end = this.#long.push(piece);
        if (end === -1) continue;
        yield this.#passed(this.#long);
        piece = piece.subarray(end);
      }
      yield* this.#foundIn(this.#rowsOf(piece));
      if (this.#waiting === 0) this.#parts = [];
      else if (this.#offset < this.#rowOffset) this.#parts = [this.#bytesTo(this.#rowOffset + this.#waiting)];
      this.#offset = this.#rowOffset;
      if (this.#waiting > this.#maxBytes) this.#passOver();
    }
  }

  async end(): Promise<Iterator<Found, void, undefined>> {
    if (this.#long !== undefined) return [this.#passed(this.#long)].values();
    const { rows = [], fault } = (await this.#rows?.last()) ?? {};
    return this.#lastOf(rows, fault);
  }

  *#lastOf(rows: readonly Row[], fault: unknown): Generator<Found, void, undefined> {
    yield* this.#foundIn(rows);
    if (fault !== undefined) yield this.#openQuote(fault);
  }

  /** csv-parse looks a few bytes ahead, and at its end takes what it has for a row, whole or not. */
  async broken(): Promise<Iterator<Found, void, undefined>> {
    if (this.#long !== undefined || this.#rows === undefined) return [].values();
    const pending = Buffer.concat(this.#parts);
    let whole = 0;
    while (whole < pending.length) {
      const row = new LongRow();
      const end = row.push(pending.subarray(whole));
      if (end === -1 && !row.ended) break;
      whole = end === -1 ? pending.length : whole + end;
    }
    const { rows } = await this.#rows.last();
    const lastEnd = this.#rowOffset + whole - this.#rowsOffset;
    return this.#foundIn(rows.filter(({ end }) => end <= lastEnd));
  }

  /** The rest of such a row is not kept. What has come of it decides where it ends. */
  #passOver(): void {
    const long = new LongRow();
    // It may have ended already, in the bytes that csv-parse still looks at.
    if (long.push(Buffer.concat(this.#parts)) !== -1 || long.ended) return;
    this.#long = long;
    this.#parts = [];
    this.#rows?.destroy();
    this.#rows = undefined;
  }

  #passed(long: LongRow): Found {
    const fault = long.open ? openQuote(long.length) : this.#tooLong(long.length);
    const source = { file: this.#file, line: this.#line, byteOffset: this.#rowOffset };
    this.#line += long.lines;
    this.#rowOffset += long.length;
    this.#offset = this.#rowOffset;
    this.#waiting = 0;
    this.#long = undefined;
    return this.#lost(fault, long.shown, source);
  }

  #rowsOf(piece: Buffer): readonly Row[] {
    if (piece.length === 0) return [];
    this.#unquoted = (this.#waiting === 0 || this.#unquoted) && !piece.includes(QUOTE);
    this.#ascii = (this.#waiting === 0 || this.#ascii) && isAscii(piece);
    this.#parts.push(piece);
    this.#waiting += piece.length;
    const returns = this.#returns || piece.includes(CARRIAGE_RETURN);
    if (this.#rows !== undefined && returns === this.#returns) return this.#rows.feed(piece);
    // The first carriage return makes a new parser, which reads anew the row that it is in: so this costs one row.
    this.#returns = returns;
    this.#rowsOffset = this.#rowOffset;
    this.#rows?.destroy();
    const rows = new Rows({ fromStart: this.#rowOffset === 0, returns });
    this.#rows = rows;
    return this.#parts.flatMap((part) => rows.feed(part));
  }

  *#foundIn(rows: readonly Row[]): Generator<Found, void, undefined> {
    for (const { fields, end: endInRows } of rows) {
      const end = this.#rowsOffset + endInRows;
      if (!this.#isBlank(fields, end)) {
        const source = { file: this.#file, line: this.#line, byteOffset: this.#rowOffset };
        const fault = this.#faultOf(fields, end - this.#rowOffset);
        if (fault !== undefined) yield this.#lost(fault, shownOf(this.#bytesTo(end)), source);
        else if (this.#names === undefined) this.#header(fields, { source, quoted: this.#isQuoted(end) });
        else yield { record: this.#record(fields, this.#names), source };
      }
      this.#line += this.#unquoted ? 1 : lineEnds(this.#bytesTo(end));
      this.#waiting -= end - this.#rowOffset;
      this.#rowOffset = end;
    }
  }

  /** An empty line. A single field that is empty has its quotes. */
  #isBlank(fields: readonly string[], end: number): boolean {
    return fields.length === 1 && fields[0] === "" && !this.#isQuoted(end);
  }

  #isQuoted(end: number): boolean {
    return !this.#unquoted && this.#bytesTo(end).includes(QUOTE);
  }

  /** From the row's beginning. */
  #bytesTo(end: number): Buffer {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts)];
    return (this.#parts[0] as Buffer).subarray(this.#rowOffset - this.#offset, end - this.#offset);
  }

  #faultOf(fields: readonly string[], length: number): MillraceError | undefined {
    if (length > this.#maxBytes) return this.#tooLong(length);
    if (!this.#ascii && !isUtf8(this.#bytesTo(this.#rowOffset + length))) {
      return failure("invalid_utf8", "The row is not valid UTF-8. Convert the file to UTF-8.");
    }
    const count = this.#names?.length ?? fields.length;
    if (fields.length === count) return undefined;
    return failure("invalid_csv", `The row has ${fields.length} fields, but the header names ${count}.`);
  }

  #lost(fault: MillraceError, raw: string, source: Source): Found {
    // Without a header, no row says anything.
    if (this.#names === undefined) throw failure("invalid_option", `${this.#file}: header: ${fault.message}`);
    return { fault, record: null, raw, source };
  }

  #header(names: readonly string[], { source: { line }, quoted }: { source: Source; quoted: boolean }): void {
    const twice = [...new Set(names.filter((name, at) => names.indexOf(name) !== at))];
    if (twice.length > 0) {
      const named = twice.map((name) => JSON.stringify(name)).join(", ");
      const message = `${this.#file}:${line}: the header names ${named} more than once. Give each column a name of its own.`;
      throw failure("invalid_option", message);
    }
    const [only = ""] = names;
    if (names.length === 1 && !quoted && OTHER_SEPARATORS.test(only)) throw this.#separated(only, line);
    this.#names = names;
    this.#plain = !names.includes("__proto__");
  }

  #separated(header: string, line: number): MillraceError {
    const by = header.includes(";") ? "semicolon" : header.includes("\t") ? "tab" : "pipe";
    const why = `${this.#file}:${line}: the fields seem to be separated by ${by}s, and CSV is read with commas only`;
    return failure(
      "invalid_option",
      `${why}. Save it with commas, or convert it, as with: mlr --icsv --ifs ${by} --ocsv cat`,
    );
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

  #openQuote(cause: unknown): Found {
    if (!(cause instanceof Error && "code" in cause && cause.code === "CSV_QUOTE_NOT_CLOSED")) throw cause;
    const bytes = Buffer.concat(this.#parts);
    const source = { file: this.#file, line: this.#line, byteOffset: this.#rowOffset };
    return this.#lost(openQuote(bytes.length), shownOf(bytes), source);
  }
}

const shownOf = (bytes: Buffer): string => bytes.subarray(0, SHOWN_BYTES).toString("utf8");

const openQuote = (length: number): MillraceError =>
  failure(
    "truncated_line",
    `The row has a quote that is never closed: it takes in the rest of the file, ${length} bytes.`,
  );
