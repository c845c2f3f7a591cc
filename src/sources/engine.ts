/** One decompressor of Node's, driven piece by piece. */

import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Compression } from "../formats.ts";

/** Output comes in pieces of this size; that in which a fault lies Node throws away. */
const OUTPUT_BYTES = 16 * 1024;

const ENGINES = {
  gzip: () => createGunzip({ chunkSize: OUTPUT_BYTES }),
  zstd: () => createZstdDecompress({ chunkSize: OUTPUT_BYTES }),
} as const satisfies Record<Compression, () => Transform>;

/** Its output is never left in it: failing, it would throw it away. */
export class Engine {
  readonly ready: Buffer[] = [];
  readonly #stream: ReturnType<(typeof ENGINES)[Compression]>;

  constructor(compression: Compression) {
    this.#stream = ENGINES[compression]();
    this.#stream.on("data", (chunk: Buffer) => this.ready.push(chunk)).on("error", () => {});
  }

  /** It will take no more: an archive ended before its input did. */
  get ended(): boolean {
    return this.#stream.readableEnded;
  }

  /** Resolves when all that the piece becomes is ready. After a fault zlib does not call back. */
  write(piece: Uint8Array): Promise<{ readonly fault: Error | undefined; readonly taken: number }> {
    const stream = this.#stream;
    const before = stream.bytesWritten;
    return new Promise((resolve) => {
      const failed = (fault: Error) => resolve({ fault, taken: piece.length });
      stream.once("error", failed);
      stream.write(piece, () => {
        stream.off("error", failed);
        setImmediate(() => resolve({ fault: stream.errored ?? undefined, taken: stream.bytesWritten - before }));
      });
    });
  }

  end(): Promise<Error | undefined> {
    const stream = this.#stream;
    return new Promise((resolve) => {
      if (stream.errored || stream.readableEnded) return resolve(stream.errored ?? undefined);
      stream
        .once("error", resolve)
        .once("end", () => resolve(undefined))
        .end();
    });
  }

  close(): void {
    this.#stream.destroy();
  }
}
