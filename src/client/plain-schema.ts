/**
 * Whether a schema is surely valid JSON Schema. To say so of any schema takes Ajv 0.04 s of CPU, since it compiles the
 * eight schemas of JSON Schema itself (measured); most schemas are plain enough to be told without. Pure.
 */

import type { JsonSchema } from "../providers/provider.ts";

type Known = (value: unknown) => boolean;

const isText: Known = (value) => typeof value === "string";
const isNumber: Known = (value) => Number.isFinite(value);
const isCount: Known = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isFlag: Known = (value) => typeof value === "boolean";
const anything: Known = () => true;
const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const TYPES: ReadonlySet<unknown> = new Set(["string", "number", "integer", "boolean", "object", "array", "null"]);

const listOf =
  (each: Known): Known =>
  (value) =>
    Array.isArray(value) && value.length > 0 && new Set(value).size === value.length && value.every(each);
const isType: Known = (value) => TYPES.has(value) || listOf((one) => TYPES.has(one))(value);
const isSchema: Known = (value) => typeof value === "boolean" || (isObject(value) && isPlain(value as JsonSchema));
const areSchemas: Known = (value) => isObject(value) && Object.values(value).every(isSchema);

/** What the keywords of JSON Schema 2020-12 may hold. Those that are left out are for Ajv to judge. */
const KEYWORDS: ReadonlyMap<string, Known> = new Map([
  ["type", isType],
  ["enum", Array.isArray],
  ["const", anything],
  ["default", anything],
  ["title", isText],
  ["description", isText],
  ["format", isText],
  ["properties", areSchemas],
  ["additionalProperties", isSchema],
  ["required", (value) => (Array.isArray(value) && value.length === 0) || listOf(isText)(value)],
  ["items", isSchema],
  ["anyOf", listOf(isSchema)],
  ["minItems", isCount],
  ["maxItems", isCount],
  ["minLength", isCount],
  ["maxLength", isCount],
  ["uniqueItems", isFlag],
  ["minimum", isNumber],
  ["maximum", isNumber],
  ["exclusiveMinimum", isNumber],
  ["exclusiveMaximum", isNumber],
]);

/** True: it is valid. False: it may be as well. @throws RangeError for a schema that holds itself */
export function isPlain(schema: JsonSchema): boolean {
  for (const keyword of Object.keys(schema)) {
    if (KEYWORDS.get(keyword)?.(schema[keyword]) !== true) return false;
  }
  return true;
}
