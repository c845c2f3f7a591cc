/** gzip and zstd → the bytes in them: what is good comes out before the fault of what is not. */

import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Compression } from "../formats.ts";

export interface DecompressLimits {
  /** Bytes that may come out at most. */
  readonly maxBytes: number;
  /** How often what went in may come out, once `RATIO_FREE` bytes have. */
  readonly maxRatio: number;
}

/** So much may come out of however little: a small file that is highly repetitive is no bomb. */
export const RATIO_FREE = 64 * 1024 * 1024;

/** Text has 3 to 20; gzip ends at 1,032. */
export const MAX_RATIO = 1_000;

/** Input is passed on in pieces of this size, so that what one of them becomes is at most some 16 MiB. */
const PIECE_BYTES = 16 * 1024;

/** Output comes in pieces of this size; that which a corrupt place lies in is lost. */
const OUTPUT_BYTES = 16 * 1024;

const ENGINES = {
  gzip: () => createGunzip({ chunkSize: OUTPUT_BYTES }),
  zstd: () => createZstdDecompress({ chunkSize: OUTPUT_BYTES }),
} as const satisfies Record<Compression, () => Transform>;

/** By the first bytes. */
export function signatureOf(bytes: Uint8Array): Compression | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return "gzip";
  return bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd ? "zstd" : undefined;
}

/**
 * The next piece is under way while what became of the last one is taken: zlib works on a thread of its own.
 *
 * @throws Error for what is cut, corrupt or past its limits
 */
export async function* decompressed(
  chunks: AsyncIterable<unknown>,
  compression: Compression,
  limits: DecompressLimits,
): AsyncGenerator<Buffer, void, undefined> {
  const batches = unpacked(chunks, compression, limits);
  try {
    for (let next = batches.next(); ; ) {
      const { done, value } = await next;
      if (done === true) return;
      next = batches.next();
      // Its fault is met above, once what stood before it is taken.
      next.catch(() => {});
      yield* value;
    }
  } finally {
    await batches.return();
  }
}

/** Not a plain pipe: a stream that fails throws away what it had ready. Members and frames may follow one another. */
async function* unpacked(
  chunks: AsyncIterable<unknown>,
  compression: Compression,
  limits: DecompressLimits,
): AsyncGenerator<readonly Buffer[], void, undefined> {
  const guard = new OutputGuard(limits);
  let engine = new Engine(compression);
  try {
    for await (const chunk of chunks) {
      for (const piece of pieces(bytesOf(chunk))) {
        for (let rest = piece; rest.length > 0; ) {
          const { fault, taken } = await engine.write(rest);
          guard.took(taken);
          yield* guard.passed(engine.ready.splice(0));
          if (fault !== undefined) throw corrupt(compression, fault);
          if (!engine.ended) break;
          // Node goes on with a gzip member by itself, but not with a zstd frame: unasked it would drop all that follows.
          rest = rest.subarray(taken);
          if (rest.every((byte) => byte === 0)) return;
          engine.close();
          engine = new Engine(compression);
        }
      }
    }
    const fault = await engine.end();
    yield* guard.passed(engine.ready.splice(0));
    // An empty file is no archive, but neither is anything lost.
    if (fault !== undefined && !guard.idle) throw corrupt(compression, fault);
  } finally {
    engine.close();
  }
}

/** One decompressor of Node's, whose output is never left in it: failing, it would throw it away. */
class Engine {
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

class OutputGuard {
  readonly #limits: DecompressLimits;
  #in = 0;
  #out = 0;

  constructor(limits: DecompressLimits) {
    this.#limits = limits;
  }

  get idle(): boolean {
    return this.#in === 0;
  }

  took(bytes: number): void {
    this.#in += bytes;
  }

  /** All that is within the limits, then the fault. */
  *passed(batch: readonly Buffer[]): Generator<readonly Buffer[], void, undefined> {
    let passed = 0;
    try {
      for (; passed < batch.length; passed++) this.#count(batch[passed] as Buffer);
    } finally {
      if (passed > 0) yield batch.slice(0, passed);
    }
  }

  #count(bytes: Buffer): void {
    this.#out += bytes.length;
    const { maxBytes, maxRatio } = this.#limits;
    if (this.#out > maxBytes) {
      throw new Error(`it holds more than the ${maxBytes} bytes allowed (maxBytes).`);
    }
    if (this.#out > RATIO_FREE && this.#out > maxRatio * this.#in) {
      throw new Error(
        `it grows more than ${maxRatio} times when decompressed, as no text does: it may be a bomb. If it is not, raise maxRatio.`,
      );
    }
  }
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new Error("it is compressed, but the stream gives text, not bytes. Leave out its encoding.");
}

function corrupt(compression: Compression, cause: Error) {
  const cut = "code" in cause && (cause.code === "Z_BUF_ERROR" || /end of file/.test(cause.message));
  const what = cut ? "ends too early: it is cut" : `is corrupt (${cause.message})`;
  return new Error(`the ${compression} archive ${what}. What stood before was read; get the file again.`, { cause });
}
