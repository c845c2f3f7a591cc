/** A JSON array, at the top of its document or at a path in it: each item a record. */

import { isAscii, isUtf8 } from "node:buffer";
import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import { nestedTooDeep, parseJson } from "../json.ts";
import { type Found, type ParserLimits, type RecordParser, SHOWN_BYTES } from "./found.ts";
import { Frame } from "./frame.ts";
import { named } from "./ndjson.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const isOpening = (byte: number): boolean => byte === 0x5b || byte === 0x7b;
const isClosing = (byte: number): boolean => byte === 0x5d || byte === 0x7d;
const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const isStructure = (byte: number): boolean => byte === COMMA || byte === COLON || isOpening(byte) || isClosing(byte);

const lineFeed = (chunk: Buffer, from: number): number => {
  const at = chunk.indexOf(0x0a, from);
  return at === -1 ? chunk.length : at;
};

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

export interface JsonLimits extends ParserLimits {
  readonly path: string | undefined;
}

/**
 * The items are cut out by their brackets and parsed one by one, so that each has its exact place, none is lost to a
 * fault after it, and none needs tokens; stream-json sees a 0 in the place of each.
 */
export class JsonParser implements RecordParser {
  readonly #file: string;
  readonly #limits: JsonLimits;
  readonly #frame: Frame;
  /** Of the chunk's first byte. */
  #offset = 0;
  #inString = false;
  #escaped = false;
  #item: { readonly offset: number; readonly line: number; readonly kind: "nested" | "string" | "scalar" } | undefined;
  #depth = 0;
  #parts: Buffer[] = [];
  #length = 0;
  #index = 0;
  /** The line at the place that is read, and where in the chunk the next line feed lies. */
  #line = 1;
  #nextLine = 0;

  constructor(file: string, limits: JsonLimits) {
    this.#file = file;
    this.#limits = limits;
    this.#frame = new Frame(limits.path, limits.maxDepth);
  }

  *push(chunk: Buffer): Generator<Found, void, undefined> {
    let at = 0;
    this.#nextLine = lineFeed(chunk, 0);
    while (this.#offset + at < 3 && chunk[at] === BYTE_ORDER_MARK[this.#offset + at]) at++;
    while (at < chunk.length) {
      if (this.#item !== undefined) {
        const end = this.#itemEnd(chunk, at);
        this.#keep(chunk.subarray(at, end < 0 ? chunk.length : end));
        if (end < 0) break;
        const found = this.#taken();
        this.#index++;
        yield found;
        at = end;
      } else if (this.#frame.place === "inside") at = this.#between(chunk, at);
      else {
        const end = this.#runEnd(chunk, at);
        this.#feed(chunk.toString("latin1", at, end), this.#offset + at);
        at = end;
      }
    }
    this.#lineAt(chunk, chunk.length);
    this.#offset += chunk.length;
  }

  /** Each line feed is looked for once. */
  #lineAt(chunk: Buffer, at: number): number {
    while (this.#nextLine < at) {
      this.#line++;
      this.#nextLine = lineFeed(chunk, this.#nextLine + 1);
    }
    return this.#line;
  }

  end(): Iterator<Found, void, undefined> {
    if (this.#item !== undefined) throw this.#broken("is cut in the middle of an item", this.#item.offset);
    try {
      this.#frame.end();
    } catch (error) {
      if (isMillraceError(error)) throw error;
      throw this.#broken(this.#frame.empty ? "is empty" : "ends too early: it may be cut", this.#offset);
    }
    return [].values();
  }

  /** A comma, the array's end, or where an item begins. */
  #between(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && isSpace(chunk[at] as number)) at++;
    if (at === chunk.length) return at;
    const byte = chunk[at] as number;
    if (byte === COMMA || byte === 0x5d) {
      this.#feed(String.fromCharCode(byte), this.#offset + at);
      return at + 1;
    }
    this.#feed("0", this.#offset + at);
    const kind = isOpening(byte) ? "nested" : byte === QUOTE ? "string" : "scalar";
    this.#item = { offset: this.#offset + at, line: this.#lineAt(chunk, at), kind };
    this.#depth = 0;
    return at;
  }

  /** Of the bytes that can be fed together: a string or a part of it, a bracket, or what lies between two such. */
  #runEnd(chunk: Buffer, from: number): number {
    if (this.#inString) return this.#stringEnd(chunk, from);
    const first = chunk[from] as number;
    if (first === QUOTE) {
      this.#inString = true;
      return this.#stringEnd(chunk, from + 1);
    }
    if (isStructure(first)) return from + 1;
    let at = from;
    const spaces = isSpace(first);
    while (at < chunk.length) {
      const byte = chunk[at] as number;
      if (byte === QUOTE || isStructure(byte) || isSpace(byte) !== spaces) break;
      at++;
    }
    return at;
  }

  /** After the closing quote, or the chunk's end. */
  #stringEnd(chunk: Buffer, from: number): number {
    let at = from;
    if (this.#escaped && at < chunk.length) {
      this.#escaped = false;
      at++;
    }
    while (at < chunk.length) {
      const quote = chunk.indexOf(QUOTE, at);
      const last = quote === -1 ? chunk.length : quote;
      let slashes = 0;
      while (last - 1 - slashes >= at && chunk[last - 1 - slashes] === BACKSLASH) slashes++;
      const odd = slashes % 2 === 1;
      if (quote === -1) {
        this.#escaped = odd;
        return chunk.length;
      }
      at = quote + 1;
      if (odd) continue;
      this.#inString = false;
      return at;
    }
    return at;
  }

  /** After the item's last byte; -1 when that is still to come. */
  #itemEnd(chunk: Buffer, from: number): number {
    const kind = this.#item?.kind;
    let at = from;
    while (at < chunk.length) {
      if (this.#inString) {
        at = this.#stringEnd(chunk, at);
        if (this.#inString) return -1;
        if (kind === "string") return at;
        continue;
      }
      const byte = chunk[at] as number;
      if (kind === "scalar") {
        if (isStructure(byte) || isSpace(byte) || byte === QUOTE) {
          // A scalar has at least its first byte: what cannot begin a value is told by the parser of the item.
          return at === from && this.#length === 0 ? at + 1 : at;
        }
      } else if (byte === QUOTE) this.#inString = true;
      else if (isOpening(byte)) this.#depth++;
      else if (isClosing(byte) && --this.#depth === 0) return at + 1;
      at++;
    }
    return -1;
  }

  /** Of an item past the limit, only as much as is shown. */
  #keep(part: Buffer): void {
    if (this.#length <= Math.max(this.#limits.maxLineBytes, SHOWN_BYTES)) this.#parts.push(part);
    this.#length += part.length;
  }

  #taken(): Found {
    const { maxLineBytes, maxDepth } = this.#limits;
    const bytes = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
    const { offset, line } = this.#item ?? { offset: 0, line: 1 };
    const length = this.#length;
    const source = { file: this.#file, line, byteOffset: offset };
    this.#item = undefined;
    this.#parts = [];
    this.#length = 0;
    const lost = (fault: MillraceError): Found => {
      return { fault, record: null, raw: bytes.subarray(0, SHOWN_BYTES).toString("utf8"), source };
    };
    if (length > maxLineBytes) {
      const message = `The item has ${length} bytes, more than the ${maxLineBytes} allowed (maxLineBytes).`;
      return lost(failure("line_too_long", message));
    }
    const ascii = isAscii(bytes);
    if (!ascii && !isUtf8(bytes)) {
      return lost(failure("invalid_utf8", "The item is not valid UTF-8. Convert the file to UTF-8."));
    }
    if (nestedTooDeep(bytes, maxDepth)) {
      return lost(failure("too_deep", `The item is nested deeper than ${maxDepth} levels (maxDepth).`));
    }
    const value = this.#parsed(bytes.toString(ascii ? "latin1" : "utf8"), offset);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { record: value, source };
    return lost(failure("not_an_object", `The item is ${named(value)}, not an object.`));
  }

  #parsed(text: string, offset: number): unknown {
    try {
      return parseJson(text);
    } catch (error) {
      const position = error instanceof Error ? / JSON at position (\d+)[^"]*$/.exec(error.message)?.[1] : undefined;
      const at = position === undefined ? 0 : Buffer.byteLength(text.slice(0, Number(position)));
      throw this.#broken("is not valid JSON", offset + at);
    }
  }

  #feed(piece: string, offset: number): void {
    try {
      this.#frame.feed(piece);
    } catch (error) {
      throw isMillraceError(error) ? error : this.#broken("is not valid JSON", offset);
    }
  }

  /** The parser's own message may quote the text. */
  #broken(how: string, offset: number): MillraceError {
    return failure(
      "source_failed",
      `Reading ${this.#file} failed: it ${how} (at byte ${offset}, after item ${this.#index}).`,
    );
  }
}
