/** CSV as a source. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { caught, taken } from "../streams.ts";
import { folder } from "../support.ts";

const csv = (text: string | Buffer, options = {}) => taken([Buffer.from(text)], { format: "csv", ...options });

const quoted = (field: string) => `"${field.replaceAll('"', '""')}"`;

describe("CSV", () => {
  test("gives a record of strings for each row, with its line and byte offset", async () => {
    const path = join(folder(), "in.csv");
    writeFileSync(path, '\uFEFFid,"the text"\r\n1,"a ""b"", c\r\nd"\r\n\r\n2,é\n3,');
    const { records, sources, letters } = await taken(path);
    expect(records).toEqual([
      { id: "1", "the text": 'a "b", c\r\nd' },
      { id: "2", "the text": "é" },
      { id: "3", "the text": "" },
    ]);
    expect(sources).toEqual([
      { file: path, line: 2, byteOffset: 18 },
      { file: path, line: 5, byteOffset: 39 },
      { file: path, line: 6, byteOffset: 44 },
    ]);
    expect(letters).toEqual([]);
  });

  test("comes out the same wherever its chunks are cut", async () => {
    const field = fc.string({ unit: fc.constantFrom("a", "é", "🎉", '"', ",", "\n", "\r", " "), maxLength: 6 });
    const end = fc.constantFrom("\n", "\r\n", "\r");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(field, field, end), { maxLength: 6 }), fc.nat(9), async (rows, size) => {
        const lines = rows.map(([a, b, ending]) => `${quoted(a)},${quoted(b)}${ending}`);
        const bytes = Buffer.from(`\uFEFFa,b\n${lines.join("")}`);
        const chunks = Array.from({ length: Math.ceil(bytes.length / (size + 1)) }, (_, at) =>
          bytes.subarray(at * (size + 1), (at + 1) * (size + 1)),
        );
        const { records, sources, letters } = await taken(chunks, { format: "csv" });
        expect(letters).toEqual([]);
        expect(records).toEqual(rows.map(([a, b]) => ({ a, b })));
        for (const [at, source] of sources.entries()) {
          const offset = Buffer.byteLength(`\uFEFFa,b\n${lines.slice(0, at).join("")}`);
          const before = bytes.subarray(0, offset).toString();
          expect(source?.byteOffset).toBe(offset);
          expect(source?.line).toBe(before.split(/\r\n|\n|\r/).length);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("row with more or fewer fields than the header goes to the dead letters", async () => {
    const { records, letters } = await csv("a,b\n1\n2,3\n4,5,6\n");
    expect(records).toEqual([{ a: "2", b: "3" }]);
    expect(letters).toMatchObject([
      { error: { code: "invalid_csv" }, source: { line: 2, byteOffset: 4 }, record: null, raw: "1\n" },
      { error: { code: "invalid_csv" }, source: { line: 4, byteOffset: 10 }, record: null, raw: "4,5,6\n" },
    ]);
    expect(letters[1]?.error.message).toBe("The row has 3 fields, but the header names 2.");
  });

  test("row whose quote is never closed goes to the dead letters with all that it takes in", async () => {
    const { records, letters } = await csv('a,b\n1,2\n3,"4\n5,6\n');
    expect(records).toEqual([{ a: "1", b: "2" }]);
    expect(letters).toMatchObject([
      { error: { code: "truncated_line" }, source: { line: 3, byteOffset: 8 }, raw: '3,"4\n5,6\n' },
    ]);
  });

  test("row that is not UTF-8 or too long goes to the dead letters", async () => {
    const { records, letters } = await csv(Buffer.from(`a\nxé\n${"y".repeat(50)}\nz\n`, "latin1"), {
      maxLineBytes: 70,
    });
    expect(records).toEqual([{ a: "y".repeat(50) }, { a: "z" }]);
    expect(letters).toMatchObject([{ error: { code: "invalid_utf8" }, source: { line: 2 } }]);
  });

  test("row that is too long is passed over to its end, which quotes and line breaks in it do not hide", async () => {
    const field = fc.string({ unit: fc.constantFrom("a", "é", '"', ",", "\n", "\r", " "), maxLength: 30 });
    const cell = fc.oneof(
      field.map(quoted),
      field.map((text) => `x${text.replace(/[",\r\n]/g, "")}"y`),
    );
    const end = fc.constantFrom("\n", "\r\n", "\r");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell, end), { maxLength: 8 }), fc.nat(9), async (rows, size) => {
        const lines = rows.map(([a, b, ending]) => `${a},${b}${ending}`);
        const bytes = Buffer.from(`a,b\n${lines.join("")}`);
        const chunks = Array.from({ length: Math.ceil(bytes.length / (size + 1)) }, (_, at) =>
          bytes.subarray(at * (size + 1), (at + 1) * (size + 1)),
        );
        const { records, sources, letters } = await taken(chunks, { format: "csv", maxLineBytes: 30 });
        const isLong = (line: string) => Buffer.byteLength(line) > 30;
        const offsets = lines.map((_, at) => Buffer.byteLength(`a,b\n${lines.slice(0, at).join("")}`));
        expect(records).toHaveLength(lines.filter((line) => !isLong(line)).length);
        expect(sources.map((source) => source?.byteOffset)).toEqual(
          offsets.filter((_, at) => !isLong(lines[at] as string)),
        );
        const long = offsets.filter((_, at) => isLong(lines[at] as string));
        expect(letters.map(({ source, error, raw }) => [source, error.code, raw])).toEqual(
          long.map((byteOffset) => {
            const line = bytes
              .subarray(0, byteOffset)
              .toString()
              .split(/\r\n|\n|\r/).length;
            const raw = lines[offsets.indexOf(byteOffset)];
            return [{ file: "(iterable)", line, byteOffset }, "line_too_long", raw];
          }),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("row whose quote is never closed is not kept beyond the limit", async () => {
    const { records, letters } = await taken([`a\n1\n"${"x".repeat(60)}`, "x".repeat(60), "\n2\n"], {
      format: "csv",
      maxLineBytes: 100,
    });
    expect(records).toEqual([{ a: "1" }]);
    expect(letters).toMatchObject([{ error: { code: "truncated_line" }, source: { line: 3, byteOffset: 4 } }]);
    expect(letters[0]?.error.message).toContain("the rest of the file, 124 bytes");
  });

  test("takes a quote within a field for a quote", async () => {
    expect((await csv('a,b\n5" disk,"x" y\n')).records).toEqual([{ a: '5" disk', b: '"x" y' }]);
  });

  test("header that names a column twice is refused, and the message names it", async () => {
    const error = await caught(csv("id,a,a,b,b\n1,2,3,4,5\n"));
    expect(error).toMatchObject({ code: "invalid_option" });
    expect(error.message).toContain('the header names "a", "b" more than once');
  });

  test.each([
    [";", "semicolon"],
    ["\t", "tab"],
    ["|", "pipe"],
  ])("with fields between %j is refused with what to do; in quotes it is a name", async (separator, name) => {
    const header = `id${separator}content`;
    const error = await caught(csv(`${header}\n1${separator}2,5\n`));
    expect(error).toMatchObject({ code: "invalid_option" });
    expect(error.message).toContain(
      `:1: the fields seem to be separated by ${name}s, and CSV is read with commas only`,
    );
    expect((await csv(`"${header}"\n1\n`)).records).toEqual([{ [header]: "1" }]);
    expect((await csv(`${header},b\n1,2\n`)).records).toEqual([{ [header]: "1", b: "2" }]);
  });

  test("column named __proto__ stays a field, and pollutes nothing", async () => {
    const { records } = await csv("__proto__,constructor\n1,2\n");
    expect(Object.keys(records[0] as object)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(records[0])).toBe(Object.prototype);
  });

  test("file without rows is an empty input", async () => {
    for (const text of ["", "\uFEFF", "a,b", "a,b\r\n", "\n\n"]) {
      expect(await csv(text)).toEqual({ records: [], sources: [], letters: [] });
    }
  });

  test("keeps a row of one empty field that has its quotes", async () => {
    expect((await csv('a\n""\n\n""')).records).toEqual([{ a: "" }, { a: "" }]);
  });

  test("may be compressed", async () => {
    const path = join(folder(), "in.csv.gz");
    writeFileSync(path, gzipSync("a\n1\n"));
    expect((await taken(path)).records).toEqual([{ a: "1" }]);
  });
});
