/** Whatever can be read, as one Node stream of chunks and the name that errors give it. */

import { createReadStream, type ReadStream, statSync } from "node:fs";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import { type Compression, compressionOf } from "../formats.ts";
import { type DecompressLimits, decompressed, mayBegin, PIECE_BYTES, signatureOf } from "./decompress.ts";

/** A path, `-` for stdin, an array of such, or a stream or iterable of bytes, text or records. */
export type Input = string | Readable | ReadableStream | Iterable<unknown> | AsyncIterable<unknown>;

export interface OpenInput {
  /** As a dead letter's `source.file` says it. */
  readonly name: string;
  readonly chunks: AsyncIterator<unknown>;
  /** Bytes of an archive that were made use of so far; undefined: it is none. */
  packed(): number | undefined;
  /** Lets go of it before its end. */
  close(): void;
}

/** A file is read in pieces of this size. With smaller ones the heap grows further before it is collected: 64 KiB doubled the RSS of a 1 GB copy. */
const CHUNK_BYTES = 256 * 1024;

export function openInput(input: Input, limits: DecompressLimits): OpenInput {
  if (typeof input === "string") {
    if (input === "-") return unpacked("-", process.stdin, limits);
    const compression = compressionOf(input);
    const file = createReadStream(input, { highWaterMark: CHUNK_BYTES });
    return compression === undefined ? opened(input, file) : unpackedFile(input, file, { compression, limits });
  }
  if (input instanceof Readable) return opened(pathOf(input) ?? "(stream)", input);
  if (input instanceof globalThis.ReadableStream) {
    return opened("(stream)", Readable.fromWeb(input as ReadableStream, { objectMode: true, highWaterMark: 1 }));
  }
  if (input instanceof Uint8Array) return iterated([input]);
  if (typeof input === "object" && input !== null && (Symbol.asyncIterator in input || Symbol.iterator in input)) {
    return iterated(input);
  }
  throw failure(
    "invalid_option",
    "read(): the input must be a path, `-`, a Readable, a ReadableStream or an iterable.",
  );
}

const plain = () => undefined;

/** Counts what is taken from an archive. */
function counter() {
  let bytes: number | undefined;
  const took = (more: number) => {
    bytes = (bytes ?? 0) + more;
  };
  return { took, packed: () => bytes };
}

const opened = (name: string, stream: Readable): OpenInput => ({
  name,
  packed: plain,
  chunks: stream.iterator({ destroyOnReturn: true }),
  close: () => stream.destroy(),
});

interface Unpacking {
  readonly compression: Compression;
  readonly limits: DecompressLimits;
}

function unpacked(name: string, stream: Readable, limits: DecompressLimits): OpenInput {
  const { took, packed } = counter();
  const chunks = sniffed(stream, limits, took);
  const close = () => {
    stream.destroy();
    void chunks.return().catch(() => {});
  };
  return { name, chunks, packed, close };
}

function unpackedFile(path: string, file: ReadStream, { compression, limits }: Unpacking): OpenInput {
  let second: ReadStream | undefined;
  const again = (from: number, to: number) => {
    second = createReadStream(path, { start: from, end: to - 1, highWaterMark: PIECE_BYTES });
    return second;
  };
  const { took, packed } = counter();
  took(0);
  const chunks = decompressed(file, compression, { ...limits, took, again: isFile(path) ? again : undefined });
  const close = () => {
    file.destroy();
    second?.destroy();
    void chunks.return().catch(() => {});
  };
  return { name: path, chunks, packed, close };
}

/** What may be read again at a fault: a pipe may not. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** A pipe has no ending: the first bytes tell. No text begins as an archive does. */
async function* sniffed(
  stream: Readable,
  limits: DecompressLimits,
  took: (bytes: number) => void,
): AsyncGenerator<unknown, void, undefined> {
  const chunks = stream.iterator({ destroyOnReturn: true });
  let { done, value: first } = await chunks.next();
  while (done !== true && first instanceof Uint8Array && mayBegin(first)) {
    const next = await chunks.next();
    done = next.done;
    if (done !== true) first = Buffer.concat([first, next.value as Uint8Array]);
  }
  if (first === undefined) return;
  const all = joined(first, chunks);
  const compression = first instanceof Uint8Array ? signatureOf(first) : undefined;
  yield* compression === undefined ? all : decompressed(all, compression, { ...limits, took });
}

async function* joined(first: unknown, rest: AsyncIterable<unknown>): AsyncGenerator<unknown, void, undefined> {
  yield first;
  yield* rest;
}

/** Not by way of a Readable: that would end in error at an item that is null. */
function iterated(input: Iterable<unknown> | AsyncIterable<unknown>): OpenInput {
  const items = Symbol.asyncIterator in input ? input[Symbol.asyncIterator]() : awaited(input[Symbol.iterator]());
  // What closing brings is of no interest any more.
  const close = () => void new Promise((resolve) => resolve(items.return?.())).catch(() => {});
  return { name: "(iterable)", chunks: items, packed: plain, close };
}

const awaited = (items: Iterator<unknown>): AsyncIterator<unknown> => ({
  next: async () => {
    const { done, value } = items.next();
    return done === true ? { done, value } : { done: false, value: await value };
  },
  return: async () => ({ done: true, value: items.return?.() }),
});

/**
 * To be called when `read` is: a stream may fail before it is opened, and unheard that would end the process.
 * @returns what lets go of the stream if it is never opened.
 */
export function guardInput(input: Input): () => void {
  if (input instanceof Readable) {
    input.on("error", () => {});
    return () => input.destroy();
  }
  if (input instanceof globalThis.ReadableStream) return () => void input.cancel().catch(() => {});
  return () => {};
}

const pathOf = (stream: Readable): string | undefined =>
  "path" in stream && typeof stream.path === "string" ? stream.path : undefined;

/** Faults in opening a file: the user named something that cannot be read. */
const WRONG_NAME: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  ENOTDIR: "there is no such file",
  EISDIR: "it is a directory",
  EACCES: "you may not read it",
  EPERM: "you may not read it",
};

/** `begun`: something had been read, so that the fault is none of the name. */
export function readFault({ name, begun }: { name: string; begun: boolean }, error: unknown): MillraceError {
  if (isMillraceError(error)) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const wrong = begun ? undefined : WRONG_NAME[code];
  if (wrong !== undefined) return failure("invalid_option", `Cannot read ${name}: ${wrong}.`, { cause: error });
  const why = error instanceof Error ? error.message : String(error);
  return failure("source_failed", `Reading ${name} failed: ${why}`, { cause: error });
}
