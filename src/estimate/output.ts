/** How long answers will be: a range for a call, from what was answered before, else from the schema. Pure. */

import { ARTICLE_SCHEMA } from "../analysis/analysis.ts";
import type { JsonSchema } from "../providers/provider.ts";

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** A text of unknown kind, in tokens: a word or two, or a short paragraph. */
const TEXT: Range = { low: 3, high: 60 };

/** A free answer: a sentence, or a page. */
const FREE_TEXT: Range = { low: 20, high: 700 };

/**
 * The built-in analysis, as its prompt asks for it: a title (10 to 20 tokens), 2 to 4 sentences of summary (50 to 140), 3 to 6 key
 * points (45 to 180), 3 to 6 topics (10 to 40), what the article names (3 to 20 of some 20 tokens), and the fields' names (60).
 */
const ARTICLE: Range = { low: 230, high: 850 };

/** Items of an array without bounds. */
const ITEMS: Range = { low: 1, high: 8 };

const NUMBER: Range = { low: 1, high: 6 };
const WORD: Range = { low: 1, high: 1 };

/** Quotation marks and a comma, or brackets and one. */
const MARKS = 2;

/** In characters. */
const TOKEN = 4;

/** Schemas that refer to themselves end here. */
const DEEPEST = 6;

/** What an answer that fits may take, in tokens. */
export function outputOf(schema: JsonSchema | undefined): Range {
  if (schema === undefined) return FREE_TEXT;
  return schema === ARTICLE_SCHEMA ? ARTICLE : sized(schema, { root: schema, depth: 0 });
}

interface At {
  readonly root: JsonSchema;
  readonly depth: number;
}

function sized(schema: unknown, at: At): Range {
  if (!isSchema(schema) || at.depth > DEEPEST) return TEXT;
  const inner = { ...at, depth: at.depth + 1 };
  const resolved = referred(schema, at.root);
  if (resolved !== schema) return sized(resolved, inner);
  if ("const" in schema) return literal([schema.const]);
  if (Array.isArray(schema.enum) && schema.enum.length > 0) return literal(schema.enum);
  const choices = [schema.anyOf, schema.oneOf].find((list) => Array.isArray(list) && list.length > 0);
  if (Array.isArray(choices)) return widest(choices.map((one) => sized(one, inner)));
  if (Array.isArray(schema.type) && schema.type.length > 0)
    return widest(schema.type.map((type: unknown) => sized({ ...schema, type }, inner)));
  switch (schema.type) {
    case "object":
      return objectOf(schema, inner);
    case "array":
      return arrayOf(schema, inner);
    case "integer":
    case "number":
      return NUMBER;
    case "boolean":
    case "null":
      return WORD;
    case "string":
      return textOf(schema);
    default:
      return schema.properties === undefined ? TEXT : objectOf(schema, inner);
  }
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `#/$defs/Name` */
function referred(schema: JsonSchema, root: JsonSchema): unknown {
  if (typeof schema.$ref !== "string") return schema;
  const path = schema.$ref.split("/").slice(1);
  return path.reduce<unknown>((found, step) => (isSchema(found) ? found[step] : undefined), root) ?? {};
}

function literal(values: readonly unknown[]): Range {
  const tokens = values.map((value) => MARKS + JSON.stringify(value ?? null).length / TOKEN);
  return { low: Math.min(...tokens), high: Math.max(...tokens) };
}

const widest = (ranges: readonly Range[]): Range => ({
  low: Math.min(...ranges.map(({ low }) => low)),
  high: Math.max(...ranges.map(({ high }) => high)),
});

function objectOf(schema: JsonSchema, at: At): Range {
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const total = { low: MARKS, high: MARKS };
  for (const [name, field] of Object.entries(isSchema(schema.properties) ? schema.properties : {})) {
    const key = MARKS + name.length / TOKEN;
    const { low, high } = sized(field, at);
    if (required.has(name)) total.low += key + low;
    total.high += key + high;
  }
  return total;
}

function arrayOf({ items, minItems, maxItems }: JsonSchema, at: At): Range {
  const { low, high } = sized(items, at);
  const fewest = countOr(minItems, ITEMS.low);
  const most = Math.max(fewest, countOr(maxItems, Math.max(ITEMS.high, fewest * 2)));
  return { low: MARKS + fewest * low, high: MARKS + most * (high + 1) };
}

function textOf({ minLength, maxLength, format }: JsonSchema): Range {
  if (typeof format === "string") return { low: MARKS + 4, high: MARKS + 20 };
  const low = MARKS + Math.max(TEXT.low, countOr(minLength, 0) / TOKEN);
  const high = Math.max(low, MARKS + Math.min(countOr(maxLength, Number.POSITIVE_INFINITY) / TOKEN, TEXT.high));
  return { low, high };
}

const countOr = (value: unknown, fallback: number): number => (typeof value === "number" ? value : fallback);

/** Answers to learn from, at least: fewer may all be of one kind. */
const LEAST_HISTORY = 10;

/** How far other records' answers may be from those of the history, as a part of their mean. */
const DRIFT = 0.15;

/**
 * The mean of so many calls' answers, as those before were; undefined when they are too few.
 *
 * @param before output tokens of answers
 */
export function outputBefore(before: readonly number[], calls: number): Range | undefined {
  if (before.length < LEAST_HISTORY) return undefined;
  const mean = before.reduce((sum, tokens) => sum + tokens, 0) / before.length;
  const variance = before.reduce((sum, tokens) => sum + (tokens - mean) ** 2, 0) / (before.length - 1);
  // Of the history's mean and of the mean that is to come.
  const error = Math.sqrt(variance / before.length + variance / Math.max(1, calls));
  const off = DRIFT * mean + 2 * error;
  return { low: Math.max(1, mean - off), high: mean + off };
}
