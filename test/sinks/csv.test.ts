/** Records as CSV. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { finished, pipeline as nodePipeline } from "node:stream/promises";
import { zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pipeline } from "../../src/pipeline.ts";
import { route } from "../../src/sinks/route.ts";
import { type WriteOptions, write } from "../../src/sinks/write.ts";
import { read } from "../../src/sources/read.ts";
import { caught, collector, letterBox, numbered, turns } from "../streams.ts";
import { folder } from "../support.ts";
import { strictCsv } from "./strict-csv.ts";

/** Writes records as CSV and gives the text. */
async function written(records: readonly unknown[], options: WriteOptions = {}) {
  const { letters, stream: deadLetters } = letterBox();
  const stream = new PassThrough();
  const sink = write(stream, { format: "csv", ...options }).on("notice", () => {});
  const run = pipeline(records, sink, { deadLetters });
  const [report, csv] = await Promise.all([run, text(stream)]);
  return { csv, rows: strictCsv(csv), letters, report };
}

describe("write to .csv", () => {
  test("makes a header and a line for each record, without a byte order mark", async () => {
    const path = join(folder(), "out.csv");
    const sink = write(path);
    const report = await pipeline(
      [
        { id: 1, title: "plain" },
        { id: 2, title: 'He said "no", twice\nand left', draft: true },
      ],
      sink,
    );
    expect(readFileSync(path, "utf8")).toBe('id,title,draft\n1,plain,\n2,"He said ""no"", twice\nand left",true\n');
    expect(report.written).toBe(2);
    expect(sink.report.out).toBe(2);
  });

  test("names nested fields by their path, and keeps arrays as JSON text", async () => {
    const analysis = { title: "A", keyPoints: ["x", "y; z"], entities: [{ name: "N" }], empty: {}, none: [] };
    const { csv } = await written([{ id: 1, analysis, usage: { inputTokens: 3 }, at: new Date(0), url: null }]);
    expect(csv).toBe(
      "id,analysis.title,analysis.keyPoints,analysis.entities,analysis.empty,analysis.none,usage.inputTokens,at,url\n" +
        '1,A,"[""x"",""y; z""]","[{""name"":""N""}]",{},[],3,1970-01-01T00:00:00.000Z,\n',
    );
  });

  test("keeps what is nested deeper than eight levels as JSON text", async () => {
    const nested = (levels: number): object => (levels === 0 ? { end: 1 } : { in: nested(levels - 1) });
    const { rows } = await written([nested(10)]);
    expect(rows).toEqual([[Array(8).fill("in").join(".")], ['{"in":{"in":{"end":1}}}']]);
  });

  test("takes its columns from the first hundred records together", async () => {
    const records = Array.from({ length: 300 }, (_, id) => ({ id, ...(id === 99 ? { late: "kept" } : {}) }));
    const { rows, letters } = await written(records);
    expect(letters).toEqual([]);
    expect(rows).toHaveLength(301);
    expect(rows[0]).toEqual(["id", "late"]);
    expect(rows[100]).toEqual(["99", "kept"]);
  });

  test("holds no more than about a megabyte to find its columns", async () => {
    const stream = new PassThrough();
    const sink = write(stream, { format: "csv" });
    for (let id = 0; id < 5; id++) sink.write({ id, text: "x".repeat(300_000) });
    await turns(20);
    expect(stream.readableLength).toBeGreaterThan(900_000);
    sink.destroy();
  });

  test("dead-letters a later record with a value in another field, and names the field", async () => {
    const records = Array.from({ length: 100 }, (_, id) => ({ id, meta: { a: 1 } }));
    const later = [{ id: 100, meta: { b: "lost?" } }, { id: 101, meta: { b: null } }, { id: 102 }];
    const { rows, letters, report } = await written([...records, ...later]);
    expect(letters).toMatchObject([{ error: { code: "unserializable" }, stage: "write", record: later[0] }]);
    expect(letters[0]?.error.message).toContain('The field "meta.b" is none of the CSV\'s columns');
    expect(rows.slice(101)).toEqual([
      ["101", null],
      ["102", null],
    ]);
    expect(report).toMatchObject({ written: 102, deadLettered: 1 });
  });

  test("writes the columns that it is given, in their order, and leaves out the others", async () => {
    const columns = ["b.c", "id", "b", "absent"];
    const { csv, letters } = await written([{ id: 1, b: { c: 2, d: [3] } }, { other: 5 }], { columns });
    expect(letters).toEqual([]);
    expect(csv).toBe('b.c,id,b,absent\n2,1,"{""c"":2,""d"":[3]}",\n,,,\n');
  });

  test("tells once, and early, of given columns that no record has, and what they may have been meant to be", async () => {
    for (const [count, who] of [
      [250, "the first 100 records"],
      [3, "the 3 records"],
    ] as const) {
      const told: string[] = [];
      const columns = ["id", "metta.a", "nowhere", "none", "late"];
      const sink = write(new PassThrough().resume(), { format: "csv", columns }).on("notice", (text) => {
        told.push(`${sink.report.in}: ${text}`);
      });
      const records = numbered(count).map(({ id }) => ({ id, meta: { a: 1 }, none: null, late: undefined }));
      await pipeline(records, sink);
      expect(told).toEqual([
        `${Math.min(count, 100)}: CSV columns that none of ${who} has: "metta.a" (did you mean "meta.a"?), "nowhere". ` +
          "They have: id, meta.a, none, late.",
      ]);
    }
  });

  test("has a column for a field that is there with nothing in it yet", async () => {
    const records = [...numbered(100).map(({ id }) => ({ id, url: undefined })), { id: 100, url: "u" }];
    const { rows, letters } = await written(records);
    expect(letters).toEqual([]);
    expect([rows[0], rows[1], rows[101]]).toEqual([
      ["id", "url"],
      ["0", null],
      ["100", "u"],
    ]);
  });

  test("has an empty file of no records, and with given columns their header", async () => {
    expect((await written([])).csv).toBe("");
    expect((await written([], { columns: ["a", "b"] })).csv).toBe("a,b\n");
    expect((await written([{ a: 1n }], { columns: ["a"] })).csv).toBe("a\n");
  });

  test("has a line for a record that is empty in its only column", async () => {
    expect((await written([{ a: null }, { a: 1 }])).csv).toBe('a\n""\n1\n');
  });

  test("is compressed as well", async () => {
    const path = join(folder(), "out.csv.zst");
    await pipeline(numbered(3), write(path));
    expect(zstdDecompressSync(readFileSync(path)).toString()).toBe("id\n0\n1\n2\n");
  });

  test.each<[string, unknown, RegExp]>([
    ["no fields", {}, /it has no fields/],
    ["two for one column", { "a.b": 1, a: { b: 2 } }, /Two fields of the record would be the column "a\.b"/],
    ["two that one header would name", { "=a": 1, "'=a": 2 }, /would be one column/],
    ["half a character", { a: "\ud83d" }, /"a" holds half a surrogate pair/],
    ["half a character in a name", { "\ud83d": 1 }, /half a surrogate pair/],
    ["NaN", { a: Number.NaN }, /cannot be written as CSV: it \/a: is NaN|CSV: \/a: is NaN/],
  ])("dead-letters a record that has %s", async (_, record, message) => {
    const { rows, letters } = await written([{ id: 1 }, record, { id: 2 }]);
    expect(rows).toEqual([["id"], ["1"], ["2"]]);
    expect(letters).toMatchObject([{ error: { code: "unserializable" } }]);
    expect(letters[0]?.error.message).toMatch(message);
  });
});

test("what is no object with fields is a dead letter", async () => {
  const { letters, stream: deadLetters } = letterBox();
  const sink = write(new PassThrough().resume(), { format: "csv", deadLetters });
  for (const record of [["a"], "a", 7, new Date(0)]) sink.write(record);
  sink.end();
  await finished(sink);
  expect(letters.map(({ error }) => error.code)).toEqual(Array(4).fill("unserializable"));
  expect(letters[0]?.error.message).toMatch(/it is no object with fields/);
});

describe("text that a spreadsheet would calculate", () => {
  const risky = ["=1+1", "+x", "-cmd", "@SUM(A1)", "\tx", "\rx", "\n=x", "＝1"];

  test("is defused by a quote before it; numbers stay numbers, as text too", async () => {
    const { rows } = await written([
      Object.fromEntries(risky.map((value, at) => [`f${at}`, value])),
      { f0: -5, f1: "-12345678901234567890", f2: "+1.5e3", f3: "a=b", f4: true },
    ]);
    expect(rows[1]).toEqual(risky.map((value) => `'${value}`));
    expect(rows[2]?.slice(0, 5)).toEqual(["-5", "-12345678901234567890", "+1.5e3", "a=b", "true"]);
  });

  test("is defused in a column's name as well", async () => {
    const { rows } = await written([{ "=cmd()": 1 }]);
    expect(rows[0]).toEqual(["'=cmd()"]);
  });

  test("stays as it is when the formulas are kept", async () => {
    const { rows } = await written([{ "=a": "=1+1", b: "\tx" }], { formulas: "keep" });
    expect(rows).toEqual([
      ["=a", "b"],
      ["=1+1", "\tx"],
    ]);
  });
});

test("every cell parses back to what was written, whatever text it holds", async () => {
  const scalar = fc.oneof(
    fc.string({ unit: "binary" }).filter((value) => value.isWellFormed()),
    fc.string({ unit: fc.constantFrom('"', ",", "\n", "\r", "'", "=", " ", "\ufeff", "\u2028", "\0", "é", "x") }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  );
  const name = fc.string({ unit: fc.constantFrom("a", "b", ",", '"', "\n", " ", "_", "\ufeff"), maxLength: 4 });
  const record = fc.dictionary(
    fc.oneof(name, fc.constantFrom("__proto__", "constructor", "toString")),
    fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })),
    { minKeys: 1 },
  );
  const cell = (value: unknown) =>
    value === null || value === undefined ? null : typeof value === "object" ? JSON.stringify(value) : String(value);
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 8 }), async (records) => {
      const { rows, letters } = await written(records, { formulas: "keep" });
      expect(letters).toEqual([]);
      const [header = [], ...lines] = rows;
      const names = header.map((field) => field ?? "");
      expect(names).toEqual([...new Set(records.flatMap((one) => Object.keys(one)))]);
      const own = (one: Record<string, unknown>, key: string) => (Object.hasOwn(one, key) ? one[key] : undefined);
      const alone = names.length === 1;
      expect(lines).toEqual(records.map((one) => names.map((key) => cell(own(one, key)) ?? (alone ? "" : null))));
    }),
    { numRuns: 300 },
  );
});

describe("a CSV that ends early", () => {
  test("keeps whole lines under its partial name, those held for the columns too", async () => {
    for (const count of [20, 250]) {
      const path = join(folder(), "out.csv");
      async function* breaking() {
        yield* numbered(count);
        await turns(3);
        throw new Error("the cable");
      }
      const sink = write(path);
      await caught(pipeline(breaking(), sink));
      expect(existsSync(path)).toBe(false);
      const [header, ...rows] = strictCsv(readFileSync(`${path}.partial`, "utf8"));
      expect(header).toEqual(["id"]);
      expect(rows.length).toBeGreaterThan(count / 2);
      expect(rows).toEqual(numbered(sink.report.out).map(({ id }) => [String(id)]));
    }
  });

  test("leaves no file of no records", async () => {
    const path = join(folder(), "out.csv");
    async function* breaking() {
      yield* [];
      await turns(1);
      throw new Error("the cable");
    }
    await caught(pipeline(breaking(), write(path, { columns: ["id"] })));
    expect(existsSync(`${path}.partial`)).toBe(false);
  });
});

describe("dead letters", () => {
  test("cannot be CSV, which is told before anything is read", async () => {
    const dir = folder();
    let begun = false;
    function* records() {
      begun = true;
      yield { id: 1 };
    }
    const deadLetters = write(join(dir, "failed.csv"));
    const sink = write(join(dir, "out.ndjson"));
    const error = await caught(pipeline(records(), sink, { deadLetters }));
    expect(error).toMatchObject({ code: "invalid_option" });
    expect(error.message).toMatch(/Dead letters cannot be CSV \(.*failed\.csv\)\. Use \.ndjson or \.json\./);
    expect(begun).toBe(false);
    expect(sink.destroyed).toBe(true);
    expect(() => read([], { deadLetters: write(join(dir, "failed.csv")) })).toThrow(/cannot be CSV/);
  });
});

test("several sinks behind a route have their own columns", async () => {
  const dir = folder();
  const choose = ({ id }: { id: number }) => (id % 2 === 0 ? "even" : "odd");
  const sinks = { even: write(join(dir, "even.csv")), odd: write(join(dir, "odd.csv.gz")) };
  const records = numbered(4).map((record) => ({ ...record, [record.id % 2 === 0 ? "e" : "o"]: "x" }));
  const report = await pipeline(records, route(choose, sinks));
  expect(readFileSync(join(dir, "even.csv"), "utf8")).toBe("id,e\n0,x\n2,x\n");
  expect(report.written).toBe(4);
});

test("CSV works in Node's own pipeline", async () => {
  const { stream: deadLetters, records: letters } = collector();
  const stream = new PassThrough();
  const sink = write(stream, { format: "csv", deadLetters });
  const [csv] = await Promise.all([text(stream), nodePipeline(read([{ id: 1 }, { id: 2n }]), sink)]);
  expect(csv).toBe("id\n1\n");
  expect(letters).toHaveLength(1);
});

test.each<[string, WriteOptions, RegExp]>([
  ["out.ndjson", { columns: ["a"] }, /`columns` is for CSV, and out\.ndjson gets ndjson/],
  ["-", { formulas: "keep" }, /`formulas` is for CSV, and - gets ndjson/],
  ["out.csv", { columns: [] }, /`columns` must be a list of fields/],
  ["out.csv", { columns: ["a", "b", "a"] }, /`columns` names "a" twice/],
  ["out.csv", { columns: "a" as unknown as string[] }, /`columns` must be a list of fields/],
  ["out.csv", { formulas: "strip" as "keep" }, /`formulas` must be "defuse" or "keep", got "strip"/],
])("write(%j, %j) is refused", (path, options, message) => {
  expect(() => write(path, options)).toThrow(message);
});
