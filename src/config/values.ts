/** The values of options: how each is read as it is typed, and what may stand for it in a configuration file. */

import { failure } from "../errors.ts";

/** What may stand in a file, as JSON Schema: it serves editors, and tells the reader which types it may meet. */
export interface ValueSchema {
  readonly type?: "string" | "integer" | "number" | "boolean" | "array" | "object";
  readonly anyOf?: readonly ValueSchema[];
  readonly enum?: readonly (string | boolean)[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly items?: ValueSchema;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: ValueSchema | false;
  readonly description?: string;
}

/** A fault in a value that has parts: where in it (`["gpt-5", "input"]`), and what is wrong there. */
export class ValueFault extends Error {
  readonly path: readonly string[];

  constructor(path: readonly string[], message: string) {
    super(message);
    this.path = path;
  }
}

/** Reads a value as it is typed. @throws `invalid_option`, with the option's flag as the message's first word */
export interface Reader<T = unknown> {
  (text: string): T;
  /** What may stand for it in a file. Left out: a text, which is then read as if it had been typed. */
  readonly schema?: ValueSchema;
  /** Reads what a file has in another shape than the typed one: a list, a mapping, `false`. @throws ValueFault */
  readonly read?: (value: unknown) => T;
  /** As it stands in a file, where that is not the value itself. */
  write?(value: T): unknown;
}

const usage = (message: string) => failure("invalid_option", message);

const reader = <T>(
  parse: (text: string) => T,
  schema: ValueSchema,
  inFile: Pick<Reader<T>, "read" | "write"> = {},
): Reader<T> => Object.assign(parse, { schema }, inFile);

export const TEXT: ValueSchema = { type: "string", minLength: 1 };

/** What stands for an option that says no more of itself. */
export function schemaOf(spec: {
  readonly flags?: string;
  readonly choices?: readonly string[];
  readonly parse?: Reader;
}): ValueSchema {
  if (spec.choices !== undefined) return { enum: spec.choices };
  if (spec.parse !== undefined) return spec.parse.schema ?? TEXT;
  return spec.flags?.includes("<") === false ? { type: "boolean" } : TEXT;
}

export const whole = (
  flag: string,
  { least, most = Number.MAX_SAFE_INTEGER }: { readonly least: number; readonly most?: number },
): Reader<number> =>
  reader(
    (text) => {
      const value = Number(text);
      if (/^\d+$/.test(text) && value >= least && value <= most) return value;
      const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} up` : `from ${least} to ${most}`;
      throw usage(`${flag} takes a whole number ${range}, got "${text}".`);
    },
    { type: "integer", minimum: least, maximum: most },
  );

const MOST_CALLS = 10_000;
const calls = whole("--concurrency", { least: 1, most: MOST_CALLS });

export const concurrency: Reader<number | "auto"> = reader((text) => (text === "auto" ? text : calls(text)), {
  anyOf: [calls.schema as ValueSchema, { enum: ["auto"] }],
});

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The longest that a timer can wait, ms. */
export const LONGEST = 2 ** 31 - 1;

const TIME = "^(\\d+(?:\\.\\d+)?)(ms|s|m|h|d)$";

const inMs = (text: string): number => {
  const [, number = "", unit = ""] = new RegExp(TIME).exec(text) ?? [];
  return number === "" ? Number.NaN : Math.round(Number(number) * (UNITS[unit] ?? Number.NaN));
};

/** With the largest unit that leaves no fraction. */
function withUnit(ms: number): string {
  const units = Object.entries(UNITS).filter(([, size]) => ms % size === 0);
  const [unit, size] = units.at(ms === 0 ? 1 : -1) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}

/** A time with its unit, in ms. */
export const duration = (flag: string): Reader<number> =>
  reader(
    (text) => {
      const ms = inMs(text);
      if (ms <= LONGEST) return ms;
      throw usage(`${flag} takes a time with its unit, as 500ms, 60s or 15m, 24 days at most, got "${text}".`);
    },
    { type: "string", pattern: TIME },
    { write: withUnit },
  );

/** How old something is, in ms: no timer waits for it, so that it may be years. */
export const age = (flag: string) => (text: string) => {
  const ms = inMs(text);
  if (Number.isSafeInteger(ms)) return ms;
  throw usage(`${flag} takes a time with its unit, as 30d or 12h, got "${text}".`);
};

export const temperature: Reader<number> = reader(
  (text) => {
    const value = Number(text);
    if (text.trim() !== "" && value >= 0 && value <= 2) return value;
    throw usage(`--temperature takes a number from 0 to 2, got "${text}".`);
  },
  { type: "number", minimum: 0, maximum: 2 },
);

export const dollars: Reader<number> = reader(
  (text) => {
    const value = Number(text.replace(/^\$/, ""));
    if (/^\$?\d*\.?\d+$/.test(text) && value > 0) return value;
    throw usage(`--max-cost takes US dollars, as 25 or 0.50, got "${text}".`);
  },
  { type: "number", exclusiveMinimum: 0 },
);

/** How many records may fail: so many, or a part of those read. */
export type FailureLimit = { readonly count: number } | { readonly share: number };

export const failureLimit: Reader<FailureLimit> = reader(
  (text) => {
    const percent = Number(/^(\d+(?:\.\d+)?)%$/.exec(text)?.[1] ?? Number.NaN);
    if (percent <= 100) return { share: percent / 100 };
    if (/^\d+$/.test(text)) return { count: Number(text) };
    throw usage(`--max-failures takes a number of records or a part of them, as 10 or 1%, got "${text}".`);
  },
  {
    anyOf: [
      { type: "integer", minimum: 0 },
      { type: "string", pattern: "^(100(\\.0+)?|\\d{1,2}(\\.\\d+)?)%$" },
    ],
  },
  // 0.07 × 100 is 7.000000000000001.
  { write: (limit) => ("count" in limit ? limit.count : `${Number((limit.share * 100).toPrecision(12))}%`) },
);

export const fieldMap: Reader<Readonly<Record<string, string>>> = reader(
  (text) => {
    const pairs = text.split(",").map((pair) => pair.split("=").map((part) => part.trim()));
    if (pairs.every(([field, path, ...more]) => field && path && more.length === 0)) return Object.fromEntries(pairs);
    throw usage(`--map takes field=path, as content=body,title=meta.headline, got "${text}".`);
  },
  { type: "object", additionalProperties: TEXT },
  {
    read: (value) => {
      const pairs = Object.entries(value as object);
      const odd = pairs.find(([, path]) => typeof path !== "string" || path === "");
      if (odd !== undefined) throw new ValueFault([odd[0]], "gives each field the path where it is found");
      return Object.fromEntries(pairs);
    },
  },
);

const LIST: ValueSchema = { anyOf: [{ type: "array", items: TEXT, minItems: 1 }, TEXT] };

/** Names in a file's list. */
function listOf(value: unknown): readonly string[] {
  const names = value as unknown[];
  const odd = names.findIndex((name) => typeof name !== "string" || name.trim() === "");
  if (odd >= 0) throw new ValueFault([String(odd)], "takes the names of fields");
  if (names.length === 0) throw new ValueFault([], "names no field");
  return names as string[];
}

export const fieldList: Reader<readonly string[] | "all"> = reader<readonly string[] | "all">(
  (text) => {
    const names = text.split(",").map((name) => name.trim());
    if (names.includes("")) throw usage(`--keep takes fields, as author,date, or all, got "${text}".`);
    return text.trim() === "all" ? "all" : names;
  },
  LIST,
  { read: listOf },
);

export const columnList: Reader<readonly string[]> = reader(
  (text) => {
    const names = text.split(",").map((name) => name.trim());
    if (names.includes("")) throw usage(`--columns takes fields, as id,analysis.title, got "${text}".`);
    return unrepeated(names);
  },
  { anyOf: [{ type: "array", items: TEXT, minItems: 1, uniqueItems: true }, TEXT] },
  { read: (value) => unrepeated(listOf(value)) },
);

function unrepeated(names: readonly string[]): readonly string[] {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw usage(`--columns names "${twice}" twice.`);
  return names;
}

/** A path, or `false` for nowhere. */
export const place = (flag: string): Reader<string | false> =>
  reader<string | false>(
    (text) => {
      if (text.trim() !== "") return text;
      throw usage(`${flag} takes a path.`);
    },
    { anyOf: [TEXT, { enum: [false] }] },
    {
      read: (value) => {
        if (value === false) return false;
        throw usage(`${flag} takes a path, or false for none.`);
      },
    },
  );
