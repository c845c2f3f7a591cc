/** What may be set outside the command line: each option under its name in a file, and how a value there is read. */

import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import { FILE_OPTIONS, type OptionSpec, RUN_OPTIONS, type RunFlags } from "./options.ts";
import { schemaOf, ValueFault, type ValueSchema } from "./values.ts";

/** An option as a file or the environment gives it. */
export interface Setting {
  /** In a file, and in the library. */
  readonly key: string;
  /** In `RunFlags`. */
  readonly flag: keyof RunFlags;
  /** In the environment. */
  readonly variable: string;
  readonly schema: ValueSchema;
  readonly spec: Omit<OptionSpec, "flags"> & { readonly flags?: string };
}

const camel = (flag: string): string => flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
/** `baseUrl` → `BASE_URL` */
export const snake = (key: string): string => key.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();

/** As commander names it: `--base-url <url>` → `baseUrl`. */
const flagOf = (flags: string): string => camel(/--([\w-]+)/.exec(flags)?.[1] ?? flags);

export const SETTINGS: readonly Setting[] = [...(RUN_OPTIONS as readonly OptionSpec[]), ...FILE_OPTIONS]
  .filter((spec: Setting["spec"]) => !spec.typedOnly)
  .map((spec: Setting["spec"]) => {
    const flag = spec.flags === undefined ? (spec.key ?? "") : flagOf(spec.flags);
    const key = spec.key ?? flag;
    return { key, flag: flag as keyof RunFlags, variable: `MILLRACE_${snake(key)}`, schema: schemaOf(spec), spec };
  });

export const KEYS: readonly string[] = SETTINGS.map(({ key }) => key);

export const settingOf = (key: string): Setting => SETTINGS.find((setting) => setting.key === key) as Setting;

/** A fault, worded: what is told before the message is where it is. */
export interface Fault {
  readonly path: readonly string[];
  readonly message: string;
}

/** Reads a typed text, as the command line does. @throws `invalid_option` with `name` as the message's subject */
export function readText({ spec, schema }: Setting, text: string, name: string): unknown {
  if (schema.type === "boolean") {
    if (/^(true|1)$/.test(text)) return true;
    if (/^(false|0)$/.test(text)) return false;
    throw failure("invalid_option", `${name} takes true or false, got "${text}".`);
  }
  if (spec.choices?.includes(text) === false) throw failure("invalid_option", amongst(name, spec.choices, text));
  try {
    return spec.parse === undefined ? text : spec.parse(text);
  } catch (error) {
    throw isMillraceError(error) ? failure("invalid_option", reworded(error, name)) : error;
  }
}

/**
 * Reads what stands in a file or in an object for a setting.
 *
 * @throws ValueFault, with a message that begins with the setting's key
 */
export function readValue(setting: Setting, value: unknown): unknown {
  const { key, spec, schema } = setting;
  const given = typeOf(value);
  const types = typesOf(schema);
  if (!types.includes(given)) throw new ValueFault([], wrongType(setting, given, value));
  try {
    if (typeof value === "boolean" && spec.parse?.read === undefined) return value;
    if (typeof value === "object" || typeof value === "boolean") return spec.parse?.read?.(value);
    if (value === "") throw new ValueFault([], "has no value: give one, or leave the line out");
    const read = readText(setting, String(value), key);
    if (typeof value !== "string" || takesText(schema, value)) return read;
    throw new ValueFault([], `takes ${value} without quotes`);
  } catch (error) {
    if (error instanceof ValueFault) throw new ValueFault(error.path, `${key} ${error.message}.`);
    throw isMillraceError(error) ? new ValueFault([], reworded(error, key)) : error;
  }
}

const reworded = ({ message }: MillraceError, name: string): string => message.replace(/^--[\w-]+/, name);

const amongst = (name: string, choices: readonly string[], text: string): string =>
  `${name} is one of ${choices.join(", ")}; got "${text}".`;

type TypeName = "text" | "number" | "true or false" | "list" | "mapping" | "nothing";

function typeOf(value: unknown): TypeName {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "list";
  if (typeof value === "number") return "number";
  if (typeof value === "boolean") return "true or false";
  return typeof value === "object" ? "mapping" : "text";
}

const TYPES = {
  string: "text",
  integer: "number",
  number: "number",
  boolean: "true or false",
  array: "list",
  object: "mapping",
} as const;

function typesOf(schema: ValueSchema): readonly TypeName[] {
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap(typesOf);
  if (schema.enum !== undefined) return schema.enum.map(typeOf);
  return schema.type === undefined ? [] : [TYPES[schema.type]];
}

/** Whether a text may be that of a number in quotes is the schema's to say: it is what editors go by. */
function takesText({ anyOf, enum: choices, type, pattern }: ValueSchema, text: string): boolean {
  if (anyOf !== undefined) return anyOf.some((schema) => takesText(schema, text));
  if (choices !== undefined) return choices.includes(text);
  return type === "string" && (pattern === undefined || new RegExp(pattern).test(text));
}

const ARTICLES: Readonly<Record<TypeName, string>> = {
  text: "a text",
  number: "a number",
  "true or false": "true or false",
  list: "a list",
  mapping: "a mapping",
  nothing: "nothing",
};

function wrongType({ key, schema, spec }: Setting, given: TypeName, value: unknown): string {
  if (given === "nothing") return `${key} has no value: give one, or leave the line out.`;
  const types = new Set(typesOf(schema));
  const wanted = [...types].map((type) => ARTICLES[type]).join(" or ");
  const told = `${key} takes ${spec.choices === undefined ? wanted : `one of ${spec.choices.join(", ")}`}`;
  if (given === "number" && schema.pattern !== undefined) return `${told} with a unit, as ${value}s or ${value}ms.`;
  if (given === "text" && types.has("number") && Number.isFinite(Number(value)))
    return `${told}: leave out the quotes.`;
  if (given === "number" && types.has("text")) return `${told}; put ${value} in quotes, if it is one.`;
  return `${told}, not ${ARTICLES[given]}.`;
}
