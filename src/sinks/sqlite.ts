/** A table in an SQLite file, through Node's own SQLite. */

import { open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { failure } from "../errors.ts";
import { makeFolder } from "../folder.ts";
import { loadSqlite } from "../load.ts";
import { shareClaim } from "./claim.ts";
import type { Entry, Refusal, Table } from "./database.ts";
import { realPath } from "./output.ts";
import { SqliteRows } from "./sqlite-rows.ts";

/** How long another program's lock is waited for, and how often it is looked at again, ms. */
const LONGEST_LOCK = 30_000;
const LOOK_AGAIN = 20;

/** The first bytes of every database: https://www.sqlite.org/fileformat.html */
const MAGIC = "SQLite format 3\0";

/** SQLite's result codes: https://www.sqlite.org/rescode.html */
const BUSY = 5;
const LOCKED = 6;

type End = "COMMIT" | "ROLLBACK";

/**
 * The journal is the rollback one, unless the file has another already: after each commit the file alone is all there is,
 * and can be copied or handed on, even after a crash between two batches.
 */
export class SqliteTable implements Table {
  readonly name: string;
  readonly key: string;
  readonly path: string;
  away = false;
  readonly #table: string;
  #database: DatabaseSync | undefined;
  #rows: SqliteRows | undefined;
  #release: (() => Promise<void>) | undefined;
  #real: string | undefined;
  #made = false;
  /** Whether SQLite has been told to fsync at each commit. */
  #careful = false;

  constructor(path: string, { table, key }: { readonly table: string; readonly key: string }) {
    this.name = path;
    this.path = path;
    this.key = key;
    this.#table = table;
  }

  async open(signal: AbortSignal): Promise<void> {
    this.#real = await realPath(this.path);
    const found = await stat(this.#real).catch(() => undefined);
    if (found !== undefined) await this.#check(this.#real);
    await makeFolder(dirname(this.#real));
    this.#release = await shareClaim(this.#real);
    this.#made = found === undefined;
    const { DatabaseSync } = loadSqlite();
    // Waits for locks are ours, not SQLite's: its own would hold up the whole process.
    const database = new DatabaseSync(this.#real, { timeout: 0 });
    this.#database = database;
    this.#rows = new SqliteRows(database, this.#table, this.key);
    // Undone at its end: even an empty commit would make a file of what may come to nothing.
    await this.#transaction((rows) => rows.look(), signal, "ROLLBACK");
  }

  /** What is no database is somebody's file: it stays as it is. */
  async #check(path: string): Promise<void> {
    if (await mayBeSqlite(path)) return;
    throw failure("invalid_option", `Cannot write ${this.path}: it is no SQLite database. Choose another output.`);
  }

  upsert(entries: readonly Entry[], signal: AbortSignal): Promise<readonly Refusal[]> {
    return this.#transaction((rows) => rows.upsert(entries), signal);
  }

  /** All or nothing of what `work` does; again, as long as another program has the file locked. */
  async #transaction<T>(work: (rows: SqliteRows) => T, signal: AbortSignal, end: End = "COMMIT"): Promise<T> {
    const since = performance.now();
    for (;;) {
      signal.throwIfAborted();
      try {
        const made = this.#tried(work, end);
        this.away = false;
        return made;
      } catch (error) {
        if (!isLock(error)) throw error;
        this.away = true;
        if (performance.now() - since >= LONGEST_LOCK) {
          const waited = `another program has had it locked for ${LONGEST_LOCK / 1_000} s. End that program.`;
          throw new Error(waited, { cause: error });
        }
      }
      await sleep(LOOK_AGAIN, undefined, { signal });
    }
  }

  #tried<T>(work: (rows: SqliteRows) => T, end: End): T {
    const database = this.#database;
    const rows = this.#rows;
    if (database === undefined || rows === undefined) throw new Error("it was closed");
    // Here, since asking for it may meet a lock as well.
    if (!this.#careful) database.exec("PRAGMA synchronous = FULL");
    this.#careful = true;
    // At once for writing: a lock that is taken later cannot be waited for.
    database.exec("BEGIN IMMEDIATE");
    try {
      const made = work(rows);
      database.exec(end);
      return made;
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      rows.forget();
      throw error;
    }
  }

  async finish(signal: AbortSignal): Promise<void> {
    await this.#transaction((rows) => rows.complete(), signal);
    this.#made = false;
    await this.close();
  }

  async close(): Promise<void> {
    const database = this.#database;
    this.#database = undefined;
    this.#rows = undefined;
    try {
      database?.close();
      if (this.#made && this.#real !== undefined) await removeEmpty(this.#real);
    } finally {
      const release = this.#release;
      this.#release = undefined;
      await release?.();
    }
  }
}

/** Of nothing written, nothing is left. */
async function removeEmpty(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.size === 0) await rm(path, { force: true });
}

function isLock(error: unknown): boolean {
  if (!(error instanceof Error && "errcode" in error && typeof error.errcode === "number")) return false;
  const code = error.errcode & 0xff;
  return code === BUSY || code === LOCKED;
}

/** Whether a file is empty or begins as a database does. @throws Error for what is no regular file */
export async function mayBeSqlite(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    if (!(await file.stat()).isFile()) throw new Error("it is no regular file");
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return bytesRead === 0 || buffer.toString("latin1") === MAGIC;
  } finally {
    await file.close();
  }
}
