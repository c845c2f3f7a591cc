/** Records as one JSON array, a record a line. */

import { ndjsonEncoder } from "./ndjson.ts";
import type { TextFormat } from "./text.ts";

/** Streams `[\n`, the records joined by `,\n`, and `\n]\n`; of no records `[]\n`. */
export function jsonFormat(): TextFormat {
  const line = ndjsonEncoder();
  let empty = true;
  return {
    encode(record) {
      const text = line(record).trimEnd();
      const before = empty ? "[\n" : ",\n";
      empty = false;
      return before + text;
    },
    end: () => (empty ? "[]\n" : "\n]\n"),
  };
}
