/** What becomes of lines that hold no record. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { read } from "../../src/sources/read.ts";
import { caught, gathered, taken } from "../streams.ts";
import { folder, writeLines } from "../support.ts";

describe("a broken line", () => {
  const kinds: [string, string | Buffer, string][] = [
    ["JSON that ends too early", '{"a":"SECRET"', "invalid_json"],
    ["two objects", '{"a":"SECRET"}{"b":1}', "invalid_json"],
    ["text", "SECRET text", "invalid_json"],
    ["a NUL", "\0", "invalid_json"],
    ["a raw control character", '{"a":"SECRET\u0001"}', "invalid_json"],
    ["a byte order mark in the middle of the file", '\uFEFF{"a":"SECRET"}', "invalid_json"],
    ["null", "null", "not_an_object"],
    ["an array", '["SECRET"]', "not_an_object"],
    ["a string", '"SECRET"', "not_an_object"],
    ["a number", "7", "not_an_object"],
    ["Latin-1", Buffer.from('{"a":"SECRET \xe9"}', "latin1"), "invalid_utf8"],
    ["an encoded surrogate", Buffer.from('{"a":"\xed\xa0\xbd"}', "latin1"), "invalid_utf8"],
    ["too many bytes", JSON.stringify({ a: "SECRET".repeat(1_000) }), "line_too_long"],
    ["too many bytes of two-byte letters", JSON.stringify({ a: "é".repeat(3_000) }), "line_too_long"],
    ["too many levels", `{"a":${"[".repeat(512)}${"]".repeat(512)}}`, "too_deep"],
  ];

  test.each(kinds)("with %s goes to the dead letters; the others go on", async (_, line, code) => {
    const path = join(folder(), "in.ndjson");
    writeFileSync(path, Buffer.concat([Buffer.from('{"id":1}\n'), Buffer.from(line), Buffer.from('\r\n\n{"id":2}')]));
    const { records, sources, letters } = await taken(path, { maxLineBytes: 5_000 });
    expect(records).toEqual([{ id: 1 }, { id: 2 }]);
    expect(sources[1]).toEqual({ file: path, line: 4, byteOffset: 9 + Buffer.byteLength(line) + 3 });
    expect(letters).toEqual([
      {
        error: { code, message: expect.not.stringContaining("SECRET"), status: null, attempts: 0 },
        stage: "read",
        source: { file: path, line: 2, byteOffset: 9 },
        record: null,
        raw: Buffer.concat([Buffer.from(line), Buffer.from("\r")])
          .subarray(0, 1_024)
          .toString(),
      },
    ]);
  });

  test.each<[string, string | Buffer]>([
    ["in the middle of JSON", '{"a":"SECRET'],
    ["in the middle of a character", Buffer.from('{"a":"é').subarray(0, -1)],
    ["in the middle of a character of four bytes", Buffer.from('{"a":"🎉').subarray(0, -1)],
  ])("at the end of the file, cut %s, is told to be cut", async (_, line) => {
    const { records, letters } = await taken([Buffer.concat([Buffer.from('{"id":1}\n'), Buffer.from(line)])]);
    expect(records).toEqual([{ id: 1 }]);
    expect(letters).toMatchObject([{ error: { code: "truncated_line" }, source: { line: 2, byteOffset: 9 } }]);
    expect(letters[0]?.error.message).not.toContain("SECRET");
  });

  test("at the end of the file that is in another encoding is not told to be cut", async () => {
    const { letters } = await taken([Buffer.from('{"a":"\xe9t\xe9"}', "latin1")]);
    expect(letters).toMatchObject([{ error: { code: "invalid_utf8" } }]);
  });

  test("whose line ends are carriage returns says so", async () => {
    const { letters } = await taken(['{"id":1}\r{"id":2}\r{"id":3}\n']);
    expect(letters).toMatchObject([{ error: { code: "invalid_json" } }]);
    expect(letters[0]?.error.message).toContain("convert the line ends to LF");
  });

  test("of UTF-16 without a mark says what it may be", async () => {
    const { letters } = await taken([Buffer.from('{"id":1}\n', "utf16le")]);
    expect(letters[0]?.error.message).toContain("if the file is UTF-16, convert it to UTF-8");
  });

  test("has its column in the message", async () => {
    const { letters } = await taken(['{"a":1 "b":2}\n', '"in JSON at position 99" x\n', "in JSON at position 99\n"]);
    expect(letters.map(({ error }) => error.message)).toEqual([
      "The line is not valid JSON (column 8).",
      "The line is not valid JSON (column 26).",
      "The line is not valid JSON.",
    ]);
  });

  test("fails the stream where nobody takes dead letters, and the message says which it was", async () => {
    const path = writeLines(join(folder(), "in.ndjson"), [{ id: 1 }, "SECRET", { id: 2 }]);
    const error = await caught(gathered(read(path)));
    expect(error).toMatchObject({ code: "invalid_json", kind: "content" });
    expect(error.message).toMatch(`${path}:2: The line is not valid JSON`);
    expect(error.message).not.toContain("SECRET");
  });

  test("may be an item that is no record; what it is goes to the dead letters", async () => {
    const odd = Object.create(null);
    const { records, letters } = await taken([{ id: 1 }, null, undefined, 7, [1], [odd, 1n], true, { id: 2 }]);
    expect(records).toEqual([{ id: 1 }, { id: 2 }]);
    expect(letters.map(({ error, source, record, raw }) => [error.code, error.message, source, record, raw])).toEqual([
      ["not_an_object", "The input gave null, not a record.", null, null, undefined],
      ["not_an_object", "The input gave undefined, not a record.", null, null, "undefined"],
      ["not_an_object", "The input gave a number, not a record.", null, 7, undefined],
      ["not_an_object", "The input gave an array, not a record.", null, [1], undefined],
      ["not_an_object", "The input gave an array, not a record.", null, null, "[ [Object: null prototype] {}, 1n ]"],
      ["not_an_object", "The input gave a boolean, not a record.", null, true, undefined],
    ]);
  });
});

describe("nesting", () => {
  const nested = (levels: number) => `{"a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}\n`;

  test("is taken to 512 levels, or to as many as are allowed", async () => {
    const { records, letters } = await taken([nested(512), nested(513), nested(100_000)]);
    expect(records).toHaveLength(1);
    expect(letters.map(({ error }) => error.code)).toEqual(["too_deep", "too_deep"]);
    expect((await taken([nested(513)], { maxDepth: 513 })).records).toHaveLength(1);
    expect((await taken([nested(2)], { maxDepth: 1 })).letters).toHaveLength(1);
  });

  test("is not what brackets in a string are", async () => {
    const record = { a: "[{".repeat(5_000), "b\\": '"[[[[' };
    expect((await taken([`${JSON.stringify(record)}\n`])).records).toEqual([record]);
  });
});

test("a field named __proto__ stays a field, and pollutes nothing", async () => {
  const { records } = await taken(['{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}\n']);
  expect(Object.keys(records[0] as object)).toEqual(["__proto__", "constructor"]);
  expect(Object.getPrototypeOf(records[0])).toBe(Object.prototype);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});
