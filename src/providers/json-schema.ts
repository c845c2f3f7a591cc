/**
 * Each vendor takes its own part of JSON Schema and refuses the rest, although dropping it loses nothing: every answer
 * is checked against the whole schema on return. So what a vendor would refuse is moved into the description, where the
 * model still reads it. Sources: the vendors' pages on structured outputs, 2026-11; `transformJSONSchema` of
 * `@anthropic-ai/sdk`.
 */

import type { JsonSchema } from "./provider.ts";
import { fieldsOf, isFields, listOf } from "./shape.ts";

type Draft = Record<string, unknown>;

interface Dialect {
  /** Constraints that would be refused. */
  readonly refused: ReadonlySet<string>;
  /** `format`s that are understood. */
  readonly formats: ReadonlySet<string>;
}

const SIZES = ["minLength", "maxLength", "uniqueItems", "minProperties", "maxProperties"];
const RANGES = [
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "minItems",
  "maxItems",
  "pattern",
];
const FORMATS = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

const ANTHROPIC: Dialect = { refused: new Set([...SIZES, ...RANGES]), formats: new Set([...FORMATS, "uri"]) };
const OPENAI: Dialect = { refused: new Set(SIZES), formats: new Set(FORMATS) };

/** Say nothing about an answer. */
const SILENT = new Set(["$schema", "$id", "$comment", "default", "examples"]);

/** Keywords by the shape of what they hold. */
const ONE_SCHEMA = ["items", "additionalProperties"];
const LISTS_OF_SCHEMAS = ["anyOf", "allOf"];
const MAPS_OF_SCHEMAS = ["properties", "$defs", "definitions"];

/** Every request of a stage has the same schema object: it is translated once. */
function onceEach<T>(make: (schema: JsonSchema) => T): (schema: JsonSchema) => T {
  const made = new WeakMap<JsonSchema, { readonly of: T }>();
  return (schema) => {
    let known = made.get(schema);
    if (known === undefined) {
      known = { of: make(schema) };
      made.set(schema, known);
    }
    return known.of;
  };
}

/** As Anthropic takes it: no bounds, and objects closed. */
export const anthropicSchema = onceEach((schema): JsonSchema => {
  return translate(schema, ANTHROPIC, (draft) => {
    const open = draft.additionalProperties === undefined || draft.additionalProperties === true;
    if (isObject(draft) && open) draft.additionalProperties = false;
  });
});

/**
 * As OpenAI's strict mode takes it, which makes the model unable to answer otherwise; undefined when the schema is
 * outside strict mode's rules, so that it can only be sent as a hint (`strict: false`).
 */
export const strictSchema = onceEach((schema): JsonSchema | undefined => {
  if (schema.type !== "object" || !isStrict(schema)) return undefined;
  return translate(schema, OPENAI, () => {});
});

function translate(schema: JsonSchema, dialect: Dialect, close: (draft: Draft) => void): JsonSchema {
  const draft: Draft = {};
  const moved: string[] = [];
  for (const [word, value] of Object.entries(schema)) {
    if (SILENT.has(word)) continue;
    const format = word === "format" && !dialect.formats.has(String(value));
    if (format || dialect.refused.has(word)) moved.push(`${word}: ${JSON.stringify(value)}`);
    else draft[word === "oneOf" ? "anyOf" : word] = value;
  }
  const inner = (value: unknown) => (isFields(value) ? translate(value, dialect, close) : value);
  for (const word of ONE_SCHEMA) if (word in draft) draft[word] = inner(draft[word]);
  for (const word of LISTS_OF_SCHEMAS) if (word in draft) draft[word] = listOf(draft[word]).map(inner);
  for (const word of MAPS_OF_SCHEMAS) {
    if (word in draft) {
      draft[word] = Object.fromEntries(
        Object.entries(fieldsOf(draft[word])).map(([name, value]) => [name, inner(value)]),
      );
    }
  }
  if (moved.length > 0) draft.description = [draft.description, `(${moved.join(", ")})`].filter(Boolean).join(" ");
  close(draft);
  return draft;
}

const isObject = (schema: JsonSchema): boolean => [schema.type].flat().includes("object") || "properties" in schema;

/** Strict mode's rules: every object closed, every property required, and none of the keywords below. */
const NEVER_STRICT = [
  "allOf",
  "not",
  "if",
  "then",
  "else",
  "dependentRequired",
  "dependentSchemas",
  "patternProperties",
  "prefixItems",
];

function isStrict(schema: unknown): boolean {
  if (!isFields(schema)) return false;
  if (NEVER_STRICT.some((word) => word in schema)) return false;
  if (isObject(schema)) {
    if (schema.additionalProperties !== false) return false;
    const required = new Set(listOf(schema.required));
    if (!Object.keys(fieldsOf(schema.properties)).every((name) => required.has(name))) return false;
  }
  const inner = [
    ...listOf(schema.anyOf),
    ...listOf(schema.oneOf),
    ...MAPS_OF_SCHEMAS.flatMap((word) => Object.values(fieldsOf(schema[word]))),
    ...("items" in schema ? [schema.items] : []),
  ];
  return inner.every(isStrict);
}
