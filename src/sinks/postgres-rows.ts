/** Rows into a Postgres table: its columns, and upserts of many rows at a time. */

import type { Client } from "pg";
import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import type { Entry, Refusal } from "./database.ts";
import { type Column, LONGEST_NAME, nameFault, parameter, quoted, typeFor } from "./postgres-columns.ts";
import { isRowFault, stateOf, withoutValues } from "./postgres-errors.ts";
import { type Kind, kindOf, MOST_COLUMNS, type Row, textOf, unfit, type Value } from "./rows.ts";

/** Parameters that one statement can have (65,535), less some. */
const MOST_PARAMETERS = 60_000;

/** A row of the table, and the records that it was made of: of several with one key, the last one's fields count. */
interface Merged {
  readonly entries: Entry[];
  readonly parameters: Map<Column, unknown>;
}

/** Rows with the same fields. */
interface Group {
  readonly columns: readonly Column[];
  readonly rows: Merged[];
}

type Refuse = (entries: readonly Entry[], error: MillraceError) => void;

export class PostgresRows {
  readonly #schema: string | undefined;
  readonly #table: string;
  readonly #key: string;
  #columns = new Map<string, Column>();
  /** Fields that had no value yet, and so no kind. */
  readonly #empty = new Set<string>();
  #looked = false;

  /** `table` may be `schema.table`. @throws ConfigurationError for a name that none can have */
  constructor(table: string, key: string) {
    const dot = table.indexOf(".");
    this.#schema = dot === -1 ? undefined : table.slice(0, dot);
    this.#table = table.slice(dot + 1);
    this.#key = key;
    for (const name of [this.#schema ?? "public", this.#table, key]) {
      if (name === "" || Buffer.byteLength(name) > LONGEST_NAME) {
        throw refused(`${quoted(name)} cannot be a name in Postgres: it takes 1 to ${LONGEST_NAME} bytes`);
      }
    }
  }

  get #name(): string {
    return (this.#schema === undefined ? "" : `${quoted(this.#schema)}.`) + quoted(this.#table);
  }

  /** @throws ConfigurationError for a table that rows cannot be upserted into */
  async look(client: Client): Promise<void> {
    await this.#findColumns(client);
    if (this.#columns.size === 0) return this.#mayCreate(client);
    const where = `the table ${this.#name}`;
    if (!this.#columns.has(this.#key)) throw refused(`${where} has no column ${quoted(this.#key)} (\`key\`, --key)`);
    const key = quoted(this.#key);
    const nothing = `SELECT ${key} FROM ${this.#name} WHERE false ON CONFLICT (${key}) DO UPDATE SET ${key} = excluded.${key}`;
    await client.query(`INSERT INTO ${this.#name} (${key}) ${nothing}`).catch((error: Error) => {
      const advice =
        stateOf(error) === "42P10" ? `. Give it a unique index: CREATE UNIQUE INDEX ON ${this.#name} (${key})` : "";
      throw stateOf(error) === undefined ? error : refused(`${where} takes no upserts: ${error.message}${advice}`);
    });
  }

  async #findColumns(client: Client): Promise<void> {
    const { rows } = await client.query<Column>(
      `SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, t.typcategory AS category
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
      [this.#name],
    );
    this.#columns = new Map(rows.map((column) => [column.name, column]));
    this.#looked = true;
  }

  async #mayCreate(client: Client): Promise<void> {
    const schema = this.#schema ?? null;
    const { rows } = await client.query<{ may: boolean | null }>(
      `SELECT has_schema_privilege(n.oid, 'CREATE') AND current_setting('transaction_read_only') = 'off' AS may
         FROM pg_namespace n WHERE n.nspname = coalesce($1, current_schema())`,
      [schema],
    );
    if (rows[0]?.may) return;
    throw refused(`there is no table ${this.#name}, and you may not make one there`);
  }

  async upsert(client: Client, entries: readonly Entry[]): Promise<Refusal[]> {
    if (!this.#looked) await this.#findColumns(client);
    const refusals: Refusal[] = [];
    const refuse: Refuse = (some, error) => {
      for (const entry of some) refusals.push({ entry, error });
    };
    const wanted = new Map<string, Set<Kind>>();
    const fit = entries.filter((entry) => {
      const error = this.#want(entry.row, wanted);
      if (error !== undefined) refuse([entry], error);
      return error === undefined;
    });
    try {
      await client.query("BEGIN");
      await this.#extend(client, wanted);
      const groups = grouped(this.#merged(fit, refuse));
      await client.query("SAVEPOINT rows");
      await this.#insert(client, groups).catch(async (error: unknown) => {
        if (!isRowFault(error)) throw error;
        await client.query("ROLLBACK TO SAVEPOINT rows");
        await this.#insertEach(client, groups, refuse);
      });
      await client.query("COMMIT");
      for (const name of wanted.keys()) this.#empty.delete(name);
      return refusals;
    } catch (error) {
      // The connection is given up with whatever was begun on it.
      this.#looked = false;
      throw error;
    }
  }

  /** Notes the columns that a row asks for. */
  #want(row: Row, wanted: Map<string, Set<Kind>>): MillraceError | undefined {
    const added: [string, Exclude<Value, null>][] = [];
    for (const [name, value] of row) {
      if (this.#columns.has(name)) continue;
      const fault = nameFault(name);
      if (fault !== undefined) return unfit(fault);
      if (value !== null) added.push([name, value]);
      else if (this.#empty.size < MOST_COLUMNS) this.#empty.add(name);
    }
    const more = added.filter(([name]) => !wanted.has(name)).length;
    if (more > 0 && this.#columns.size + wanted.size + more > MOST_COLUMNS) {
      return unfit(`would give the table more than ${MOST_COLUMNS} columns`);
    }
    for (const [name, value] of added) {
      const kinds = wanted.get(name) ?? new Set();
      kinds.add(kindOf(value));
      wanted.set(name, kinds);
    }
    return undefined;
  }

  /** Another run may be adding the same ones. */
  async #extend(client: Client, wanted: ReadonlyMap<string, ReadonlySet<Kind>>): Promise<void> {
    if (wanted.size === 0) return;
    const columns = new Map(Array.from(wanted, ([name, kinds]) => [name, `${quoted(name)} ${typeFor(kinds)}`]));
    if (this.#columns.size === 0) {
      const primary = `PRIMARY KEY (${quoted(this.#key)})`;
      await client.query(`CREATE TABLE IF NOT EXISTS ${this.#name} (${[...columns.values(), primary].join(", ")})`);
      columns.delete(this.#key);
    }
    // Those of a new table as well: it may be another run's, made meanwhile.
    const added = Array.from(columns.values(), (column) => `ADD COLUMN IF NOT EXISTS ${column}`);
    if (added.length > 0) await client.query(`ALTER TABLE ${this.#name} ${added.join(", ")}`);
    await this.#findColumns(client);
  }

  /** One statement cannot change a row twice. */
  #merged(entries: readonly Entry[], refuse: Refuse): Merged[] {
    const merged = new Map<string, Merged>();
    for (const entry of entries) {
      try {
        const parameters = this.#parameters(entry.row);
        const name = textOf(entry.row.get(this.#key) ?? "");
        const row: Merged = merged.get(name) ?? { entries: [], parameters: new Map() };
        row.entries.push(entry);
        for (const [column, value] of parameters) row.parameters.set(column, value);
        merged.set(name, row);
      } catch (error) {
        if (!isMillraceError(error)) throw error;
        refuse([entry], error);
      }
    }
    return [...merged.values()];
  }

  #parameters(row: Row): [Column, unknown][] {
    const parameters: [Column, unknown][] = [];
    for (const [name, value] of row) {
      const column = this.#columns.get(name);
      if (column !== undefined) parameters.push([column, parameter(value, column)]);
      // A field without a value has no column as long as no record has one in it.
      else if (value !== null) throw unfit(`has a field ${quoted(name)} whose column was taken away meanwhile`);
    }
    return parameters;
  }

  async #insert(client: Client, groups: readonly Group[]): Promise<void> {
    for (const { columns, rows } of groups) {
      const most = Math.max(1, Math.floor(MOST_PARAMETERS / columns.length));
      for (let at = 0; at < rows.length; at += most) {
        const some = rows.slice(at, at + most);
        await client.query(
          this.#sql(columns, some.length),
          some.flatMap(({ parameters }) => [...parameters.values()]),
        );
      }
    }
  }

  /** Finds the rows that Postgres does not take. */
  async #insertEach(client: Client, groups: readonly Group[], refuse: Refuse): Promise<void> {
    for (const { columns, rows } of groups) {
      for (const { entries, parameters } of rows) {
        await client.query("SAVEPOINT one");
        await client.query(this.#sql(columns, 1), [...parameters.values()]).catch(async (error: unknown) => {
          if (!isRowFault(error)) throw error;
          await client.query("ROLLBACK TO SAVEPOINT one");
          refuse(entries, unfit(`was refused by Postgres: ${withoutValues(error as Error)}`));
        });
        await client.query("RELEASE SAVEPOINT one");
      }
    }
  }

  #sql(columns: readonly Column[], rows: number): string {
    let parameters = 0;
    const values = Array.from({ length: rows }, () => `(${columns.map(() => `$${++parameters}`).join(", ")})`);
    const others = columns.filter(({ name }) => name !== this.#key).map(({ name }) => quoted(name));
    const changes = others.map((name) => `${name} = excluded.${name}`).join(", ");
    return (
      `INSERT INTO ${this.#name} (${columns.map(({ name }) => quoted(name)).join(", ")}) VALUES ${values.join(", ")} ` +
      `ON CONFLICT (${quoted(this.#key)}) DO ${others.length === 0 ? "NOTHING" : `UPDATE SET ${changes}`}`
    );
  }

  /** A table there is, of no records too, and a column for each field. */
  async complete(client: Client): Promise<void> {
    if (!this.#looked) await this.#findColumns(client);
    const wanted = new Map<string, Set<Kind>>();
    if (this.#columns.size === 0) wanted.set(this.#key, new Set(["text"]));
    for (const name of this.#empty) {
      if (this.#columns.size + wanted.size >= MOST_COLUMNS) break;
      if (!this.#columns.has(name)) wanted.set(name, new Set(["text"]));
    }
    await this.#extend(client, wanted);
  }
}

function grouped(rows: readonly Merged[]): Group[] {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const columns = [...row.parameters.keys()];
    const signature = columns.map(({ name }) => name).join("\0");
    const group: Group = groups.get(signature) ?? { columns, rows: [] };
    group.rows.push(row);
    groups.set(signature, group);
  }
  return [...groups.values()];
}

const refused = (why: string) => failure("invalid_option", `Cannot write to Postgres: ${why}.`);
