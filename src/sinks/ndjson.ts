/** One record → one line. */

import ndjson from "ndjson";
import { failure } from "../errors.ts";
import { checkJson, type TextFormat } from "./text.ts";

/**
 * Lines are made by ndjson's stringify (2.0), asked for one at a time. Behind a check of ours, since by itself it writes
 * cycles as "[Circular ~]" and NaN as null without a word, and what it cannot write at all (a BigInt, 5,000 levels) would
 * end the stream instead of the record.
 *
 * Its reading half is not used: it drops a line with a byte order mark, ends early at a line `null`, takes quadratic time
 * for long lines, and names no line numbers.
 *
 * @returns a function that throws `unserializable` for a record that JSON cannot hold.
 */
export function ndjsonEncoder(): (record: unknown) => string {
  const encoder = ndjson.stringify();
  return (record) => {
    checkJson(record, "JSON");
    encoder.write(record);
    const line: unknown = encoder.read();
    if (typeof line !== "string") throw failure("internal", "ndjson.stringify gave no line for a record.");
    return line;
  };
}

export const ndjsonFormat = (): TextFormat => ({ encode: ndjsonEncoder(), end: () => "" });
