/** Which table of which database an output means. */

import type { Writable } from "node:stream";
import { failure } from "../errors.ts";
import type { Database } from "../formats.ts";
import { DatabaseSink } from "./database.ts";
import { PostgresTable } from "./postgres.ts";
import { SqliteTable } from "./sqlite.ts";

export interface DatabaseOptions {
  /** The table that the records become rows of; made when it is not there. In Postgres also `schema.table`. Default "records". */
  readonly table?: string | undefined;
  /** The field whose value tells the rows apart: a record with the same one takes the row's place. Default "id". */
  readonly key?: string | undefined;
}

const TABLES = { sqlite: SqliteTable, postgres: PostgresTable } as const;

/** @throws ConfigurationError for a name or a URL that is none */
export function databaseSink(
  database: Database,
  output: string,
  { table = "records", key = "id", deadLetters }: DatabaseOptions & { readonly deadLetters?: Writable | undefined },
): DatabaseSink {
  for (const [name, value] of Object.entries({ table, key })) {
    if (typeof value === "string" && value !== "" && !value.includes("\0") && value.isWellFormed()) continue;
    throw failure("invalid_option", `write(): \`${name}\` must be a name, got ${JSON.stringify(value)}.`);
  }
  return new DatabaseSink(new TABLES[database](output, { table, key }), deadLetters);
}

/** @throws ConfigurationError where an output is no database but is given what is for one */
export function refuseDatabaseOptions({ table, key }: DatabaseOptions, output: unknown): void {
  for (const [name, value] of Object.entries({ table, key })) {
    if (value === undefined) continue;
    const where = typeof output === "string" ? output : "the stream";
    const advice = "Give a name that ends in .db or .sqlite, or a postgres:// URL.";
    throw failure("invalid_option", `write(): \`${name}\` is for a database, and ${where} is none. ${advice}`);
  }
}
