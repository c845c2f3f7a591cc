/** Records as CSV: a header line, then a line for each, quoted as RFC 4180 says. */

import type * as CsvStringify from "csv-stringify";
import { failure } from "../errors.ts";
import { quoted } from "../fields.ts";
import { load } from "../load.ts";
import { Missing } from "../missing.ts";
import { type Cell, flatten } from "./flatten.ts";
import { checkJson, type TextFormat } from "./text.ts";

export interface CsvOptions {
  /** The fields to write, by their dotted paths, in this order; others are left out on purpose. */
  readonly columns?: readonly string[] | undefined;
  /** Whether text that a spreadsheet would run as a formula gets a `'` before it (the default), or stays as it is. */
  readonly formulas?: "defuse" | "keep" | undefined;
}

/** Records whose fields become the columns, and the most characters held for that. */
const FIRST_RECORDS = 100;
const MOST_HELD = 1024 * 1024;

/**
 * The columns are those given, or the fields of the first records, which are held until so many have come. A later record
 * with a value in another field would lose it: it is refused.
 */
export function csvFormat({ columns, formulas = "defuse" }: CsvOptions): TextFormat {
  const shown = formulas === "defuse" ? defused : textOf;
  const line = lineEncoder(shown);
  return columns === undefined ? foundColumns(line, shown) : givenColumns(line, columns);
}

type Line = (cells: readonly Cell[]) => string;

const EMPTY: Cell = { text: null, isString: false };
const named = (text: string): Cell => ({ text, isString: true });
const header = (names: Iterable<string>): Cell[] => Array.from(names, named);

function cellsOf(record: unknown, wanted?: ReadonlySet<string>): Map<string, Cell> {
  checkJson(record, "CSV");
  return flatten(record, wanted);
}

function givenColumns(line: Line, columns: readonly string[]): TextFormat {
  const wanted = new Set(columns);
  const missing = new Missing("CSV columns", columns);
  const tell = (message: string | undefined) => message && format.notify?.(message);
  let headed = false;
  const top = () => {
    const text = headed ? "" : line(header(columns));
    headed = true;
    return text;
  };
  const format: TextFormat = {
    encode(record) {
      const cells = cellsOf(record, wanted);
      tell(missing.met(cells.keys()));
      const row = columns.map((name) => checked(name, cells.get(name) ?? EMPTY));
      return top() + line(row);
    },
    end() {
      tell(missing.end());
      return top();
    },
  };
  return format;
}

function foundColumns(line: Line, shown: (cell: Cell) => string | null): TextFormat {
  /** Fields by what the header calls them: of `=a` and `'=a`, defused alike, a reader would lose one. */
  const columns = new Map<string, string>();
  let first: Map<string, Cell>[] | undefined = [];
  let held = 0;
  const row = (cells: Map<string, Cell>) => line(Array.from(columns.values(), (name) => cells.get(name) ?? EMPTY));
  const release = () => {
    const rows = first ?? [];
    first = undefined;
    return rows.length === 0 ? "" : line(header(columns.values())) + rows.map(row).join("");
  };
  const hold = (cells: Map<string, Cell>, into: Map<string, Cell>[]) => {
    const added = new Map<string, string>();
    for (const [name, { text }] of cells) {
      const title = shown(named(name)) ?? name;
      const taken = columns.get(title) ?? added.get(title);
      if (taken !== undefined && taken !== name) throw twins(name, taken);
      added.set(title, name);
      held += name.length + (text?.length ?? 0);
    }
    for (const [title, name] of added) columns.set(title, name);
    return into.push(cells) < FIRST_RECORDS && held < MOST_HELD ? "" : release();
  };
  const known = new Set<string>();
  return {
    encode(record) {
      const cells = cellsOf(record);
      if (cells.size === 0) throw failure("unserializable", "The record cannot be written as CSV: it has no fields.");
      for (const [name, cell] of cells) checked(name, cell);
      if (first !== undefined) return hold(cells, first);
      if (known.size === 0) for (const name of columns.values()) known.add(name);
      for (const [name, { text }] of cells) if (text !== null && !known.has(name)) throw stranger(name);
      return row(cells);
    },
    end: release,
  };
}

const twins = (name: string, other: string) =>
  failure(
    "unserializable",
    `The fields ${quoted(name)} and ${quoted(other)} would be one column, defused against formulas.`,
  );

const stranger = (name: string) =>
  failure(
    "unserializable",
    `The field ${quoted(name)} is none of the CSV's columns, which are those of its first records. ` +
      "Name the columns to write (`columns`, --columns), or write NDJSON.",
  );

/** JSON can escape half a character; in UTF-8 it would become another one. */
function checked(name: string, cell: Cell): Cell {
  if (name.isWellFormed() && (cell.text?.isWellFormed() ?? true)) return cell;
  throw failure(
    "unserializable",
    `The record cannot be written as CSV: ${quoted(name)} holds half a surrogate pair, which UTF-8 has no way to write.`,
  );
}

const textOf = ({ text }: Cell): string | null => text;

/** What makes a spreadsheet calculate: https://owasp.org/www-community/attacks/CSV_Injection, full-width forms included. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const PLAIN_NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

const defused = ({ text, isString }: Cell): string | null =>
  isString && text !== null && FORMULA.test(text) && !PLAIN_NUMBER.test(text) ? `'${text}` : text;

/**
 * Lines are made by csv-stringify (6.9), asked for one at a time. Of its own accord it quotes delimiters, quotes and line
 * feeds. We ask for it as well at a carriage return (which ends a line for many readers), and where a reader may trim,
 * take the first bytes for a byte order mark, take another character for the delimiter, or could not tell empty text from
 * nothing.
 */
function lineEncoder(shown: (cell: Cell) => string | null): Line {
  const { stringify } = load("csv-stringify") as typeof CsvStringify;
  const encoder = stringify({ record_delimiter: "\n", quoted_match: [/^$/, /^\s|\s$|[\r\t;|]/] });
  encoder.setEncoding("utf8");
  return (cells) => {
    const row = cells.map(shown);
    // A line with nothing on it would be no record to any reader.
    encoder.write(row.length === 1 ? [row[0] ?? ""] : row);
    const line: unknown = encoder.read();
    if (typeof line !== "string") throw failure("internal", "csv-stringify gave no line for a record.");
    return line;
  };
}
