/** Bytes → lines, in linear time and bounded memory whatever the chunks and the lines are. */

import { SHOWN_BYTES } from "./found.ts";

/** One line without its line feed. */
export interface Line {
  /** The line's bytes; only the first `SHOWN_BYTES` of one that is too long. */
  readonly bytes: Buffer;
  /** From 1. */
  readonly number: number;
  /** Of its first byte, from 0. */
  readonly byteOffset: number;
  /** Its whole length. */
  readonly length: number;
  /** False for a last line that no line feed follows. */
  readonly ended: boolean;
}

const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Splits on LF only: CR and U+2028 are not line ends in NDJSON, so `readline` will not do. Each byte is searched once and
 * copied at most once, so that a line of many chunks costs no more than many lines.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  /** A line past the limit is kept this far, so that its beginning can be shown. */
  readonly #kept: number;
  #parts: Buffer[] = [];
  #length = 0;
  #number = 1;
  #lineOffset = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#kept = Math.max(maxBytes, SHOWN_BYTES);
  }

  *push(chunk: Buffer): Generator<Line, void, undefined> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, start);
      if (end === -1) break;
      yield this.#line(chunk.subarray(start, end), true);
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** What follows the last line feed, if anything does. */
  *end(): Generator<Line, void, undefined> {
    if (this.#length > 0) yield this.#line(Buffer.alloc(0), false);
  }

  #keep(part: Buffer): void {
    // Past the limit the line is lost anyway; its length still counts.
    if (this.#length <= this.#kept) this.#parts.push(part);
    this.#length += part.length;
    if (this.#length > this.#kept) this.#parts = [firstOf(this.#parts)];
  }

  #line(last: Buffer, ended: boolean): Line {
    const length = this.#length + last.length;
    const whole = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
    const tooLong = length > this.#maxBytes;
    let bytes = tooLong ? whole.subarray(0, SHOWN_BYTES) : whole;
    if (this.#number === 1 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) bytes = bytes.subarray(3);
    const line = { bytes, number: this.#number, byteOffset: this.#lineOffset, length, ended };
    this.#number++;
    this.#lineOffset += length + 1;
    this.#parts = [];
    this.#length = 0;
    return line;
  }
}

/** A copy, so that the lost line's memory can go. */
function firstOf(parts: readonly Buffer[]): Buffer {
  const first = Buffer.alloc(SHOWN_BYTES);
  let kept = 0;
  for (const part of parts) {
    if (kept === SHOWN_BYTES) break;
    kept += part.copy(first, kept);
  }
  return first.subarray(0, kept);
}
