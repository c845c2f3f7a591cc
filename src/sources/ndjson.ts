/** NDJSON: each line a record, or why it is none. */

import { isAscii, isUtf8 } from "node:buffer";
import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import { nestedTooDeep, parseJson } from "../json.ts";
import { type Found, type ParserLimits, type RecordParser, SHOWN_BYTES } from "./found.ts";
import { type Line, LineSplitter } from "./lines.ts";

export class NdjsonParser implements RecordParser {
  readonly #file: string;
  readonly #limits: ParserLimits;
  readonly #splitter: LineSplitter;

  constructor(file: string, limits: ParserLimits) {
    this.#file = file;
    this.#limits = limits;
    this.#splitter = new LineSplitter(limits.maxLineBytes);
  }

  push(chunk: Buffer): Generator<Found, void, undefined> {
    return this.#found(this.#splitter.push(chunk));
  }

  end(): Generator<Found, void, undefined> {
    return this.#found(this.#splitter.end());
  }

  *#found(lines: Iterable<Line>): Generator<Found, void, undefined> {
    for (const line of lines) {
      const record = parseLine(line, this.#limits);
      if (record === undefined) continue;
      const source = { file: this.#file, line: line.number, byteOffset: line.byteOffset };
      if (isMillraceError(record)) yield { fault: record, record: null, raw: rawOf(line), source };
      else yield { record, source };
    }
  }
}

const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/** The record; `undefined` for a blank line; the reason why there is none. */
function parseLine(line: Line, limits: ParserLimits): object | undefined | MillraceError {
  if (line.length > limits.maxLineBytes) {
    return failure(
      "line_too_long",
      `The line has ${line.length} bytes, more than the ${limits.maxLineBytes} allowed (maxLineBytes).`,
    );
  }
  const bytes = line.bytes.at(-1) === CARRIAGE_RETURN ? line.bytes.subarray(0, -1) : line.bytes;
  if (isBlank(bytes)) return undefined;
  const ascii = isAscii(bytes);
  if (!ascii && !isUtf8(bytes)) return notUtf8(bytes, line.ended);
  if (nestedTooDeep(bytes, limits.maxDepth)) {
    return failure("too_deep", `The line is nested deeper than ${limits.maxDepth} levels (maxDepth).`);
  }
  const text = bytes.toString(ascii ? "latin1" : "utf8");
  try {
    const value = parseJson(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
    const whole = Array.isArray(value)
      ? " If the file is one array of records, read it as JSON: --from json (`format`)."
      : "";
    return failure("not_an_object", `The line holds ${named(value)}, not an object.${whole}`);
  } catch (error) {
    return notJson(error, text, line.ended);
  }
}

/** What a dead letter shows of a line that could not be read. */
const rawOf = (line: Line): string => line.bytes.subarray(0, SHOWN_BYTES).toString("utf8");

function isBlank(bytes: Buffer): boolean {
  // A line that starts with text, as nearly all do, is told by its first byte.
  for (const byte of bytes)
    if (byte > SPACE || (byte < SPACE && byte !== 0x09 && byte !== CARRIAGE_RETURN)) return false;
  return true;
}

export const named = (value: unknown): string =>
  value === null || value === undefined ? String(value) : Array.isArray(value) ? "an array" : `a ${typeof value}`;

function notUtf8(bytes: Buffer, ended: boolean): MillraceError {
  if (ended || !isUtf8Start(bytes)) {
    return failure("invalid_utf8", "The line is not valid UTF-8. Convert the file to UTF-8.");
  }
  return failure("truncated_line", "The last line ends in the middle of a character: the file may be cut.");
}

function isUtf8Start(bytes: Buffer): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** V8's own message may quote the text; only the position is taken from it. */
function notJson(error: unknown, text: string, ended: boolean): MillraceError {
  const position = error instanceof Error ? / JSON at position (\d+)[^"]*$/.exec(error.message)?.[1] : undefined;
  const column = position === undefined ? "" : ` (column ${Number(position) + 1})`;
  if (!ended) {
    return failure(
      "truncated_line",
      `The last line is not complete JSON${column} and has no line end: the file may be cut.`,
    );
  }
  const hint = text.includes("\r")
    ? " It holds bare carriage returns: convert the line ends to LF."
    : text.includes("\0")
      ? " It holds NUL characters: if the file is UTF-16, convert it to UTF-8."
      : "";
  return failure("invalid_json", `The line is not valid JSON${column}.${hint}`);
}
