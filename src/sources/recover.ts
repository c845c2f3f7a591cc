/** What Node's decompressors throw away when they fail: the output that stood before the fault. */

import type { Compression } from "../formats.ts";
import { Engine } from "./engine.ts";

/** Reads the input's bytes another time, from an offset up to (not with) another. */
export type Again = (from: number, to: number) => AsyncIterable<unknown>;

/** Compressed bytes that are kept of an input that can be read only once. Past them, up to 16 KiB of text are lost at a fault. */
const KEPT_BYTES = 16 * 1024 * 1024;

/** What went into one engine, and how much came out. */
export class History {
  readonly #again: Again | undefined;
  /** Offsets in the input: of the engine's first byte, and of the next one. */
  #begin = 0;
  #at = 0;
  #kept: Uint8Array[] | undefined = [];
  given = 0;

  constructor(again: Again | undefined) {
    this.#again = again;
  }

  took(bytes: Uint8Array): void {
    this.#at += bytes.length;
    if (this.#again !== undefined || this.#at - this.#begin > KEPT_BYTES) this.#kept = undefined;
    else this.#kept?.push(bytes);
  }

  gave(bytes: Buffer): Buffer {
    this.given += bytes.length;
    return bytes;
  }

  /** Another engine begins, so many bytes further on. */
  restart(skipped: number): void {
    this.#at += skipped;
    this.#begin = this.#at;
    this.#kept = [];
    this.given = 0;
  }

  /** All that was taken; undefined when it cannot be had any more. */
  pieces(): AsyncIterable<unknown> | Iterable<unknown> | undefined {
    if (this.#at === this.#begin) return [];
    return this.#again === undefined ? this.#kept : this.#again(this.#begin, this.#at);
  }
}

/**
 * Goes through an archive again, to the piece in which a fault lies, and through that byte by byte: so nothing but what the
 * fault's own byte gives can be thrown away. Gives what had not come out before.
 */
export async function* recovered(
  compression: Compression,
  history: History,
  faulty: Uint8Array,
): AsyncGenerator<Buffer, void, undefined> {
  const pieces = history.pieces();
  if (pieces === undefined) return;
  const engine = new Engine(compression);
  let known = history.given;
  try {
    for await (const piece of stepsOf(pieces, faulty)) {
      const { fault } = await engine.write(piece);
      for (const bytes of engine.ready.splice(0)) {
        const fresh = bytes.subarray(Math.min(known, bytes.length));
        known -= bytes.length - fresh.length;
        if (fresh.length > 0) yield fresh;
      }
      if (fault !== undefined || engine.ended) return;
    }
  } catch {
    // The fault that is told is the one that led here.
  } finally {
    engine.close();
  }
}

async function* stepsOf(
  pieces: AsyncIterable<unknown> | Iterable<unknown>,
  faulty: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) yield piece as Uint8Array;
  for (let at = 0; at < faulty.length; at++) yield faulty.subarray(at, at + 1);
}
