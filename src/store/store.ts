/** The durable store of responses: one file, shared by all who use it in this process. */

import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import { warn } from "../warn.ts";
import { Damage, Database, type Row } from "./database.ts";
import { Group } from "./group.ts";
import type { Outcome } from "./outcome.ts";
import { identityOf, preparePlace, setAside, unwritable } from "./place.ts";
import { salvage } from "./salvage.ts";
import { meansSqlite } from "./sqlite.ts";

/** How long another process may hold the store, ms: its commits take some ms, a prune of a large store seconds. */
const PATIENCE = 60_000;

/** Between two looks whether it is free, ms. */
const LOOK = 10;

interface Shared {
  readonly store: Promise<Store>;
  users: number;
}

const open = new Map<string, Shared>();

export class Store {
  readonly path: string;
  #database: Database;
  #identity: string | undefined;
  readonly #group = new Group<Row>((rows) => this.#commit(rows));
  #mending: Promise<void> | undefined;
  /** Rows up to this one were there when the store was opened. */
  readonly began: number;

  private constructor(path: string, database: Database) {
    this.path = path;
    this.#database = database;
    this.#identity = identityOf(path);
    this.began = database.newest;
  }

  /**
   * Opens a store, or takes part in it where this process has it open. Each `open` is matched by one `close`.
   *
   * @throws `invalid_option` when it cannot be one or cannot be written; `store_failed` when it cannot be opened
   */
  static async open(path: string): Promise<Store> {
    const place = resolve(path);
    let shared = open.get(place);
    if (shared === undefined) {
      shared = { store: Store.#make(place), users: 0 };
      open.set(place, shared);
    }
    shared.users++;
    try {
      return await shared.store;
    } catch (error) {
      if (open.get(place) === shared) open.delete(place);
      throw error;
    }
  }

  static async #make(path: string): Promise<Store> {
    await preparePlace(path);
    const identity = identityOf(path);
    try {
      return new Store(path, await whenFree(() => new Database(path)));
    } catch (error) {
      if (meansSqlite(error, "unwritable")) throw unwritable(path, error);
      if (!(error instanceof Damage)) throw failed(path, error);
      const [database] = await replaced(path, { identity, damage: error });
      return new Store(path, database);
    }
  }

  /**
   * The outcome stored under a key in a row newer than `after` (0: any). At once, but while a damaged store is mended.
   *
   * @throws `store_failed`
   */
  get(key: string, after = 0): Outcome | undefined | Promise<Outcome | undefined> {
    if (this.#mending !== undefined) return this.#mending.then(() => this.get(key, after));
    try {
      return this.#database.get(key, after);
    } catch (error) {
      if (!(error instanceof Damage)) throw failed(this.path, error);
      return this.#mend(error).then(() => this.get(key, after));
    }
  }

  /** Resolves when the outcome is on disk. @throws `store_failed` */
  put(row: Row): Promise<void> {
    return this.#group.add(row);
  }

  /** Resolves when all is on disk and, after the last of its users, the file is closed. */
  async close(): Promise<void> {
    await this.#group.flush();
    const shared = open.get(this.path);
    if (shared === undefined || --shared.users > 0) return;
    open.delete(this.path);
    await this.#mending?.catch(() => {});
    this.#database.close();
  }

  async #commit(rows: readonly Row[]): Promise<void> {
    await this.#mending;
    try {
      await whenFree(() => this.#database.putAll(rows, Date.now()));
    } catch (error) {
      if (!(error instanceof Damage)) throw failed(this.path, error);
      await this.#mend(error);
      await this.#commit(rows);
    }
  }

  #mend(damage: Damage): Promise<void> {
    this.#mending ??= this.#replace(damage).finally(() => {
      this.#mending = undefined;
    });
    return this.#mending;
  }

  async #replace(damage: Damage): Promise<void> {
    this.#database.close();
    [this.#database, this.#identity] = await replaced(this.path, { identity: this.#identity, damage });
  }
}

/** A store that is damaged is kept for who wants to look into it; the run goes on with a new one. */
async function replaced(
  path: string,
  { identity, damage }: { identity: string | undefined; damage: Damage },
): Promise<[Database, string | undefined]> {
  try {
    const aside = setAside(path, identity);
    await preparePlace(path);
    const database = await whenFree(() => new Database(path));
    const saved = aside === undefined ? 0 : await salvage(aside, database);
    warn(
      `The store ${path} is damaged (${damage.message})${aside === undefined ? "" : ` and was set aside as ${aside}`}. ` +
        `The run goes on with a new one; ${saved} answers could be saved, the others are asked for again.`,
    );
    return [database, identityOf(path)];
  } catch (error) {
    throw failed(path, error);
  }
}

/** Waits for another process without holding up this one. */
async function whenFree<T>(act: () => T): Promise<T> {
  const until = performance.now() + PATIENCE;
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (!meansSqlite(error, "busy") || performance.now() > until) throw error;
      await sleep(LOOK * (1 + Math.random()));
    }
  }
}

function failed(path: string, cause: unknown): MillraceError {
  if (isMillraceError(cause)) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  return failure(
    "store_failed",
    `The store ${path} failed: ${why}. What is stored stays; make room or mend the disk, and run the same command again.`,
    { cause },
  );
}
