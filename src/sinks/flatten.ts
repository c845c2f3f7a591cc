/** One record → named cells: nested fields by their dotted paths. */

import { failure } from "../errors.ts";
import { quoted } from "../fields.ts";

/** A cell's text, whether a spreadsheet could take it for a formula being another matter; null: nothing there. */
export interface Cell {
  readonly text: string | null;
  /** It was a string: a number or a boolean is never a formula. */
  readonly isString: boolean;
}

/** Objects nested deeper stand as JSON text: a path for each of many deep fields would take far more room than they do. */
const MOST_LEVELS = 8;

export const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

/**
 * `analysis.title` for what is nested, arrays as JSON text, an object without fields as `{}`, null as nothing at all.
 * Fields that `wanted` names are kept as JSON text where they are objects.
 *
 * @param record one that JSON can hold
 * @throws `unserializable` when two of its fields come to one name, or it is no object
 */
export function flatten(record: unknown, wanted?: ReadonlySet<string>): Map<string, Cell> {
  const plain = isObject(record) ? asJson(record) : record;
  if (!isObject(plain) || Array.isArray(plain)) {
    throw failure("unserializable", "The record cannot be written as CSV: it is no object with fields.");
  }
  const cells = new Map<string, Cell>();
  fill(cells, "", plain, { levels: MOST_LEVELS, wanted });
  return cells;
}

interface Manner {
  readonly levels: number;
  readonly wanted: ReadonlySet<string> | undefined;
}

function fill(cells: Map<string, Cell>, path: string, value: object, { levels, wanted }: Manner): void {
  for (const [key, field] of Object.entries(value)) {
    const name = path + key;
    if (field === undefined) {
      // A column all the same: of the next record, it may hold something.
      if (!cells.has(name)) cells.set(name, NOTHING);
      continue;
    }
    const at = isObject(field) ? asJson(field) : field;
    const nested = isObject(at) && !Array.isArray(at) && levels > 1 && Object.keys(at).length > 0;
    if (!nested || wanted?.has(name)) {
      if ((cells.get(name) ?? NOTHING) !== NOTHING)
        throw failure("unserializable", `Two fields of the record would be the column ${quoted(name)}.`);
      cells.set(name, cellOf(at));
    }
    if (nested) fill(cells, `${name}.`, at, { levels: levels - 1, wanted });
  }
}

const NOTHING: Cell = { text: null, isString: false };

function cellOf(value: unknown): Cell {
  if (value === null) return { ...NOTHING };
  if (isObject(value)) return { text: JSON.stringify(value), isString: false };
  return { text: String(value), isString: typeof value === "string" };
}

/** What JSON makes of it, where that is not the object itself: a date, a URL, an instance of a class. */
export function asJson(value: object): unknown {
  const prototype = Object.getPrototypeOf(value);
  const plain = prototype === Object.prototype || prototype === null || Array.isArray(value);
  return plain && !("toJSON" in value) ? value : JSON.parse(JSON.stringify(value));
}
