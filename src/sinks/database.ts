/** The sink that fills a table: rows in batches, each a transaction, upserted by their key. */

import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import { sizeOf } from "../record.ts";
import { asStage, Stage, type StageReport } from "../stage.ts";
import { reason } from "./reason.ts";
import { type Row, rowOf } from "./rows.ts";

/** A record and the row that it becomes. */
export interface Entry {
  readonly record: unknown;
  readonly row: Row;
}

/** A record that the table did not take, and why. */
export interface Refusal {
  readonly entry: Entry;
  readonly error: MillraceError;
}

/** A table of some database. */
export interface Table {
  /** As messages name it; never with a password. */
  readonly name: string;
  readonly key: string;
  /** Where it lies, if that is a file. */
  readonly path: string | undefined;
  /** It cannot be written just now, and is waited for. */
  readonly away: boolean;
  /** Makes sure that it can be written, before anything is paid for. */
  open(signal: AbortSignal): Promise<void>;
  /** Commits the rows, those of an earlier key changed; gives those that it cannot take. Rejects when writing fails. */
  upsert(entries: readonly Entry[], signal: AbortSignal): Promise<readonly Refusal[]>;
  /** Complete. */
  finish(signal: AbortSignal): Promise<void>;
  /** Lets everything go, at once and however often it is called. */
  close(): Promise<void>;
}

/** A batch is committed when it has so many rows or bytes of them, or its first row has waited so long (ms). */
const MOST_ROWS = 500;
const MOST_BYTES = 8 * 1024 * 1024;
const LONGEST_WAIT = 50;

/** How long a run that fails elsewhere waits for the last rows to be committed, ms. */
const LAST_ROWS = 500;

/** Records that may wait before `write` says "enough". */
const BUFFERED = 8;

/** Made by `write()` for a database. `finish` means that every row is committed. */
export class DatabaseSink extends Writable {
  declare readonly report: StageReport;
  /** The database's file, if it is one. */
  readonly path: string | undefined;
  readonly #stage: Stage;
  readonly #table: Table;
  readonly #leave = new AbortController();
  #waiting: Entry[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;
  #opened: Promise<void> | undefined;
  #broken = false;

  constructor(table: Table, deadLetters?: Writable) {
    super({ objectMode: true, highWaterMark: BUFFERED });
    this.path = table.path;
    this.#table = table;
    this.#stage = new Stage("write", { deadLetters });
    asStage(this, this.#stage);
  }

  /** Opens the database now, so that one that cannot be written is known before anything is sent. */
  prepare(): Promise<void> {
    this.#opened ??= this.#table.open(this.#leave.signal).catch((error: unknown) => {
      this.#broken = true;
      if (isMillraceError(error)) throw error;
      throw failure("invalid_option", `Cannot write ${this.#table.name}: ${reason(error)}`, { cause: error });
    });
    return this.#opened;
  }

  /** @throws ConfigurationError always: dead letters have no key, and those of a run before would stay among them. */
  onlyIfAny(): void {
    throw failure(
      "invalid_option",
      `Dead letters cannot go to a database (${this.#table.name}). Use .ndjson or .json.`,
    );
  }

  override _write(record: unknown, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#stage.report.in++;
    try {
      this.#waiting.push({ record, row: rowOf(record, this.#table.key) });
    } catch (error) {
      if (isMillraceError(error) && error.scope === "record") {
        this.#stage.reject(error, { record }).then(() => callback(), callback);
      } else callback(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#bytes += sizeOf(record);
    if (this.#waiting.length >= MOST_ROWS || this.#bytes >= MOST_BYTES) this.#flush().then(() => callback(), callback);
    else {
      this.#timer ??= setTimeout(() => this.#flush().catch((error) => this.destroy(error)), LONGEST_WAIT);
      callback();
    }
  }

  /** One batch at a time; what comes meanwhile is the next one. After one that failed nothing is written. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length > 0) this.#flushing ??= this.#empty();
    return this.#flushing ?? Promise.resolve();
  }

  async #empty(): Promise<void> {
    await this.prepare();
    while (this.#waiting.length > 0) {
      const entries = this.#waiting;
      this.#waiting = [];
      this.#bytes = 0;
      const refused = await this.#attempt(this.#table.upsert(entries, this.#leave.signal));
      this.#stage.report.out += entries.length - refused.length;
      for (const { entry, error } of refused) await this.#stage.reject(error, { record: entry.record });
    }
    this.#flushing = undefined;
  }

  async #attempt<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#broken = true;
      if (isMillraceError(error)) throw error;
      const told = `Writing ${this.#table.name} failed: ${reason(error)} The rows committed so far stay; run it again to go on.`;
      throw failure("sink_failed", told, { cause: error });
    }
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#finish().then(() => callback(), callback);
  }

  async #finish(): Promise<void> {
    await this.prepare();
    await this.#flush();
    const fault = this.#stage.cutShort;
    if (fault !== undefined) throw fault;
    await this.#attempt(this.#table.finish(this.#leave.signal));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#close().then(
      () => callback(error),
      (fault) => callback(error ?? fault),
    );
  }

  async #close(): Promise<void> {
    // What failed elsewhere is no reason to lose rows that are here, where nothing but writing them is to be waited for.
    const idle = this.#opened === undefined || this.#broken || this.#table.away;
    const rest = idle ? Promise.resolve() : this.#flush();
    await Promise.race([rest, sleep(LAST_ROWS, undefined, { ref: false })]).catch(() => {});
    clearTimeout(this.#timer);
    this.#leave.abort();
    await this.#table.close();
    if (this.#opened === undefined) return;
    // It may have been in the middle of opening.
    await this.#opened.catch(() => {});
    await this.#table.close();
  }
}
