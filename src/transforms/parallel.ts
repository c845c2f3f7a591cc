/**
 * Bounded parallelism: at most `width` records and `maxBytes` bytes of them and their results at once, in order or not.
 *
 * The engine is parallel-transform 1.2, kept behind a Node Duplex because by itself it
 * - loses the error of a function that throws, hangs on one that rejects, and answers twice where it is called twice:
 *   here it only sees a callback that is called once, with a result, by a promise that cannot reject;
 * - after an error emits a clean `end`, so that a cut output looks complete: here errors never reach it;
 * - overrides `destroy` (no error, `destroyed` stays false), knows no AbortSignal and lets calls in flight run on: here
 *   the Duplex is what gets destroyed, and every call in flight is aborted with it;
 * - holds back by count only: here intake also stops at `maxBytes`.
 */

import { Duplex } from "node:stream";
import parallelTransform from "parallel-transform";
import { failure } from "../errors.ts";
import { drop, sizeOf } from "../record.ts";

export interface ParallelOptions {
  /** Records admitted at once, at most. */
  readonly width: number;
  /** Records admitted at once for now; asked again whenever one leaves, and by `reconsider`. Left out: `width`. */
  readonly widthNow?: () => number;
  /** Bytes of records and results held at once, about. One record is always admitted. */
  readonly maxBytes: number;
  /** Results leave in the order of their records. */
  readonly ordered: boolean;
}

/** Answers for one record; `drop` leaves nothing. A rejection destroys the stream. `signal` is aborted when it is. */
export type Work = (record: unknown, signal: AbortSignal) => Promise<unknown>;

/** A record on its way in or a result on its way out, and what it weighs: weighed once, whatever becomes of it outside. Made by `new`: see src/README.md. */
class Held {
  readonly value: unknown;
  readonly bytes: number;

  constructor(value: unknown, bytes: number) {
    this.value = value;
    this.bytes = bytes;
  }
}

type Engine = ReturnType<typeof parallelTransform>;

export class Parallel extends Duplex {
  readonly #work: Work;
  readonly #options: ParallelOptions;
  readonly #engine: Engine;
  readonly #abort = new AbortController();
  #heldBytes = 0;
  #held = 0;
  #intake: (() => void) | undefined;

  constructor(work: Work, options: ParallelOptions) {
    super({ objectMode: true, highWaterMark: 1 });
    this.#work = work;
    this.#options = options;
    // With the engine's own buffers at 1, what it holds is its width.
    const settings = { ordered: options.ordered, highWaterMark: 1, objectMode: true };
    this.#engine = parallelTransform(
      options.width,
      settings,
      (record: Held, callback) => void this.#run(record, callback),
    );
    this.#engine.on("data", (done: Held) => this.#hand(done));
    this.#engine.on("error", (error) => this.destroy(error));
  }

  /** Called when every record is done, before the stream ends; a rejection destroys it instead. */
  protected async settle(): Promise<void> {}

  async #run(record: Held, callback: (error: null, done: Held | null) => void): Promise<void> {
    try {
      const value = await this.#work(record.value, this.#abort.signal);
      if (this.destroyed) return;
      // Passed on, it would end the stream.
      if (value === null || value === undefined) throw failure("internal", "The work for a record gave nothing.");
      const bytes = value === drop ? 0 : sizeOf(value);
      this.#hold(bytes - record.bytes, value === drop ? -1 : 0);
      callback(null, value === drop ? null : new Held(value, bytes));
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Whether records wait for others to leave. */
  protected get full(): boolean {
    return this.#intake !== undefined;
  }

  /** Called when the window has room again after it was full. */
  protected reopened(): void {}

  #hasRoom(): boolean {
    const { maxBytes, widthNow } = this.#options;
    return this.#heldBytes <= maxBytes && (widthNow === undefined || this.#held < widthNow());
  }

  #hold(bytes: number, records: number): void {
    this.#heldBytes += bytes;
    this.#held += records;
    this.reconsider();
  }

  /** Takes in more where `widthNow` has risen. */
  protected reconsider(): void {
    if (this.#intake === undefined || !this.#hasRoom()) return;
    const resume = this.#intake;
    this.#intake = undefined;
    this.reopened();
    resume();
  }

  #hand(done: Held): void {
    this.#hold(-done.bytes, -1);
    if (!this.push(done.value)) this.#engine.pause();
  }

  override _read(): void {
    this.#engine.resume();
  }

  override _write(record: unknown, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const held = new Held(record, sizeOf(record));
    this.#heldBytes += held.bytes;
    this.#held++;
    this.#engine.write(held, () => {
      if (this.#hasRoom()) callback();
      else this.#intake = callback;
    });
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#engine.end();
    this.#engine.once("end", () => {
      this.settle().then(() => {
        this.push(null);
        callback();
      }, callback);
    });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#abort.abort(error ?? new DOMException("The stream was destroyed", "AbortError"));
    this.#engine.destroy();
    callback(error);
  }
}
