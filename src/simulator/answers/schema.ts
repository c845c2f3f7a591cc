/** Takes a schema apart: follows `$ref`, joins `allOf`, chooses among `anyOf`, so that what is left has no branches. */

import { isObject, type JsonObject } from "../ask.ts";

/** `$ref` and combinators followed before a schema is taken for one that only refers to itself. */
const MAX_STEPS = 64;

/** Chooses one of several branches; `count` is 1 at least. */
export type Branch = (schemas: readonly unknown[]) => number;

/** The schema with nothing left to follow. `true`, and what cannot be followed, is `{}`. */
export function flatten(schema: unknown, root: unknown, branch: Branch): JsonObject {
  let flat: JsonObject = isObject(schema) ? schema : {};
  for (let step = 0; step < MAX_STEPS; step++) {
    if (typeof flat.$ref === "string") {
      const { $ref, ...siblings } = flat;
      flat = merge(resolve(flat.$ref, root), siblings);
    } else if (Array.isArray(flat.allOf)) {
      const { allOf, ...siblings } = flat;
      flat = flat.allOf.reduce<JsonObject>((sum, part: unknown) => merge(sum, isObject(part) ? part : {}), siblings);
    } else if (Array.isArray(flat.anyOf) || Array.isArray(flat.oneOf)) {
      const keyword = Array.isArray(flat.anyOf) ? "anyOf" : "oneOf";
      const branches = (flat[keyword] as readonly unknown[]).filter((part) => part !== false);
      const { [keyword]: gone, ...siblings } = flat;
      const chosen = branches[branch(branches)];
      flat = merge(siblings, isObject(chosen) ? chosen : {});
    } else {
      return flat;
    }
  }
  return {};
}

/** What a local reference (`#`, `#/$defs/name`) points at; `{}` when it points nowhere. */
function resolve(ref: string, root: unknown): JsonObject {
  let target: unknown = root;
  for (const step of ref.replace(/^#\/?/, "").split("/").filter(Boolean)) {
    const name = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    target = isObject(target) ? target[name] : Array.isArray(target) ? (target as unknown[])[Number(name)] : undefined;
  }
  return isObject(target) ? target : {};
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** Types both accept: `integer` is part of `number`. */
function commonTypes(a: unknown, b: unknown): unknown {
  const both = listOf(a).filter(
    (type) => listOf(b).includes(type) || (type === "integer" && listOf(b).includes("number")),
  );
  const narrowed = listOf(b).filter((type) => type === "integer" && listOf(a).includes("number"));
  const types = [...new Set([...both, ...narrowed])];
  return types.length === 1 ? types[0] : types;
}

const TIGHTER: Readonly<Record<string, (a: number, b: number) => number>> = {
  minimum: Math.max,
  exclusiveMinimum: Math.max,
  minLength: Math.max,
  minItems: Math.max,
  minProperties: Math.max,
  maximum: Math.min,
  exclusiveMaximum: Math.min,
  maxLength: Math.min,
  maxItems: Math.min,
  maxProperties: Math.min,
};

/** A schema that asks for what both ask for, keyword by keyword. */
export function merge(a: JsonObject, b: JsonObject): JsonObject {
  const merged: Record<string, unknown> = { ...a };
  for (const [keyword, value] of Object.entries(b)) {
    const before = a[keyword];
    if (before === undefined) merged[keyword] = value;
    else merged[keyword] = mergeKeyword(keyword, before, value);
  }
  return merged;
}

function mergeKeyword(keyword: string, a: unknown, b: unknown): unknown {
  const tighter = TIGHTER[keyword];
  if (tighter && typeof a === "number" && typeof b === "number") return tighter(a, b);
  if (keyword === "type") return commonTypes(a, b);
  if (keyword === "required") return [...new Set([...listOf(a), ...listOf(b)])];
  if (keyword === "allOf") return [...listOf(a), ...listOf(b)];
  if (keyword === "enum") {
    const allowed = new Set(listOf(b).map((value) => JSON.stringify(value)));
    return listOf(a).filter((value) => allowed.has(JSON.stringify(value)));
  }
  if (keyword === "properties" && isObject(a) && isObject(b)) {
    const merged: Record<string, unknown> = { ...a };
    for (const [name, schema] of Object.entries(b)) merged[name] = name in a ? { allOf: [a[name], schema] } : schema;
    return merged;
  }
  if (keyword === "items") return { allOf: [a, b] };
  return b;
}
