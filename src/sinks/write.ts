/** The sink: a Node Writable of records. */

import { Writable } from "node:stream";
import type { WritableStream } from "node:stream/web";
import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import { compressionOf, databaseOf, type Format, formatOf } from "../formats.ts";
import { checkKeys } from "../options.ts";
import { asStage, Stage, type StageReport } from "../stage.ts";
import { CompressedOutput } from "./compress.ts";
import { type CsvOptions, csvFormat } from "./csv.ts";
import type { DatabaseSink } from "./database.ts";
import { type DatabaseOptions, databaseSink, refuseDatabaseOptions } from "./databases.ts";
import { jsonFormat } from "./json.ts";
import { ndjsonFormat } from "./ndjson.ts";
import { type Output, PathOutput, StreamOutput } from "./output.ts";
import { reason } from "./reason.ts";
import { RecordsInto } from "./records.ts";
import type { TextFormat } from "./text.ts";

export interface WriteOptions extends CsvOptions, DatabaseOptions {
  /** Needed where the file's ending does not say it: `"json"` is one array, `"csv"` has a header. */
  readonly format?: Format;
  /** Where records go that the format cannot hold, when the sink runs outside our `pipeline()`. Whoever made it ends it. */
  readonly deadLetters?: Writable;
}

const KNOWN = [
  "format",
  "columns",
  "formulas",
  "table",
  "key",
  "deadLetters",
] as const satisfies readonly (keyof WriteOptions)[];

/**
 * Text is handed on at the latest when so much of it waits. More is no faster, and strings of 128 K and more live where
 * only a full collection frees them: 30 MB more at the peak of a 1 GB run.
 */
const FLUSH_CHARACTERS = 32 * 1024;

/**
 * So long the first of several records waits to be written, ms. Each write is a trip to another thread and back: one for
 * every record took a tenth of a run's CPU, one every 10 ms still a fiftieth. Calls take longer than this.
 */
const LINGER = 50;

/** Records that may wait before `write` says "enough". */
const BUFFERED = 8;

interface SinkFacts {
  readonly format: Format;
  readonly path?: string;
  readonly deadLetters?: Writable | undefined;
}

const TEXTS: Readonly<Record<Format, (options: CsvOptions) => TextFormat>> = {
  ndjson: ndjsonFormat,
  json: jsonFormat,
  csv: csvFormat,
};

/** Made by `write()`. `finish` means durable, and visible under its name. */
export class RecordSink extends Writable {
  declare readonly report: StageReport;
  /** Where it writes, if that has a path. */
  readonly path: string | undefined;
  readonly #stage: Stage;
  readonly #output: Output;
  readonly #format: Format;
  readonly #text: TextFormat;
  #pieces: string[] = [];
  #characters = 0;
  /** Records whose text is among the pieces, and records that the format holds. */
  #ready = 0;
  #held = 0;
  #begun = false;
  #ended = false;
  #flushing: Promise<void> | undefined;
  #scheduled: NodeJS.Timeout | undefined;
  #ifAny = false;

  constructor(output: Output, text: TextFormat, { path, format, deadLetters }: SinkFacts) {
    super({ objectMode: true, highWaterMark: BUFFERED });
    this.#text = text;
    this.#format = format;
    this.path = path;
    this.#output = output;
    this.#stage = new Stage("write", { deadLetters });
    asStage(this, this.#stage);
    text.notify = (message) => {
      // Where nobody listens for it, Node's own warnings are heard.
      if (!this.emit("notice", message)) process.emitWarning(message, "MillraceWarning");
    };
  }

  /** Opens or reserves the output now, so that one that cannot be written is known before anything is sent. */
  async prepare(): Promise<void> {
    const ready = this.#ifAny ? this.#output.reserve() : this.#output.open();
    await ready.catch((error: unknown) => Promise.reject(this.#unopened(error)));
  }

  /** As dead letters are kept: no file when there is nothing to write, and an older one goes. */
  onlyIfAny(): void {
    // Each stage's letters hold other fields: none of them may find that it has no column.
    if (this.#format === "csv") {
      throw failure("invalid_option", `Dead letters cannot be CSV (${this.#output.name}). Use .ndjson or .json.`);
    }
    this.#ifAny = true;
  }

  override _write(record: unknown, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#stage.report.in++;
    let text: string;
    try {
      text = this.#text.encode(record);
    } catch (error) {
      if (isMillraceError(error) && error.scope === "record") {
        this.#stage.reject(error, { record }).then(() => callback(), callback);
      } else callback(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#begun = true;
    this.#held++;
    this.#take(text);
    if (this.#characters >= FLUSH_CHARACTERS) {
      const busy = this.#flushing !== undefined;
      const flushed = this.#flush();
      if (busy) flushed.then(() => callback(), callback);
      else {
        // While one part is written the next one is made.
        flushed.catch((error) => this.destroy(error));
        callback();
      }
    } else {
      // Whatever comes within that time is written together; nothing waits longer.
      this.#scheduled ??= setTimeout(() => this.#flush().catch((error) => this.destroy(error)), LINGER);
      callback();
    }
  }

  /** With a text come all records that were held. */
  #take(text: string): void {
    if (text === "") return;
    this.#pieces.push(text);
    this.#characters += text.length;
    this.#ready += this.#held;
    this.#held = 0;
  }

  /** Closes the document, once. */
  #end(): Promise<void> {
    if (!this.#ended) this.#take(this.#text.end());
    this.#ended = true;
    return this.#flush();
  }

  /** One write at a time, of whole records: what comes meanwhile is held. After one that failed nothing is written. */
  #flush(): Promise<void> {
    clearTimeout(this.#scheduled);
    this.#scheduled = undefined;
    if (this.#pieces.length > 0) this.#flushing ??= this.#empty();
    return this.#flushing ?? Promise.resolve();
  }

  async #empty(): Promise<void> {
    while (this.#pieces.length > 0) {
      const count = this.#ready;
      const text = this.#pieces.join("");
      this.#pieces = [];
      this.#characters = 0;
      this.#ready = 0;
      await this.#output.write(text).catch((error: unknown) => Promise.reject(this.#fault(error)));
      this.#stage.report.out += count;
    }
    this.#flushing = undefined;
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#finish().then(() => callback(), callback);
  }

  async #finish(): Promise<void> {
    await this.#flush();
    const { cutShort } = this.#stage;
    if (cutShort !== undefined) {
      // A stream of the user's own cannot be written any more once this has failed.
      if (this.#held > 0) await this.#end();
      throw cutShort;
    }
    const nothing = this.#ifAny && this.#stage.report.in === 0;
    if (!nothing) await this.#end();
    const settled = nothing ? this.#output.omit() : this.#output.commit();
    await settled.catch((error: unknown) => Promise.reject(this.#fault(error)));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#scheduled);
    // What is left of a document is closed as well, so that it can be read; of nothing, nothing is made.
    this.#output
      .abandon(() => (this.#begun ? this.#end() : this.#flush()))
      .then(
        () => callback(error),
        (fault) => callback(error ?? fault),
      );
  }

  #fault(error: unknown): MillraceError {
    return failure("sink_failed", `Writing ${this.#output.name} failed: ${reason(error)}`, { cause: error });
  }

  #unopened(error: unknown): MillraceError {
    if (isMillraceError(error)) return error;
    return failure("invalid_option", `Cannot write ${this.#output.name}: ${reason(error)}`, { cause: error });
  }
}

function checkCsv({ columns, formulas }: WriteOptions, format: Format | "rows", output: unknown): void {
  const refused = (why: string) => failure("invalid_option", `write(): ${why}`);
  for (const [name, value] of Object.entries({ columns, formulas })) {
    if (value === undefined || format === "csv") continue;
    const where = typeof output !== "string" ? "the stream" : format === "rows" ? "the database" : output;
    throw refused(
      `\`${name}\` is for CSV, and ${where} gets ${format}. Give a name that ends in .csv, or \`format: "csv"\`.`,
    );
  }
  if (formulas !== undefined && formulas !== "defuse" && formulas !== "keep") {
    throw refused(`\`formulas\` must be "defuse" or "keep", got "${String(formulas)}".`);
  }
  if (columns === undefined) return;
  const names = Array.isArray(columns) && columns.every((name) => typeof name === "string" && name !== "");
  if (!names || columns.length === 0) throw refused("`columns` must be a list of fields, as analysis.title.");
  const twice = columns.find((name, at) => columns.indexOf(name) !== at);
  if (twice !== undefined) throw refused(`\`columns\` names "${twice}" twice.`);
}

/**
 * Writes records to a path, `-` (stdout), a `Writable` or a web stream. A file appears whole or not at all: until it is
 * complete it is called `<path>.partial`; one that ends in `.gz` or `.zst` is compressed. A Writable in object mode gets the
 * records unless `format` is given, any other NDJSON.
 *
 * Emits `notice` with a sentence for the user where something may be a mistake but loses nothing, as a misspelt column.
 *
 * A path that ends in `.db`, `.sqlite` or `.sqlite3`, or a `postgres://` URL, is a database: records become rows of `table`
 * ("records"), in place of those with the same `key` ("id"), committed 500 at a time or every 50 ms.
 *
 * @throws ConfigurationError for an option that cannot be. The stream fails with `sink_failed` when writing does.
 */
export function write(
  output: string | Writable | WritableStream,
  options: WriteOptions = {},
): RecordSink | RecordsInto | DatabaseSink {
  checkKeys(options, KNOWN, "write()");
  const { deadLetters } = options;
  const database = options.format === undefined ? databaseOf(output) : undefined;
  if (database !== undefined) {
    checkCsv(options, "rows", output);
    return databaseSink(database, output as string, options);
  }
  refuseDatabaseOptions(options, output);
  if (output instanceof globalThis.WritableStream) {
    return new RecordsInto(Writable.fromWeb(output as WritableStream, { objectMode: true }));
  }
  if (output instanceof Writable && output.writableObjectMode && options.format === undefined)
    return new RecordsInto(output);
  const path = typeof output === "string" && output !== "-" ? output : undefined;
  const format = formatOf(path, options.format, "write()");
  const compression = compressionOf(path);
  checkCsv(options, format, output);
  const text = TEXTS[format](options);
  if (path !== undefined) {
    const plain = new PathOutput(path);
    const target = compression === undefined ? plain : new CompressedOutput(plain, compression);
    return new RecordSink(target, text, { path, format, deadLetters });
  }
  if (output === "-")
    return new RecordSink(new StreamOutput("stdout", process.stdout, false), text, { format, deadLetters });
  if (!(output instanceof Writable)) {
    throw failure("invalid_option", "write(): the output must be a path, `-`, a Writable or a WritableStream.");
  }
  const ours = output !== process.stdout && output !== process.stderr;
  return new RecordSink(new StreamOutput("the stream", output, ours), text, { format, deadLetters });
}
