/** One decompressor of Node's, driven piece by piece. */

import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Compression } from "../formats.ts";
import { ZstdFrame } from "./zstd-frame.ts";

/**
 * Output comes in pieces of this size, each of which costs a turn of the event loop: with 16 KiB, Node's default, the thread
 * that unpacks waits for the one that parses. That in which a fault lies Node throws away.
 */
const OUTPUT_BYTES = 256 * 1024;

/** Unpacking rests while so much waits to be taken: of a bomb, one piece becomes gigabytes. */
const READY_BYTES = 512 * 1024;

// What is pushed while it rests stops it at once, so that no fault can come while the stream holds output.
const SETTINGS = { chunkSize: OUTPUT_BYTES, readableHighWaterMark: 1 };

const ENGINES = {
  gzip: () => createGunzip(SETTINGS),
  zstd: () => createZstdDecompress(SETTINGS),
} as const satisfies Record<Compression, () => Transform>;

/** How far a piece is: what has become of it is ready, and there may be more of it. */
export type Step =
  | { readonly done: false }
  | { readonly done: true; readonly fault: Error | undefined; readonly taken: number };

const MORE: Step = { done: false };

/** Unpacks one archive: of gzip all members that follow one another, of zstd one frame. */
export class Engine {
  readonly #stream: ReturnType<(typeof ENGINES)[Compression]>;
  readonly #frame: ZstdFrame | undefined;
  #ready: Buffer[] = [];
  #readyBytes = 0;
  #given = 0;
  #over = false;
  /** Who waits for the next step, or the step that nobody has waited for yet. */
  #tell: ((step: Step) => void) | undefined;
  #told: Step | undefined;

  constructor(compression: Compression) {
    this.#frame = compression === "zstd" ? new ZstdFrame() : undefined;
    this.#stream = ENGINES[compression]();
    this.#stream.on("data", (chunk: Buffer) => this.#gave(chunk)).on("error", () => {});
  }

  /** It will take no more: the archive ended before its input did. */
  get ended(): boolean {
    return this.#over;
  }

  /** What has come out since the last time. Never left in the stream: failing, it would throw it away. */
  take(): readonly Buffer[] {
    const ready = this.#ready;
    this.#ready = [];
    this.#readyBytes = 0;
    return ready;
  }

  /** Resolves at the piece's first step; `more` gives the next one. */
  write(piece: Uint8Array): Promise<Step> {
    const end = this.#frame?.push(piece) ?? -1;
    const own = end === -1 ? piece : piece.subarray(0, end);
    const stream = this.#stream;
    const before = stream.bytesWritten;
    // After a fault zlib does not call back.
    const failed = (fault: Error) => this.#step({ done: true, fault, taken: own.length });
    stream.once("error", failed);
    stream.write(own, () => {
      stream.off("error", failed);
      // The end and a fault are told a turn later.
      setImmediate(() => {
        this.#drain();
        const taken = stream.bytesWritten - before;
        if (stream.errored) failed(stream.errored);
        else if (end === -1) {
          this.#over = stream.readableEnded;
          this.#step({ done: true, fault: undefined, taken });
        } else void this.#finish().then((fault) => this.#step({ done: true, fault, taken: own.length }));
      });
    });
    return this.more();
  }

  more(): Promise<Step> {
    return new Promise((resolve) => {
      const told = this.#told;
      this.#told = undefined;
      if (told !== undefined) return resolve(told);
      this.#tell = resolve;
      if (this.#stream.isPaused()) this.#stream.resume();
    });
  }

  /** The input has ended. Resolves when all is ready, with what is wrong. */
  async end(): Promise<Error | undefined> {
    return this.#over ? undefined : await this.#finish();
  }

  #finish(): Promise<Error | undefined> {
    const stream = this.#stream;
    this.#over = true;
    return new Promise((resolve) => {
      if (stream.errored || stream.readableEnded) return resolve(stream.errored ?? undefined);
      stream
        .once("error", resolve)
        .once("end", () => resolve(this.#short()))
        .resume()
        .end();
    });
  }

  /** What libzstd says nothing of. */
  #short(): Error | undefined {
    const { content = this.#given, ended = true } = this.#frame ?? {};
    if (!ended) return new Error("unexpected end of file");
    return content === this.#given ? undefined : new Error(`it holds ${this.#given} bytes, not the ${content} it says`);
  }

  #gave(chunk: Buffer): void {
    this.#ready.push(chunk);
    this.#readyBytes += chunk.length;
    this.#given += chunk.length;
    if (this.#readyBytes < READY_BYTES || this.#tell === undefined) return;
    this.#stream.pause();
    this.#step(MORE);
  }

  #drain(): void {
    while (this.#stream.read() !== null);
  }

  #step(step: Step): void {
    const tell = this.#tell;
    this.#tell = undefined;
    if (tell === undefined) this.#told = step;
    else tell(step);
  }

  close(): void {
    this.#stream.destroy();
  }
}
