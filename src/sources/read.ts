/** The source: a Node Readable of records. */

import { constants } from "node:buffer";
import { Readable, type Writable } from "node:stream";
import { failure, type MillraceError } from "../errors.ts";
import type { Format } from "../formats.ts";
import { MAX_DEPTH } from "../json.ts";
import { checkKeys, checkWhole } from "../options.ts";
import { setSource } from "../record.ts";
import { asStage, Stage, type StageReport } from "../stage.ts";
import { CsvParser } from "./csv.ts";
import { type DecompressLimits, MAX_RATIO } from "./decompress.ts";
import { FirstBytes } from "./encoding.ts";
import type { Found, RecordParser } from "./found.ts";
import { type Input, readFault } from "./input.ts";
import { type JsonLimits, JsonParser } from "./json.ts";
import { NdjsonParser, named } from "./ndjson.ts";
import { Passed } from "./passed.ts";
import { type Opened, Several } from "./several.ts";

export interface ReadOptions {
  /** Of every input, where its ending does not say it. */
  readonly format?: Format;
  /**
   * Where the array of records lies in a JSON document: `data.articles`. Left out: the document is the array. Inputs of other
   * formats beside a JSON one are read without it.
   */
  readonly path?: string;
  /** Longest line in bytes (row of CSV, item of a JSON array); a longer one becomes a dead letter. Default 16 MiB. */
  readonly maxLineBytes?: number;
  /** Deepest nesting of a record; a deeper one becomes a dead letter. Default 512. */
  readonly maxDepth?: number;
  /** Records passed over at the start, broken ones included; counted over all inputs, as `limit` is. Default 0. */
  readonly skip?: number;
  /** Records read at most, broken ones included. Default all. */
  readonly limit?: number;
  /** Bytes that a compressed input (.gz, .zst) may hold; past them the stream fails. Default no limit. */
  readonly maxBytes?: number;
  /** How often its size a compressed input may hold, beyond the first 64 MiB; past that the stream fails. Default 1,000. */
  readonly maxRatio?: number;
  /** Where broken lines go when the stage runs outside our `pipeline()`. Whoever made it ends it. */
  readonly deadLetters?: Writable;
}

const KNOWN = [
  "format",
  "path",
  "maxLineBytes",
  "maxDepth",
  "skip",
  "limit",
  "maxBytes",
  "maxRatio",
  "deadLetters",
] as const satisfies readonly (keyof ReadOptions)[];

interface SourceLimits extends JsonLimits, DecompressLimits {
  /** Of the records, by their number from 1: the last one passed over, and the last one read. */
  readonly skip: number;
  readonly last: number;
}

const PARSERS = {
  csv: (file, limits) => new CsvParser(file, limits),
  json: (file, limits) => new JsonParser(file, limits),
  ndjson: (file, limits) => new NdjsonParser(file, limits),
} as const satisfies Record<Format, (file: string, limits: SourceLimits) => RecordParser>;

/** Parsed records that wait to be taken: large ones must fit as well. */
const BUFFERED = 2;

interface SourceSetup {
  readonly limits: SourceLimits;
  readonly deadLetters: Writable | undefined;
}

/** Made by `read()`. Reads nothing before it is asked. */
export class RecordSource extends Readable {
  declare readonly report: StageReport;
  readonly #stage: Stage;
  readonly #inputs: Several;
  readonly #limits: SourceLimits;
  #first = new FirstBytes();
  #parser: RecordParser | undefined;
  #found: Iterator<Found, void> = [][Symbol.iterator]();
  /** Ends the stream once what was found before it is taken. */
  #fault: MillraceError | undefined;
  /** Of the inputs, the one that is being read. */
  #open: Opened | undefined;
  readonly #passed: Passed;
  /** Of that one, or the last. */
  #name: string | undefined;
  /** Records met, those passed over included. */
  #met = 0;
  #pulling = false;
  #wanted = false;
  #atEnd = false;
  /** An iterable's errors are its own; those of a file may be of its name, until something was read. */
  #begun: boolean;
  /** Why nothing more comes once what is complete was taken. */
  #broken: { readonly by: unknown } | undefined;
  /** A surrogate pair may be cut between two chunks of text. */
  #halfPair = "";

  constructor(inputs: Several, { limits, deadLetters }: SourceSetup) {
    super({ objectMode: true, highWaterMark: BUFFERED });
    this.#inputs = inputs;
    this.#begun = !inputs.named;
    this.#limits = limits;
    this.#stage = new Stage("read", { deadLetters });
    this.#passed = new Passed(inputs);
    this.#stage.report.input = this.#passed;
    asStage(this, this.#stage);
    this.#stage.onStop(() => this.#stop());
  }

  override _read(): void {
    this.#wanted = true;
    if (this.#pulling || this.#atEnd) return;
    this.#pulling = true;
    this.#pull().catch((error: unknown) => {
      if (this.#atEnd) return;
      const fault = this.#failed(error);
      if (fault.code === "source_failed" && this.#stage.breaks(fault)) return this.#stop();
      this.#fault = fault;
      if (this.readableLength === 0) this.destroy(this.#fault);
    });
  }

  /** Every reader comes by here; to be destroyed at once would cost the records that wait. */
  override read(size?: number): ReturnType<Readable["read"]> {
    const record: unknown = super.read(size);
    if (this.#fault !== undefined && this.readableLength === 0) process.nextTick(() => this.destroy(this.#fault));
    return record;
  }

  /** Passes on records until no more are wanted. Nothing may come between that finding and the end of pulling. */
  async #pull(): Promise<void> {
    while (this.#wanted && !this.#atEnd) {
      const next = this.#found.next();
      if (next.done === true) await this.#more();
      else {
        // Most records cost no microtask: only what must be waited for is.
        const rejected = this.#take(next.value);
        if (rejected !== undefined) await rejected;
      }
      if (this.#met >= this.#limits.last) this.#stop();
    }
    this.#pulling = false;
  }

  /** Fetches what is found, or one record where the input is made of records. */
  async #more(): Promise<void> {
    if (this.#open === undefined) await this.#next();
    const { open, parser } = { open: this.#open, parser: this.#parser };
    if (this.#atEnd || open === undefined || parser === undefined) return;
    if (this.#broken !== undefined) throw this.#broken.by;
    const { done, value } = await open.chunks.next().catch((by: unknown) => this.#breakOff(by));
    this.#begun = true;
    if (this.#atEnd || this.#broken !== undefined) return;
    if (done === true) await this.#finish(parser);
    else if (typeof value === "string" || value instanceof Uint8Array) {
      const bytes = this.#bytes(value);
      this.#passed.came(bytes.length);
      this.#found = parser.push(this.#first.pass(bytes, open.name));
    } else await this.#given(value);
  }

  async #next(): Promise<void> {
    const opened = await this.#inputs.next();
    if (this.#atEnd) return opened?.close();
    if (opened === undefined) {
      this.#atEnd = true;
      this.push(null);
      return;
    }
    this.#open = opened;
    this.#passed.begin(opened);
    this.#name = opened.name;
    this.#parser = PARSERS[opened.format](opened.name, this.#limits);
    this.#first = new FirstBytes();
  }

  /** What is wrong with how a later input was meant has come too late to be a mistake of the command alone. */
  #failed(error: unknown): MillraceError {
    const fault = readFault({ name: this.#name ?? "the input", begun: this.#begun }, error);
    if (!this.#inputs.several || this.#name === undefined || fault.kind !== "configuration") return fault;
    const message = fault.message.startsWith(this.#name) ? fault.message : `${this.#name}: ${fault.message}`;
    return failure(this.#met === 0 ? fault.code : "source_failed", message, { cause: fault });
  }

  async #breakOff(by: unknown): Promise<{ readonly done: true; readonly value: undefined }> {
    if (!this.#begun || this.#parser?.broken === undefined) throw by;
    this.#broken = { by };
    this.#found = await this.#parser.broken();
    return { done: true, value: undefined };
  }

  /** What only the end makes a record: a last line that no line feed follows. */
  async #finish(parser: RecordParser): Promise<void> {
    this.#passed.end();
    this.#open = undefined;
    const rest = Buffer.concat([this.#first.rest, Buffer.from(this.#halfPair)]);
    this.#halfPair = "";
    if (rest.length === 0) this.#found = await parser.end();
    else {
      const before = [...{ [Symbol.iterator]: () => parser.push(rest) }];
      const last = await parser.end();
      this.#found = [...before, ...{ [Symbol.iterator]: () => last }].values();
    }
  }

  #bytes(chunk: string | Uint8Array): Buffer {
    if (typeof chunk !== "string") return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const text = this.#halfPair + chunk;
    const last = text.charCodeAt(text.length - 1);
    const cut = last >= 0xd800 && last <= 0xdbff ? text.length - 1 : text.length;
    this.#halfPair = text.slice(cut);
    return Buffer.from(text.slice(0, cut));
  }

  #take(found: Found): undefined | Promise<void> {
    this.#passed.at(found.source);
    if (++this.#met <= this.#limits.skip) return undefined;
    if (found.fault !== undefined) return this.#stage.reject(found.fault, found);
    if (found.source !== null) setSource(found.record, found.source);
    return this.#give(found.record);
  }

  /** An item of a stream or iterable of records. */
  #given(value: unknown): undefined | Promise<void> {
    if (++this.#met <= this.#limits.skip) return undefined;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return this.#give(value);
    const error = failure("not_an_object", `The input gave ${named(value)}, not a record.`);
    return this.#stage.reject(error, { record: value, source: null });
  }

  #give(record: object): undefined {
    this.#stage.report.out++;
    this.#wanted = false;
    if (this.push(record)) this.#wanted = true;
  }

  #stop(): void {
    if (this.#atEnd || this.destroyed) return;
    this.#atEnd = true;
    this.push(null);
    this.#close();
  }

  #close(): void {
    this.#open?.close();
    this.#open = undefined;
    this.#inputs.close();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#atEnd = true;
    this.#close();
    callback(error);
  }
}

/**
 * Reads records from a path, `-` (stdin), a `Readable`, a web stream, or an iterable: of NDJSON, a JSON array or CSV, as the
 * path's ending or `format` says, or of records. A path may be compressed (`.gz`, `.zst`). What is no record goes to the dead
 * letters with its line and byte offset; the rest goes on.
 *
 * An array of strings is a list of paths, read one after the other. A path that names no file but has `*`, `?`, `[…]` or
 * `{…}` in it is a pattern, as `data/**\/*.json`: its files follow sorted. All are looked at before the first is read; one
 * is open at a time. A file that is named twice is refused; one that a pattern finds again is read once.
 *
 * @throws ConfigurationError for an option that cannot be; the stream fails with one when a file cannot be read, and
 * with `source_failed` when reading breaks off.
 */
export function read(input: Input, options: ReadOptions = {}): RecordSource {
  checkKeys(options, KNOWN, "read()");
  const { maxLineBytes = 16 * 1024 * 1024, maxDepth = MAX_DEPTH, path, format } = options;
  checkWhole("read(): `maxLineBytes`", maxLineBytes, { least: 1, most: constants.MAX_STRING_LENGTH });
  checkWhole("read(): `maxDepth`", maxDepth, { least: 1 });
  const { skip = 0, limit = Number.MAX_SAFE_INTEGER } = options;
  checkWhole("read(): `skip`", skip, { least: 0 });
  checkWhole("read(): `limit`", limit, { least: 1 });
  const { maxBytes = Number.MAX_SAFE_INTEGER, maxRatio = MAX_RATIO } = options;
  checkWhole("read(): `maxBytes`", maxBytes, { least: 1 });
  checkWhole("read(): `maxRatio`", maxRatio, { least: 1 });
  const limits = { maxLineBytes, maxDepth, skip, last: skip + limit, maxBytes, maxRatio, path };
  return new RecordSource(new Several(input, { format, path }, limits), { limits, deadLetters: options.deadLetters });
}
