/** Node's own SQLite: loaded when it is needed, and its errors by what they mean. */

import type { DatabaseSync, DatabaseSyncOptions } from "node:sqlite";
import { load } from "../load.ts";

let sqlite: typeof import("node:sqlite") | undefined;

export function openSqlite(path: string, options: DatabaseSyncOptions = {}): DatabaseSync {
  sqlite ??= withoutItsWarning(() => load("node:sqlite") as typeof import("node:sqlite"));
  return new sqlite.DatabaseSync(path, options);
}

/** Some versions of Node call the module experimental on stderr when it is loaded: nothing that a user could act on. */
function withoutItsWarning<T>(loading: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = ((warning: string | Error, ...rest: never[]) => {
    if (!/SQLite is an experimental feature/.test(String(warning))) emitWarning(warning, ...rest);
  }) as typeof emitWarning;
  try {
    return loading();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Result codes of SQLite, see sqlite.org/rescode.html. */
const MEANINGS = {
  busy: [5, 6],
  damaged: [11, 26],
  /** No such table or column. */
  mismatched: [1],
  unwritable: [3, 8, 14],
} as const;

/** Whether an error is SQLite's and means that. An extended code has its primary one in the low byte. */
export function meansSqlite(error: unknown, meaning: keyof typeof MEANINGS): boolean {
  if (!(error instanceof Error && "errcode" in error && typeof error.errcode === "number")) return false;
  return (MEANINGS[meaning] as readonly number[]).includes(error.errcode & 0xff);
}
