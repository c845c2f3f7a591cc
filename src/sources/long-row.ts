/** Where a CSV row ends that is too long to be kept: by its quotes and line ends alone, byte by byte. */

import { SHOWN_BYTES } from "./found.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** `quote`: after a quote within quotes, which closes them unless another follows. `return`: a line feed may follow. */
type State = "start" | "plain" | "quoted" | "quote" | "return";

/** Reads quotes as csv-parse does with `relax_quotes`: they open at a field's beginning only. */
export class LongRow {
  #state: State = "start";
  #first = Buffer.alloc(0);
  /** Bytes and line ends so far, the row's own line end included. */
  length = 0;
  lines = 0;

  /** The row's first bytes. */
  get shown(): string {
    return this.#first.toString("utf8");
  }

  /** After a CR: nothing but its line feed can still belong to it. */
  get ended(): boolean {
    return this.#state === "return";
  }

  /** A quote is open. */
  get open(): boolean {
    return this.#state === "quoted";
  }

  /** @returns the index after the row's end; -1 when that is still to come. */
  push(chunk: Buffer): number {
    const end = this.#end(chunk);
    const part = end === -1 ? chunk : chunk.subarray(0, end);
    this.#first = Buffer.concat([this.#first, part.subarray(0, SHOWN_BYTES - this.#first.length)]);
    this.length += part.length;
    return end;
  }

  #end(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length) {
      const byte = chunk[at] as number;
      if (this.#state === "return") {
        if (byte !== LINE_FEED) return at;
        return at + 1;
      }
      if (this.#state === "quoted") {
        const quote = chunk.indexOf(QUOTE, at);
        const upTo = quote === -1 ? chunk.length : quote;
        this.#count(chunk, at, upTo);
        if (quote !== -1) this.#state = "quote";
        at = upTo + 1;
        continue;
      }
      if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
        this.lines++;
        if (byte === LINE_FEED) return at + 1;
        this.#state = "return";
      } else if (byte === QUOTE && this.#state !== "plain") this.#state = "quoted";
      else this.#state = byte === COMMA ? "start" : "plain";
      at++;
    }
    return -1;
  }

  /** A CR at a chunk's end within quotes: a line feed that follows belongs to it. */
  #afterReturn = false;

  #count(chunk: Buffer, from: number, upTo: number): void {
    for (let at = from; at < upTo; at++) {
      const byte = chunk[at];
      if (byte === CARRIAGE_RETURN || (byte === LINE_FEED && !this.#afterReturn)) this.lines++;
      this.#afterReturn = byte === CARRIAGE_RETURN;
    }
    if (upTo < chunk.length) this.#afterReturn = false;
  }
}
