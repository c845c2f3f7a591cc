/** One file of stored outcomes: its layout, and the statements that read and write it. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { failure } from "../errors.ts";
import { type Facts, type Outcome, packed, unpacked } from "./outcome.ts";
import { meansSqlite, openSqlite } from "./sqlite.ts";

/** "mlrc": how SQLite's header says whose file it is. */
const APPLICATION = 0x6d6c7263;

/** Of the layout. */
const VERSION = 1;

/**
 * An index of short keys beside a table that only grows at its end: answers (2 kB) in the order in which they were
 * given lie in the order in which a rerun asks for them. AUTOINCREMENT: a replaced row gets a number above all before,
 * by which one run tells its own answers from older ones.
 */
const LAYOUT = `
  CREATE TABLE answers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    cut INTEGER,
    facts TEXT NOT NULL,
    text ANY NOT NULL,
    sum INTEGER NOT NULL
  ) STRICT;
  PRAGMA application_id = ${APPLICATION};
  PRAGMA user_version = ${VERSION};`;

/** FULL: the log is synced at every commit. The cache, 8 MB, and the log, cut to 64 MB, keep memory and disk bounded. */
const SETTINGS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA cache_size = -8000;
  PRAGMA mmap_size = 0;
  PRAGMA journal_size_limit = 67108864;`;

/** How long SQLite itself waits for another process, ms, the event loop with it; longer waits are the callers'. */
const BUSY = 20;

/** One outcome as it is kept. */
export interface Row {
  /** SHA-256 in hex. */
  readonly key: string;
  /** Who was asked. */
  readonly provider: string;
  readonly model: string;
  readonly outcome: Outcome;
}

/** `id`, `cut`, `facts`, `text`, `sum` */
type Columns = [number, number | null, string, string | Uint8Array, number];

/** The file is not what was written: torn, overwritten, or with bits changed. */
export class Damage extends Error {
  override readonly name = "Damage";
}

export class Database {
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #begin: StatementSync;
  readonly #beginWriting: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  /** Ends the transaction in which one turn of the event loop reads. */
  #reading: NodeJS.Immediate | undefined;

  /** @throws Damage, `invalid_option` when the file is another program's or a newer version's, SQLite's errors */
  constructor(path: string) {
    this.#database = openSqlite(path, { timeout: BUSY });
    try {
      prepare(this.#database, path);
      this.#get = this.#database.prepare("SELECT id, cut, facts, text, sum FROM answers WHERE key = ?");
      this.#get.setReturnArrays(true);
      this.#put = this.#database.prepare(
        "INSERT OR REPLACE INTO answers (key, at, provider, model, cut, facts, text, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      );
      this.#begin = this.#database.prepare("BEGIN");
      this.#beginWriting = this.#database.prepare("BEGIN IMMEDIATE");
      this.#commit = this.#database.prepare("COMMIT");
      this.#rollback = this.#database.prepare("ROLLBACK");
    } catch (error) {
      this.#database.close();
      throw meansSqlite(error, "mismatched") ? new Damage("its table is gone") : seen(error);
    }
  }

  /** The number of the newest row. */
  get newest(): number {
    const row = this.#database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'answers'").get();
    return Number(row?.seq ?? 0);
  }

  /** The outcome under a key, unless its row is not newer than `after`. @throws Damage */
  get(key: string, after: number): Outcome | undefined {
    const bytes = Buffer.from(key, "hex");
    try {
      this.#read();
      const row = this.#get.get(bytes) as Columns | undefined;
      if (row === undefined || row[0] <= after) return undefined;
      const [, cut, facts, text, sum] = row;
      if (sumOf(bytes, facts, text) !== sum) throw new Damage("an answer is not as it was written");
      return { facts: JSON.parse(facts) as Facts, text: unpacked(text), cut };
    } catch (error) {
      throw seen(error);
    }
  }

  /** Locks for each answer would take as long as reading it. What others write meanwhile is seen a turn later. */
  #read(): void {
    if (this.#reading !== undefined) return;
    this.#begin.run();
    this.#reading = setImmediate(() => this.#endRead());
  }

  #endRead(): void {
    if (this.#reading === undefined) return;
    clearImmediate(this.#reading);
    this.#reading = undefined;
    // Nothing was written: whatever fails here is met again by who reads or writes next.
    if (this.#database.isTransaction) this.#rollback.run();
  }

  /** All or none; durable when it returns. @throws Damage, SQLite's errors */
  putAll(rows: readonly Row[], at: number): void {
    try {
      this.#endRead();
      this.#beginWriting.run();
      for (const { key, provider, model, outcome } of rows) {
        const [bytes, facts, text] = [Buffer.from(key, "hex"), JSON.stringify(outcome.facts), packed(outcome.text)];
        this.#put.run(bytes, at, provider, model, outcome.cut, facts, text, sumOf(bytes, facts, text));
      }
      this.#commit.run();
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (this.#database.isTransaction) this.#rollback.run();
      throw seen(error);
    }
  }

  /** For what is done to the store as a whole. */
  get sql(): DatabaseSync {
    return this.#database;
  }

  close(): void {
    clearImmediate(this.#reading);
    if (this.#database.isOpen) this.#database.close();
  }
}

const seen = (error: unknown): unknown =>
  meansSqlite(error, "damaged") ? new Damage((error as Error).message, { cause: error }) : error;

/** Of an answer with its key, so that neither a changed bit nor an index that leads astray gives a wrong answer. */
export function sumOf(key: Uint8Array, facts: string, text: string | Uint8Array): number {
  return crc32(text, crc32(facts, crc32(key)));
}

function prepare(database: DatabaseSync, path: string): void {
  if (isNew(database)) {
    // Of two processes that find no store, one makes it.
    database.exec("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE");
    if (isNew(database)) database.exec(LAYOUT);
    database.exec("COMMIT");
  }
  const application = pragma(database, "application_id");
  if (application !== APPLICATION) {
    throw failure(
      "invalid_option",
      `${path} is a database of another program, not a store of responses. Give another place with --store (store).`,
    );
  }
  const version = pragma(database, "user_version");
  if (version > VERSION) {
    throw failure(
      "invalid_option",
      `The store ${path} was made by a newer millrace (layout ${version}; this one knows ${VERSION}). ` +
        "Update millrace, or give another place with --store (store).",
    );
  }
  database.exec(SETTINGS);
}

const pragma = (database: DatabaseSync, name: string): number =>
  Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);

function isNew(database: DatabaseSync): boolean {
  if (pragma(database, "application_id") !== 0) return false;
  return Number(database.prepare("SELECT count(*) AS count FROM sqlite_schema").get()?.count) === 0;
}
