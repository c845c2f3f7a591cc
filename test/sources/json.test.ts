/** A JSON array as a source. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJson } from "../../src/json.ts";
import { type ReadOptions, read } from "../../src/sources/read.ts";
import { caught, letterBox, taken } from "../streams.ts";
import { folder } from "../support.ts";

const chunksOf = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));

const json = (text: string | Buffer, options: ReadOptions = {}) =>
  taken([Buffer.from(text)], { format: "json", ...options });

/** What was taken before the fault, and the fault. */
async function broken(text: string, options: ReadOptions = {}, size = 1_000) {
  const records: unknown[] = [];
  const deadLetters = letterBox().stream;
  const source = read(chunksOf(Buffer.from(text), size), { format: "json", deadLetters, ...options });
  const error = await caught(
    (async () => {
      for await (const record of source) records.push(record);
    })(),
  );
  return { records, error };
}

describe("a JSON array", () => {
  test("gives a record for each item, with its line and its byte offset", async () => {
    const path = join(folder(), "in.json");
    writeFileSync(path, '\uFEFF [ {"id":1,"t":"é]"},\n{"id":12345678901234567890} , {} ]\n');
    const { records, sources, letters } = await taken(path);
    expect(records).toEqual([{ id: 1, t: "é]" }, { id: "12345678901234567890" }, {}]);
    expect(sources).toEqual([
      { file: path, line: 1, byteOffset: 6 },
      { file: path, line: 2, byteOffset: 26 },
      { file: path, line: 2, byteOffset: 56 },
    ]);
    expect(letters).toEqual([]);
  });

  test("gives the same wherever its chunks are cut, at the top or at a path, in every layout", async () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const record = fc.dictionary(fc.string({ unit: fc.constantFrom("a", '"', "\\", "é", "🎉", "[", "}") }), value);
    const layout = fc.constantFrom(undefined, 1, "\t");
    await fc.assert(
      fc.asyncProperty(
        fc.array(record),
        value,
        layout,
        fc.integer({ min: 1, max: 9 }),
        async (items, other, gap, size) => {
          const plain = parseJson(JSON.stringify(items));
          const documents: [unknown, ReadOptions][] = [
            [items, {}],
            [{ other, 'dé"ta': { a: other, articles: items, b: [other] }, c: other }, { path: 'dé"ta.articles' }],
          ];
          for (const [document, options] of documents) {
            const bytes = Buffer.from(JSON.stringify(document, null, gap));
            const { records, sources, letters } = await taken(chunksOf(bytes, size), { format: "json", ...options });
            expect(letters).toEqual([]);
            expect(records).toEqual(plain);
            for (const source of sources) {
              const before = bytes.subarray(0, source?.byteOffset).toString("latin1");
              expect(source?.line).toBe(before.split("\n").length);
              expect(bytes[before.length]).toBe(0x7b);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("may hold items that are no records: they go to the dead letters", async () => {
    const { records, letters } = await json('[{"a":1}, 7,\nnull,"x]",[1\n],\ntrue, {"a":2}]');
    expect(records).toEqual([{ a: 1 }, { a: 2 }]);
    expect(letters.map(({ error, source, raw }) => [error.message, source?.line, source?.byteOffset, raw])).toEqual([
      ["The item is a number, not an object.", 1, 10, "7"],
      ["The item is null, not an object.", 2, 13, "null"],
      ["The item is a string, not an object.", 2, 18, '"x]"'],
      ["The item is an array, not an object.", 2, 23, "[1\n]"],
      ["The item is a boolean, not an object.", 4, 29, "true"],
    ]);
  });

  test("may hold items too long, too deep or not UTF-8: they go to the dead letters", async () => {
    const deep = `{"a":${"[".repeat(20)}${"]".repeat(20)}}`;
    const bytes = Buffer.from(`[{"a":"${"x".repeat(200)}"},${deep},{"a":"\xe9"},{"a":1}]`, "latin1");
    const { records, letters } = await json(bytes, { maxLineBytes: 100, maxDepth: 10 });
    expect(records).toEqual([{ a: 1 }]);
    expect(letters.map(({ error }) => error.code)).toEqual(["line_too_long", "too_deep", "invalid_utf8"]);
  });

  test.each([
    ["an item that is no JSON", '[{"a":1},{"b":2},{"é":3,}]', 25, 2],
    ["a missing comma", '[{"a":1},{"b":2} {"c":3}]', 17, 2],
    ["a comma too many", '[{"a":1},{"b":2},]', 17, 2],
    ["text after the array", '[{"a":1},{"b":2}] x', 18, 2],
    ["a second array", '[{"a":1},{"b":2}][]', 17, 2],
    ["a wrong bracket", '[{"a":1},{"b":2}}', 16, 2],
    ["a cut between items", '[{"a":1},{"b":2},', 17, 2],
    ["a cut in an item", '[{"a":1},{"b":2},{"c', 17, 2],
    ["no text at all", "", 0, 0],
    ["something else", "id,title", 0, 0],
  ])("with %s ends the stream at its byte, after the items before it", async (_, text, byte, items) => {
    for (const size of [1, 3, 1_000]) {
      const { records, error } = await broken(text, {}, size);
      expect(records).toEqual([{ a: 1 }, { b: 2 }].slice(0, items));
      expect(error).toMatchObject({ code: "source_failed" });
      expect(error.message).toContain(`(at byte ${byte}, after item ${items})`);
    }
  });

  test("that is none at the top is refused, and the message says what there is", async () => {
    const { error } = await broken('{"meta":{"n":1},"data":{"articles":[]}}');
    expect(error).toMatchObject({ code: "invalid_option" });
    expect(error.message).toContain(
      "is an object, not an array. Say where the array of records lies with --path (`path`).",
    );
    expect(error.message).toContain("There are: meta, data.");
    expect((await broken("7 ")).error.message).toBe("The JSON document is no array: its records must lie in one.");
  });

  test.each([
    ["items", 'The path "items" matches nothing. There are: meta, data, more.'],
    ["data.items", 'The path "data.items" matches nothing. At "data" there are: n, articles.'],
    [
      "data",
      'At the path "data" there is an object, not an array. There is an array in it: --path data.articles (`path`).',
    ],
    ["meta", 'At the path "meta" there is no array. There are: meta.'],
    ["data.articles.x", 'The path "data.articles.x" leads into an array. Name that: "data.articles".'],
    [
      "more",
      'At the path "more" there is an object, not an array. Say where the array of records lies with --path (`path`). At "more" there are: a.',
    ],
  ])("is looked for at the path %s in vain: the message says what there is", async (path, message) => {
    const { error } = await broken('{"meta":1,"data":{"n":[1],"articles":[{"x":[]}]},"more":{"a":{"b":[2]}}}', {
      path,
    });
    expect(error).toMatchObject({ code: "invalid_option", message });
  });

  test("has a path only in a JSON document", () => {
    expect(() => read("a.ndjson", { path: "a" })).toThrow(/`path` is a dotted path/);
    expect(() => read("a.json", { path: "" })).toThrow(/`path` is a dotted path/);
  });

  test("in which a field is named __proto__ pollutes nothing", async () => {
    const { records } = await json('{"__proto__":[{"__proto__":{"polluted":1}}]}', { path: "__proto__" });
    expect(Object.keys(records[0] as object)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(records[0])).toBe(Object.prototype);
  });

  test("may be empty, and may be compressed", async () => {
    expect((await json(" [ ] ")).records).toEqual([]);
    const path = join(folder(), "in.json.zst");
    writeFileSync(path, zstdCompressSync('[{"a":1}]'));
    expect((await taken(path)).records).toEqual([{ a: 1 }]);
  });
});
