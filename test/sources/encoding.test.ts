/** UTF-16, and what only begins like it. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Format } from "../../src/formats.ts";
import { caught, taken } from "../streams.ts";
import { folder } from "../support.ts";

const TEXT: Readonly<Record<Format, string>> = { ndjson: '{"a":1}\n', json: '[{"a":1}]', csv: "a\n1\n" };

describe.each(Object.keys(TEXT) as Format[])("%s", (format) => {
  const little = Buffer.from(`\uFEFF${TEXT[format]}`, "utf16le");
  const big = Buffer.from(little).swap16();

  test("in UTF-16 is refused by that name, wherever it is cut, with what to do", async () => {
    for (const [bytes, order] of [
      [little, "little"],
      [big, "big"],
    ] as const) {
      for (const chunks of [[bytes], [...bytes].map((byte) => Buffer.from([byte]))]) {
        const error = await caught(taken(chunks, { format }));
        expect(error).toMatchObject({ code: "invalid_option", kind: "configuration" });
        expect(error.message).toBe(
          `(iterable) is UTF-16 (${order}-endian): only UTF-8 is read. Convert it first: iconv -f UTF-16 -t UTF-8 old > new`,
        );
      }
    }
    const path = join(folder(), `in.${format}.gz`);
    writeFileSync(path, gzipSync(little));
    expect((await caught(taken(path))).message).toContain(`${path} is UTF-16`);
  });
});

test("a byte that only may begin a mark is not lost", async () => {
  for (const chunks of [[[0xff]], [[0xfe], [0x0a]], [[0xff, 0x7b]], [[0xff], [0x7b]]]) {
    const { records, letters } = await taken(chunks.map((chunk) => Buffer.from(chunk)));
    expect(records).toEqual([]);
    expect(letters).toMatchObject([{ error: { code: "invalid_utf8" }, source: { line: 1, byteOffset: 0 } }]);
  }
});
