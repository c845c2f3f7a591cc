/** Rows into an SQLite table: its columns, and one statement for each set of fields. Runs within a transaction. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import type { Entry, Refusal } from "./database.ts";
import { type Kind, kindOf, MOST_COLUMNS, Nested, printsBack, type Row, textOf, unfit, type Value } from "./rows.ts";

type Bound = string | number | bigint | null;

interface Column {
  readonly name: string;
  /** Numbers become text in it. */
  readonly text: boolean;
  /** Text that looks like a number becomes one in it; only in tables that are not of our making. */
  readonly numeric: boolean;
}

/** Statements kept; records that differ in their fields more than this have theirs made anew. */
const MOST_STATEMENTS = 100;

/** Constraints, a value too big, a value of the wrong type: https://www.sqlite.org/rescode.html */
const ROW_FAULTS = [18, 19, 20];

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** As SQLite compares names: case counts but for the letters of ASCII. */
const folded = (name: string): string => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

export class SqliteRows {
  readonly #database: DatabaseSync;
  readonly #table: string;
  readonly #key: string;
  /** By their folded names; empty: there is no table yet. */
  #columns = new Map<string, Column>();
  /** Fields that had no value yet, and so no kind. */
  readonly #empty = new Map<string, string>();
  readonly #statements = new Map<string, StatementSync>();
  #looked = false;

  constructor(database: DatabaseSync, table: string, key: string) {
    this.#database = database;
    this.#table = table;
    this.#key = key;
  }

  /** What a transaction did was undone. */
  forget(): void {
    this.#looked = false;
  }

  /** @throws ConfigurationError for a table that rows cannot be upserted into */
  look(): void {
    this.#statements.clear();
    const found = this.#database
      .prepare("SELECT name, type FROM pragma_table_xinfo(?)")
      .all(this.#table) as unknown as { readonly name: string; readonly type: string }[];
    this.#columns = new Map(found.map((column) => [folded(column.name), affinityOf(column)]));
    this.#looked = true;
    if (found.length === 0) {
      if (/^sqlite_/i.test(this.#table)) throw refused("SQLite keeps names that begin with sqlite_ for itself");
      return;
    }
    const where = `its table ${quoted(this.#table)}`;
    if (!this.#columns.has(folded(this.#key))) {
      throw refused(`${where} has no column ${quoted(this.#key)} (\`key\`, --key)`);
    }
    try {
      this.#database.prepare(this.#sql([this.#key]));
    } catch (error) {
      throw refused(`${where} cannot be upserted into by ${quoted(this.#key)}: ${(error as Error).message}`);
    }
  }

  upsert(entries: readonly Entry[]): Refusal[] {
    if (!this.#looked) this.look();
    const refusals: Refusal[] = [];
    const taken: Entry[] = [];
    const wanted = new Map<string, { name: string; kinds: Set<Kind> }>();
    for (const entry of entries) {
      const error = this.#want(entry.row, wanted);
      if (error === undefined) taken.push(entry);
      else refusals.push({ entry, error });
    }
    this.#extend(wanted);
    for (const entry of taken) {
      const error = this.#write(entry.row);
      if (error !== undefined) refusals.push({ entry, error });
    }
    return refusals;
  }

  /** Notes the columns that a row asks for. */
  #want(row: Row, wanted: Map<string, { name: string; kinds: Set<Kind> }>): MillraceError | undefined {
    const names = new Set<string>();
    const added: [string, string, Exclude<Value, null>][] = [];
    for (const [name, value] of row) {
      const fold = folded(name);
      if (names.has(fold)) return unfit(`has two fields ${quoted(name)}, in other letters, which SQLite takes for one`);
      names.add(fold);
      if (this.#columns.has(fold)) continue;
      if (value !== null) added.push([fold, name, value]);
      else if (this.#empty.size < MOST_COLUMNS) this.#empty.set(fold, name);
    }
    const more = added.filter(([fold]) => !wanted.has(fold)).length;
    if (more > 0 && this.#columns.size + wanted.size + more > MOST_COLUMNS) {
      return unfit(`would give the table more than ${MOST_COLUMNS} columns`);
    }
    for (const [fold, name, value] of added) {
      const want = wanted.get(fold) ?? { name, kinds: new Set() };
      want.kinds.add(kindOf(value));
      wanted.set(fold, want);
    }
    return undefined;
  }

  #extend(wanted: ReadonlyMap<string, { readonly name: string; readonly kinds: ReadonlySet<Kind> }>): void {
    const key = folded(this.#key);
    const typed = ({ name, kinds }: { readonly name: string; readonly kinds: ReadonlySet<Kind> }) =>
      `${quoted(name)}${[...kinds].every((kind) => kind === "text" || kind === "nested") ? " TEXT" : ""}`;
    if (this.#columns.size === 0 && wanted.size > 0) {
      const columns = Array.from(wanted, ([fold, want]) => typed(want) + (fold === key ? " NOT NULL PRIMARY KEY" : ""));
      this.#database.exec(`CREATE TABLE ${quoted(this.#table)} (${columns.join(", ")})`);
    } else {
      for (const want of wanted.values()) {
        this.#database.exec(`ALTER TABLE ${quoted(this.#table)} ADD COLUMN ${typed(want)}`);
      }
    }
    for (const fold of wanted.keys()) this.#empty.delete(fold);
    if (wanted.size > 0) this.look();
  }

  #write(row: Row): MillraceError | undefined {
    try {
      const names: string[] = [];
      const values: Bound[] = [];
      for (const [name, value] of row) {
        const column = this.#columns.get(folded(name));
        if (column === undefined) continue;
        names.push(column.name);
        values.push(bound(value, column));
      }
      this.#statement(names).run(...values);
      return undefined;
    } catch (error) {
      if (isMillraceError(error)) return error;
      const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
      if (!ROW_FAULTS.includes(code) || !this.#database.isTransaction) throw error;
      return unfit(`was refused by SQLite: ${(error as Error).message}`);
    }
  }

  #statement(names: readonly string[]): StatementSync {
    // No name has a NUL in it.
    const signature = names.join("\0");
    const known = this.#statements.get(signature);
    if (known !== undefined) return known;
    if (this.#statements.size >= MOST_STATEMENTS) this.#statements.clear();
    const made = this.#database.prepare(this.#sql(names));
    this.#statements.set(signature, made);
    return made;
  }

  #sql(names: readonly string[]): string {
    const others = names.filter((name) => folded(name) !== folded(this.#key));
    const changes = others.map((name) => `${quoted(name)} = excluded.${quoted(name)}`).join(", ");
    return (
      `INSERT INTO ${quoted(this.#table)} (${names.map(quoted).join(", ")}) VALUES (${names.map(() => "?").join(", ")}) ` +
      `ON CONFLICT (${quoted(this.#key)}) DO ${others.length === 0 ? "NOTHING" : `UPDATE SET ${changes}`}`
    );
  }

  /** A table there is, of no records too, and a column for each field. */
  complete(): void {
    if (!this.#looked) this.look();
    const wanted = new Map<string, { name: string; kinds: Set<Kind> }>();
    if (this.#columns.size === 0) wanted.set(folded(this.#key), { name: this.#key, kinds: new Set() });
    for (const [fold, name] of this.#empty) {
      if (this.#columns.size + wanted.size >= MOST_COLUMNS) break;
      if (!this.#columns.has(fold)) wanted.set(fold, { name, kinds: new Set(["number"]) });
    }
    this.#extend(wanted);
  }
}

/**
 * What SQLite makes of values by a column's declared type (https://www.sqlite.org/datatype3.html, 3.1). Ours are TEXT, or of
 * no type, which keeps whatever it is given as it is.
 */
function affinityOf({ name, type }: { readonly name: string; readonly type: string }): Column {
  const integer = /INT/i.test(type);
  const text = !integer && /CHAR|CLOB|TEXT/i.test(type);
  const numeric = integer || (!text && type !== "" && !/BLOB/i.test(type));
  return { name, text, numeric };
}

/** Integers of 64 bits, as they print. */
const INT64 = /^-?[1-9]\d{0,17}$/;
const NUMBER = /^\s*[+-]?(\d|\.\d)/;

/** @throws `unserializable` for text that the column would change into a number that is not the same */
function bound(value: Value, column: Column): Bound {
  if (value === null) return null;
  if (value instanceof Nested || column.text) return textOf(value);
  if (typeof value === "boolean") return value ? 1n : 0n;
  // A number is bound as a double, and would be stored as one.
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (
    column.numeric &&
    NUMBER.test(value) &&
    Number.isFinite(Number(value)) &&
    !printsBack(value) &&
    !INT64.test(value)
  ) {
    throw unfit(`has text in ${quoted(column.name)}, a column of numbers, that would not be the same as a number`);
  }
  return value;
}

const refused = (why: string) => failure("invalid_option", `Cannot write the database: ${why}.`);
