/**
 * A value that fits a JSON Schema, decided by the record's mark alone: the same request gets the same value, in any
 * order of arrival. Covers type, enum, const, properties, required, additionalProperties, items, prefixItems, anyOf,
 * oneOf, allOf, $ref, $defs, the bounds, multipleOf, uniqueItems, format and pattern; `not`, `if`, `contains`,
 * `propertyNames` and `dependent…` are not looked at.
 */

import { isObject, type JsonObject } from "../ask.ts";
import { roll } from "../hash.ts";
import { growNumber } from "./numbers.ts";
import { flatten } from "./schema.ts";
import { growString, type Mark } from "./strings.ts";

/** Below it, what is optional is left out, so that schemas that refer to themselves come to an end. */
const MAX_DEPTH = 5;
/** Values in one answer after which the same holds. */
const MAX_VALUES = 2_000;
/** A schema that requires itself has no end: here it is cut with null. */
const HARD_DEPTH = 100;

interface Spot {
  readonly path: string;
  readonly depth: number;
}

export function growValue(schema: JsonObject, mark: Mark): unknown {
  return new Grower(schema, mark).grow(schema, { path: "", depth: 0 });
}

class Grower {
  readonly #root: JsonObject;
  readonly #mark: Mark;
  #values = 0;

  constructor(root: JsonObject, mark: Mark) {
    this.#root = root;
    this.#mark = mark;
  }

  grow(schema: unknown, spot: Spot): unknown {
    this.#values++;
    if (spot.depth > HARD_DEPTH) return null;
    const flat = flatten(schema, this.#root, (branches) => this.#branch(branches, spot));
    if ("const" in flat) return flat.const;
    if (Array.isArray(flat.enum) && flat.enum.length > 0) {
      return flat.enum[Math.floor(this.#roll(spot, "enum") * flat.enum.length)];
    }
    const type = this.#typeOf(flat, spot);
    if (type === "object") return this.#object(flat, spot);
    if (type === "array") return this.#array(flat, spot);
    if (type === "integer" || type === "number") {
      return growNumber(flat, type === "integer", this.#roll(spot, "number"));
    }
    if (type === "boolean") return this.#roll(spot, "boolean") < 0.5;
    return type === "null" ? null : growString(flat, this.#mark, spot.path);
  }

  #roll(spot: Spot, what: string): number {
    return roll(this.#mark.text, spot.path, what);
  }

  #isDeep(spot: Spot): boolean {
    return spot.depth > MAX_DEPTH || this.#values > MAX_VALUES;
  }

  /** Any branch; deep down one that does not lead further. */
  #branch(branches: readonly unknown[], spot: Spot): number {
    if (this.#isDeep(spot)) {
      const leaf = branches.findIndex((branch) => isObject(branch) && isLeaf(branch));
      if (leaf !== -1) return leaf;
    }
    return Math.floor(this.#roll(spot, "branch") * branches.length);
  }

  #typeOf(schema: JsonObject, spot: Spot): unknown {
    if (typeof schema.type === "string") return schema.type;
    if (Array.isArray(schema.type) && schema.type.length > 0) {
      const scalars = schema.type.filter((type) => type !== "object" && type !== "array");
      const types: readonly unknown[] = this.#isDeep(spot) && scalars.length > 0 ? scalars : schema.type;
      return types[Math.floor(this.#roll(spot, "type") * types.length)];
    }
    const keys = Object.keys(schema);
    const has = (...names: readonly string[]) => keys.some((key) => names.includes(key));
    if (has("properties", "required", "additionalProperties", "minProperties")) return "object";
    if (has("items", "prefixItems", "minItems", "maxItems", "uniqueItems")) return "array";
    if (has("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")) return "number";
    return "string";
  }

  #object(schema: JsonObject, spot: Spot): JsonObject {
    const properties = isObject(schema.properties) ? schema.properties : {};
    const required = new Set(Array.isArray(schema.required) ? schema.required.map(String) : []);
    const most = typeof schema.maxProperties === "number" ? schema.maxProperties : Number.POSITIVE_INFINITY;
    const least = typeof schema.minProperties === "number" ? schema.minProperties : 0;
    const optional = Object.keys(properties).filter((name) => !required.has(name) && properties[name] !== false);
    const liked = optional.filter((name) => !this.#isDeep(spot) && this.#roll(spot, `with ${name}`) < 0.75);
    const names = new Set([...required, ...liked.slice(0, Math.max(0, most - required.size))]);
    for (const name of optional) if (names.size < least) names.add(name);
    for (let i = 0; names.size < least; i++) names.add(`key${i}`);
    // In the schema's order, as the vendors write it.
    const ordered = [...Object.keys(properties).filter((name) => names.has(name)), ...names.values()];
    const entries = [...new Set(ordered)].map((name) => {
      const child = Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties;
      return [name, this.grow(child, { path: `${spot.path}/${name}`, depth: spot.depth + 1 })] as const;
    });
    return Object.fromEntries(entries);
  }

  #array(schema: JsonObject, spot: Spot): unknown[] {
    const least = typeof schema.minItems === "number" ? schema.minItems : 0;
    const most = typeof schema.maxItems === "number" ? schema.maxItems : Number.POSITIVE_INFINITY;
    const prefix: readonly unknown[] = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
    const rest = schema.items === false ? 0 : 1 + Math.floor(this.#roll(spot, "length") * 3);
    const wanted = this.#isDeep(spot) ? least : Math.min(most, Math.max(least, prefix.length + rest));
    const items: unknown[] = [];
    const seen = new Set<string>();
    // Small enumerations repeat themselves: more draws than items, then what there is.
    const draws = schema.uniqueItems === true ? 20 * wanted : wanted;
    for (let i = 0; i < draws && items.length < wanted; i++) {
      const child = prefix[items.length] ?? schema.items;
      const item = this.grow(child, { path: `${spot.path}/${i}`, depth: spot.depth + 1 });
      const key = schema.uniqueItems === true ? JSON.stringify(item) : String(i);
      if (seen.has(key)) continue;
      seen.add(key);
      items.push(item);
    }
    return items;
  }
}

function isLeaf(schema: JsonObject): boolean {
  if ("const" in schema || "enum" in schema) return true;
  return typeof schema.type === "string" && schema.type !== "object" && schema.type !== "array";
}
