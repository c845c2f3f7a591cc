/** Whatever may stand in a pipeline, as a Node stream. */

import { Duplex, Readable, Transform, Writable } from "node:stream";
import type { ReadableStream, ReadableWritablePair, WritableStream } from "node:stream/web";
import { failure } from "./errors.ts";
import { write } from "./sinks/write.ts";
import { RecordSource, read } from "./sources/read.ts";
import { stageOf } from "./stage.ts";
import { flatMap, map } from "./transforms/map.ts";

/**
 * A function of one record, or an async generator function of them all. What flows at a place in a chain cannot be told
 * to the compiler, and the function's author knows it: `any` is what lets both `(article) => …` and `(row: Row) => …` stand.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above; nothing else accepts both.
type StageFunction = (input: any) => unknown;

/** A Node stream, a web stream, a function of a record, or a generator function. */
export type StageInput =
  | NodeJS.ReadableStream
  | NodeJS.WritableStream
  | NodeJS.ReadWriteStream
  | ReadableStream
  | WritableStream
  | ReadableWritablePair
  | AsyncIterable<unknown>
  | Iterable<unknown>
  | StageFunction;

type AnyStream = Readable | Writable | Duplex;
type StreamFunction = (records: AsyncIterable<unknown>) => AsyncIterable<unknown>;

/** A stage as Node's pipeline takes it: of functions, those that get all records. */
export type Part = AnyStream | StreamFunction;

/** @throws ConfigurationError for what cannot stand at its place. */
export function streamOf(input: StageInput, index: number, count: number): Part {
  if (index === 0) return sourceStream(input);
  if (index === count - 1) return sinkStream(input, index);
  return middleStream(input, index);
}

const isNodeStream = (value: unknown): value is AnyStream =>
  value instanceof Readable || value instanceof Writable || value instanceof Duplex;

function sourceStream(input: StageInput): Readable {
  if (input instanceof RecordSource) return input;
  if (typeof input === "function" || (isNodeStream(input) && !(input instanceof Readable))) {
    throw wrong("The first stage must be a source: read(path), a Readable, or an iterable of records.");
  }
  // A stream of another make is counted on its way in, whatever it holds.
  return read(input as Readable);
}

function sinkStream(input: StageInput, index: number): Writable {
  if (input instanceof globalThis.WritableStream) return write(input as WritableStream);
  const transform = input instanceof Transform || (input instanceof Readable && stageOf(input) !== undefined);
  if (transform || !(input instanceof Writable)) {
    throw wrong(`Stage ${index + 1}, the last one, must be a sink: write(path), route(…), or a Writable.`);
  }
  return stageOf(input) === undefined ? write(input) : input;
}

/** Made with the readable-stream package, as many transforms from npm are: Node's pipeline knows them by their methods. */
const isForeignDuplex = (value: unknown): value is Duplex =>
  !isNodeStream(value) &&
  typeof value === "object" &&
  value !== null &&
  "readable" in value &&
  value.readable === true &&
  ["pipe", "write", "on"].every((method) => typeof (value as Record<string, unknown>)[method] === "function");

function middleStream(input: StageInput, index: number): Duplex | StreamFunction {
  if (typeof input === "function") return functionStream(input);
  if (input instanceof Duplex || isForeignDuplex(input)) return input;
  if (typeof input === "object" && input !== null && "readable" in input && "writable" in input) {
    const pair = input as ReadableWritablePair;
    if (pair.readable instanceof globalThis.ReadableStream && pair.writable instanceof globalThis.WritableStream) {
      return Duplex.fromWeb(pair as Parameters<typeof Duplex.fromWeb>[0], { objectMode: true, highWaterMark: 1 });
    }
  }
  throw wrong(`Stage ${index + 1} must be a Transform, a TransformStream, a function or a generator function.`);
}

/** The kinds of function, told as the language tells them: calling one to see what it gives would be one call too many. */
const AsyncGenerator = Object.getPrototypeOf(async function* () {}).constructor as new () => unknown;
const Generator = Object.getPrototypeOf(function* () {}).constructor as new () => unknown;

function functionStream(fn: StageFunction): Duplex | StreamFunction {
  // Not by way of Duplex.from: there a generator that ends early leaves the stream before it waiting for ever.
  if (fn instanceof AsyncGenerator) return fn as unknown as StreamFunction;
  if (fn instanceof Generator) return flatMap(fn as (record: unknown) => Iterable<unknown>);
  return map(fn);
}

const wrong = (message: string) => failure("invalid_option", `pipeline(): ${message}`);
