/** What Node's decompressors throw away when they fail: the output that stood before the fault. */

import type { Compression } from "../formats.ts";
import { Engine } from "./engine.ts";

/** Reads the input's bytes another time, from an offset up to (not with) another. */
export type Again = (from: number, to: number) => AsyncIterable<unknown>;

/** Compressed bytes that are kept of an input that can be read only once. Past them, up to 256 KiB of text are lost at a fault. */
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

  gave(batch: readonly Buffer[]): readonly Buffer[] {
    for (const bytes of batch) this.given += bytes.length;
    return batch;
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

/** The piece in which the fault lies is gone through in steps of so many bytes, then that one of them in which it lies. */
const STEPS = [256, 1];

/**
 * Goes through an archive again, to the piece in which a fault lies, and closer and closer to its byte: so nothing but what
 * that byte gives can be thrown away. Gives what had not come out before.
 */
export async function* recovered(
  compression: Compression,
  history: History,
  faulty: Uint8Array,
): AsyncGenerator<Buffer, void, undefined> {
  let known = history.given;
  let good: readonly Uint8Array[] = [];
  let bad = faulty;
  for (const size of STEPS) {
    const pieces = history.pieces();
    if (pieces === undefined) return;
    const replay = new Replay(compression, known);
    const steps = [...good, ...cut(bad, size)];
    try {
      for await (const piece of pieces) yield* replay.give(piece as Uint8Array);
      for (const step of steps) if (!replay.over) yield* replay.give(step);
    } catch {
      // The fault that is told is the one that led here.
      return;
    } finally {
      replay.close();
    }
    const { faulty: met } = replay;
    if (met === undefined || !steps.includes(met)) return;
    good = steps.slice(0, steps.indexOf(met));
    bad = met;
    known = Math.max(known, replay.given);
  }
}

/** An engine that is given again what another one was. */
class Replay {
  readonly #engine: Engine;
  readonly #known: number;
  given = 0;
  faulty: Uint8Array | undefined;

  /** So many bytes have come out before. */
  constructor(compression: Compression, known: number) {
    this.#engine = new Engine(compression);
    this.#known = known;
  }

  get over(): boolean {
    return this.faulty !== undefined || this.#engine.ended;
  }

  async *give(piece: Uint8Array): AsyncGenerator<Buffer, void, undefined> {
    for (let step = await this.#engine.write(piece); ; step = await this.#engine.more()) {
      for (const bytes of this.#engine.take()) {
        const fresh = bytes.subarray(Math.max(0, this.#known - this.given));
        this.given += bytes.length;
        if (fresh.length > 0) yield fresh;
      }
      if (!step.done) continue;
      if (step.fault !== undefined) this.faulty = piece;
      return;
    }
  }

  close(): void {
    this.#engine.close();
  }
}

function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
