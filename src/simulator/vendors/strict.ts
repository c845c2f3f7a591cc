/** The part of JSON Schema that the vendors' strict modes insist on: closed objects, and at OpenAI every property required. */

import { isObject, type JsonObject } from "../ask.ts";

export interface Complaint {
  /** Names from the root to the object at fault. */
  readonly path: readonly string[];
  readonly rule: "closed" | "required";
  /** The property that `required` lacks. */
  readonly property?: string;
}

/** Deeper is not looked into: vendors refuse such schemas for their depth anyway. */
const MAX_DEPTH = 32;

/** The first complaint, or undefined. `allRequired`: every property must stand in `required`. */
export function complain(schema: unknown, allRequired: boolean, path: readonly string[] = []): Complaint | undefined {
  if (!isObject(schema) || path.length > MAX_DEPTH) return undefined;
  if (schema.type === "object" || isObject(schema.properties)) {
    if (schema.additionalProperties !== false) return { path, rule: "closed" };
    const required = Array.isArray(schema.required) ? schema.required : [];
    const missing = Object.keys(schema.properties ?? {}).find((name) => !required.includes(name));
    if (allRequired && missing !== undefined) return { path, rule: "required", property: missing };
  }
  for (const [name, child] of childrenOf(schema)) {
    const complaint = complain(child, allRequired, [...path, name]);
    if (complaint) return complaint;
  }
  return undefined;
}

function* childrenOf(schema: JsonObject): Generator<readonly [string, unknown]> {
  for (const keyword of ["properties", "$defs", "definitions"]) {
    const named = schema[keyword];
    if (isObject(named)) for (const [name, child] of Object.entries(named)) yield [name, child];
  }
  if (isObject(schema.items)) yield ["items", schema.items];
  for (const keyword of ["anyOf", "oneOf", "allOf", "prefixItems"]) {
    const list = schema[keyword];
    if (Array.isArray(list)) for (const [place, child] of list.entries()) yield [String(place), child];
  }
}
