/** A JSON value that its schema refuses, still marked as its record's. */

import { isObject, type JsonObject } from "../ask.ts";
import { roll } from "../hash.ts";
import { flatten } from "./schema.ts";
import { type Mark, markOf } from "./strings.ts";

/** A spoiled copy of `value`; undefined when the schema cannot be broken by these means. */
export function spoil(value: unknown, schema: JsonObject, mark: Mark): unknown {
  let branched = false;
  const flat = flatten(schema, schema, () => {
    branched = true;
    return 0;
  });
  // What one branch at the root refuses, another may accept.
  if (branched) return undefined;
  const ways: unknown[] = [];
  if (isObject(value)) {
    const required = Array.isArray(flat.required) ? flat.required.map(String) : [];
    const name = required[Math.floor(roll(mark.text, "spoil") * required.length)];
    if (name !== undefined) {
      const { [name]: gone, ...others } = value;
      ways.push({ ...others, spoiled: markOf(mark) });
    }
    if (flat.additionalProperties === false) ways.push({ ...value, spoiled: markOf(mark) });
  }
  if (ways.length === 0 && typeof flat.type === "string") {
    ways.push(flat.type === "array" ? markOf(mark) : [markOf(mark)]);
  }
  return ways[Math.floor(roll(mark.text, "way") * ways.length)];
}
