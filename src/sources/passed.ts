/** How far inputs were read, in their bytes. What still waits to be parsed is not read yet. */

import type { Source } from "../record.ts";
import type { InputCounts } from "../stage.ts";
import type { OpenInput } from "./input.ts";

export class Passed implements InputCounts {
  readonly #all: { readonly bytes: number | null };
  #open: OpenInput | undefined;
  /** Of inputs that have ended. */
  #before = 0;
  /** What came of the open one, and where in it the last record stood. */
  #came = 0;
  #offset = 0;

  /** @param all what all of them come to */
  constructor(all: { readonly bytes: number | null }) {
    this.#all = all;
  }

  get bytesRead(): number {
    return this.#before + (this.#open?.packed() ?? this.#offset);
  }

  get bytesTotal(): number | null {
    return this.#all.bytes;
  }

  begin(input: OpenInput): void {
    this.#open = input;
    this.#came = 0;
    this.#offset = 0;
  }

  came(bytes: number): void {
    this.#came += bytes;
  }

  /** A record of the open input is taken. */
  at(source: Source | null): void {
    if (source !== null && this.#open !== undefined) this.#offset = source.byteOffset;
  }

  /** The open input has come to its end. */
  end(): void {
    this.#before += this.#open?.packed() ?? this.#came;
    this.#open = undefined;
    this.#offset = 0;
  }
}
