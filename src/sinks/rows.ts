/** One record → one row of a table: a column for each of its own fields, nested ones as JSON text. */

import { failure, type MillraceError } from "../errors.ts";
import { fieldsTold, quoted } from "../fields.ts";
import { asJson, isObject } from "./flatten.ts";
import { checkJson } from "./text.ts";

/** An object or array, as its JSON text. */
export class Nested {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Value = string | number | boolean | Nested | null;

/** Values by their field's name. A field that the record lacks is not in it: what the row has there stays. */
export type Row = ReadonlyMap<string, Value>;

/** What the values of a column are; `mixed`: of several kinds. */
export type Kind = "text" | "number" | "boolean" | "nested" | "mixed";

/** A table may have so many columns that records bring; databases allow between 1,600 and 2,000. */
export const MOST_COLUMNS = 1_000;

/**
 * @param key the field whose value tells the rows apart
 * @throws `unserializable`, or `missing_row_key` for a record without one
 */
export function rowOf(record: unknown, key: string): Row {
  checkJson(record, "a row");
  const plain = isObject(record) ? asJson(record) : record;
  if (!isObject(plain) || Array.isArray(plain)) {
    throw failure("unserializable", "The record cannot be written as a row: it is no object with fields.");
  }
  const row = new Map<string, Value>();
  for (const [name, field] of Object.entries(plain)) {
    if (field !== undefined) row.set(name, checked(name, heldOf(field)));
  }
  const at = row.get(key);
  if (typeof at === "number" || (typeof at === "string" && at !== "")) return row;
  const why = row.has(key) ? "is no text or number" : "is missing";
  throw failure(
    "missing_row_key",
    `The record's field ${quoted(key)} ${why}, and it is what tells the table's rows apart. ${fieldsTold(plain)} ` +
      "Name another field with `key` (--key).",
  );
}

function heldOf(field: unknown): Value {
  const value = isObject(field) ? asJson(field) : field;
  return isObject(value) ? new Nested(JSON.stringify(value)) : (value as Value);
}

/** JSON can escape half a character; in UTF-8 it would become another one. */
function checked(name: string, value: Value): Value {
  if (name.includes("\0")) throw unfit(`has a field with a NUL in its name, ${quoted(name)}`);
  if (name.isWellFormed() && (typeof value !== "string" || value.isWellFormed())) return value;
  throw unfit(`holds half a surrogate pair in ${quoted(name)}, which UTF-8 has no way to write`);
}

/** A record that its table cannot take. */
export const unfit = (why: string): MillraceError =>
  failure("unserializable", `The record cannot be written as a row: it ${why}.`);

export function kindOf(value: Exclude<Value, null>): Kind {
  if (value instanceof Nested) return "nested";
  return typeof value === "string" ? "text" : (typeof value as "number" | "boolean");
}

/** As text that is the same whoever writes it. */
export const textOf = (value: Exclude<Value, null>): string => (value instanceof Nested ? value.text : String(value));

/** Whether text becomes a number and back without a change: `12`, not `007` and not more digits than a double has. */
export const printsBack = (text: string): boolean => String(Number(text)) === text && Number.isFinite(Number(text));
