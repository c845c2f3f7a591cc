/** gzip and zstd → the bytes in them: what is good comes out before the fault of what is not. */

import type { Compression } from "../formats.ts";
import { Engine } from "./engine.ts";
import { type Again, History, recovered } from "./recover.ts";

export interface DecompressLimits {
  /** Bytes that may come out at most. */
  readonly maxBytes: number;
  /** How often what went in may come out, once `RATIO_FREE` bytes have. */
  readonly maxRatio: number;
}

/** So much may come out of however little: a small file that is highly repetitive is no bomb. */
const RATIO_FREE = 64 * 1024 * 1024;

/** Text has 3 to 20; gzip ends at 1,032. */
export const MAX_RATIO = 1_000;

/** Input is passed on in pieces of this size: one turn of the event loop each. */
export const PIECE_BYTES = 64 * 1024;

const SIGNATURES = {
  gzip: [0x1f, 0x8b],
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
} as const satisfies Record<Compression, readonly number[]>;

/** By the first bytes. */
export function signatureOf(bytes: Uint8Array): Compression | undefined {
  const all = Object.entries(SIGNATURES) as [Compression, readonly number[]][];
  return all.find(([, signature]) => signature.every((byte, at) => bytes[at] === byte))?.[0];
}

/** Too few bytes to tell. */
export const mayBegin = (bytes: Uint8Array): boolean =>
  Object.values(SIGNATURES).some(
    (signature) => bytes.length < signature.length && bytes.every((byte, at) => byte === signature[at]),
  );

interface Unpacking extends DecompressLimits {
  /** Hears how many more bytes of the input were made use of. */
  readonly took?: ((bytes: number) => void) | undefined;
  /** Reads bytes of the input another time, from an offset up to another, where that can be done. */
  readonly again?: Again | undefined;
}

/**
 * The next piece is under way while what became of the last one is taken: zlib works on a thread of its own.
 *
 * @throws Error for what is cut, corrupt or past its limits
 */
export async function* decompressed(
  chunks: AsyncIterable<unknown>,
  compression: Compression,
  options: Unpacking,
): AsyncGenerator<Buffer, void, undefined> {
  const batches = unpacked(chunks, compression, options);
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

/**
 * Not a plain pipe: a stream that fails throws away what it had ready. Members and frames may follow one another, with zeros
 * between and behind them.
 */
async function* unpacked(
  chunks: AsyncIterable<unknown>,
  compression: Compression,
  { again, took, ...limits }: Unpacking,
): AsyncGenerator<readonly Buffer[], void, undefined> {
  const guard = new OutputGuard(limits);
  const history = new History(again);
  let engine = new Engine(compression);
  try {
    for await (const chunk of chunks) {
      for (const piece of pieces(bytesOf(chunk))) {
        for (let rest = piece; rest.length > 0; ) {
          if (engine.ended) {
            // Node goes on with a gzip member by itself, but not with a zstd frame: unasked it would drop all that follows.
            rest = behindZeros(rest, history);
            if (rest.length === 0) break;
            engine.close();
            engine = new Engine(compression);
          }
          guard.took(rest.length);
          let step = await engine.write(rest);
          for (; !step.done; step = await engine.more()) yield* guard.passed(history.gave(engine.take()));
          yield* guard.passed(history.gave(engine.take()));
          if (step.fault !== undefined) {
            for await (const bytes of recovered(compression, history, rest)) yield* guard.passed([bytes]);
            throw corrupt(compression, step.fault);
          }
          took?.(step.taken);
          history.took(rest.subarray(0, step.taken));
          rest = rest.subarray(step.taken);
          guard.took(-rest.length);
          if (!engine.ended) break;
        }
      }
    }
    const fault = await engine.end();
    yield* guard.passed(engine.take());
    // An empty file is no archive, but neither is anything lost.
    if (fault !== undefined && !guard.idle) throw corrupt(compression, fault);
  } finally {
    engine.close();
  }
}

/** The next member or frame; empty where none begins yet. */
function behindZeros(bytes: Uint8Array, history: History): Uint8Array {
  const zeros = bytes.findIndex((byte) => byte !== 0);
  const passed = zeros === -1 ? bytes.length : zeros;
  history.restart(passed);
  return bytes.subarray(passed);
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
  // Told only when all of an archive is out, by its checksum.
  const late = /incorrect (data|length) check|match checksum/.test(cause.message);
  const read = late ? "What it held was read, but some of it may be wrong" : "What stood before was read";
  return new Error(`the ${compression} archive ${what}. ${read}; get the file again.`, { cause });
}
