/** What can still be read of a damaged store is paid for, and taken over into the new one. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { Database } from "./database.ts";
import { sumOf } from "./database.ts";
import { openSqlite } from "./sqlite.ts";

/** Rows taken over between two turns of the event loop. */
const AT_ONCE = 256;

const COLUMNS = "id, key, at, provider, model, cut, facts, text, sum";

/** As they lie in the table. */
type Kept = [number, Uint8Array, number, string, string, number | null, string, string | Uint8Array, number];

/** The number of rows that were whole. Never throws: of a file that cannot be read at all, it is none. */
export async function salvage(damaged: string, into: Database): Promise<number> {
  let from: DatabaseSync | undefined;
  try {
    from = openSqlite(damaged);
    return await takeOver(from, into.sql);
  } catch {
    return 0;
  } finally {
    from?.close();
  }
}

async function takeOver(from: DatabaseSync, into: DatabaseSync): Promise<number> {
  const last = Number(from.prepare("SELECT max(id) AS last FROM answers").get()?.last ?? 0);
  const many = arrays(from.prepare(`SELECT ${COLUMNS} FROM answers WHERE id > ? AND id <= ? ORDER BY id`));
  const one = arrays(from.prepare(`SELECT ${COLUMNS} FROM answers WHERE id = ?`));
  const put = into.prepare(`INSERT OR REPLACE INTO answers (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  let taken = 0;
  for (let id = 0; id < last; id += AT_ONCE) {
    const rows = readable(() => many.all(id, id + AT_ONCE)) ?? oneByOne(one, id);
    into.exec("BEGIN IMMEDIATE");
    for (const row of rows as unknown as Kept[]) {
      if (!isWhole(row)) continue;
      put.run(...row);
      taken++;
    }
    into.exec("COMMIT");
    await setImmediate();
  }
  return taken;
}

/** Where a stretch cannot be read, its rows may still be, each by itself. */
function oneByOne(one: StatementSync, after: number): unknown[] {
  const ids = Array.from({ length: AT_ONCE }, (_, index) => after + 1 + index);
  return ids.flatMap((id) => readable(() => one.all(id)) ?? []);
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function arrays(statement: StatementSync): StatementSync {
  statement.setReturnArrays(true);
  return statement;
}

const isWhole = ([, key, , , , , facts, text, sum]: Kept): boolean =>
  key instanceof Uint8Array && typeof facts === "string" && sumOf(key, facts, text) === sum;
