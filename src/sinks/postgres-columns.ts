/** What a Postgres column takes, and how a value is written for it: pure. */

import { type Kind, Nested, printsBack, textOf, unfit, type Value } from "./rows.ts";

export interface Column {
  readonly name: string;
  /** Such as `text` or `numeric`, as Postgres prints it. */
  readonly type: string;
  /** Postgres's own letter for what the type is akin to; `N` number, `B` boolean, `A` array: pg_type.typcategory. */
  readonly category: string;
}

/** Postgres cuts longer names, and of two that are alike up to there one would be lost. */
export const LONGEST_NAME = 63;

const SYSTEM_COLUMNS = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Why no column can have the name; undefined: one can. */
export function nameFault(name: string): string | undefined {
  if (name === "") return "has a field without a name, which Postgres has no column for";
  if (Buffer.byteLength(name) > LONGEST_NAME) return `has a field with a name of more than ${LONGEST_NAME} bytes`;
  return SYSTEM_COLUMNS.includes(name)
    ? `has a field ${quoted(name)}, a name that Postgres keeps for itself`
    : undefined;
}

/** `numeric` holds every number of JSON and every integer of any length as it is. */
export function typeFor(kinds: ReadonlySet<Kind>): string {
  const [kind, ...more] = kinds;
  if (more.length > 0) return "text";
  return { text: "text", number: "numeric", boolean: "boolean", nested: "jsonb", mixed: "text" }[kind ?? "text"];
}

/** Integers of any length, as they print. */
const INTEGER = /^(0|-?[1-9]\d*)$/;

/** The value as pg is given it. @throws `unserializable` for one that the column would change in silence or not take */
export function parameter(value: Value, { name, type, category }: Column): unknown {
  if (value === null) return null;
  if (typeof value === "string" && value.includes("\0")) {
    throw unfit(`has a NUL in ${quoted(name)}, which Postgres has no text for`);
  }
  if (type === "json" || type === "jsonb") return value instanceof Nested ? value.text : JSON.stringify(value);
  if (category === "A" && value instanceof Nested) return JSON.parse(value.text);
  if (category === "N" && !isNumber(value, type)) throw mismatch(value, name, type);
  if (category === "B" && typeof value !== "boolean" && value !== "true" && value !== "false") {
    throw mismatch(value, name, type);
  }
  return textOf(value);
}

function isNumber(value: Exclude<Value, null>, type: string): boolean {
  if (typeof value !== "string") return typeof value === "number";
  const inexact = type === "real" || type === "double precision";
  return printsBack(value) || (INTEGER.test(value) && !inexact);
}

const mismatch = (value: Exclude<Value, null>, name: string, type: string) => {
  const is = value instanceof Nested ? "an object or array" : typeof value === "string" ? "text" : `a ${typeof value}`;
  return unfit(`has ${is} in ${quoted(name)}, a column of ${type}. Make the column text, or write to another table`);
};
