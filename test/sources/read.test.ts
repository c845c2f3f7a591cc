/** What read() takes, and how it fails. */

import { createReadStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { pipeline as nodePipeline } from "node:stream/promises";
import { setTimeout as after } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Input } from "../../src/sources/input.ts";
import { type ReadOptions, read } from "../../src/sources/read.ts";
import { caught, collector, gathered, startScript, taken, texts, turns } from "../streams.ts";
import { folder, writeLines } from "../support.ts";

const RECORDS = [{ id: 1, title: "Zoë 🎉" }, { id: 2 }, { id: 3, deep: { a: [1, 2] } }];
const TEXT = RECORDS.map((record) => `${JSON.stringify(record)}\n`).join("");
const BYTES = Buffer.from(TEXT);

describe("read", () => {
  const inputs: [string, (path: string) => Input, string | undefined][] = [
    ["a path", (path) => path, "path"],
    ["a file's stream, which has its name", (path) => createReadStream(path, { highWaterMark: 3 }), "path"],
    [
      "a Readable of bytes",
      () => Readable.from([BYTES.subarray(0, 20), BYTES.subarray(20)], { objectMode: false }),
      "(stream)",
    ],
    ["a Readable of text", () => Readable.from([TEXT.slice(0, 20), TEXT.slice(20)]), "(stream)"],
    [
      "a byte stream with an encoding",
      (path) => createReadStream(path, { highWaterMark: 2, encoding: "utf8" }),
      "path",
    ],
    ["a web stream of bytes", () => new Blob([BYTES]).stream(), "(stream)"],
    ["an iterable of text", () => texts(TEXT.split(/(?<=\n)/)), "(iterable)"],
    ["an iterable of bytes", () => [new Uint8Array(BYTES.subarray(0, 9)), BYTES.subarray(9)], "(iterable)"],
    ["a Buffer", () => BYTES, "(iterable)"],
    ["a Readable of records", () => Readable.from(RECORDS), undefined],
    ["a web stream of records", () => ReadableStream.from(RECORDS), undefined],
    ["an array of records", () => RECORDS, undefined],
    ["an array of promises of records", () => RECORDS.map((record) => Promise.resolve(record)), undefined],
    [
      "a generator of records",
      () =>
        (function* () {
          yield* RECORDS;
        })(),
      undefined,
    ],
    [
      "an async generator of records",
      () =>
        (async function* () {
          yield* RECORDS;
        })(),
      undefined,
    ],
  ];

  test.each(inputs)("takes %s", async (_, make, name) => {
    const path = join(folder(), "in.ndjson");
    writeFileSync(path, TEXT);
    const { records, sources, letters } = await taken(make(path));
    expect(records).toEqual(RECORDS);
    expect(letters).toEqual([]);
    const file = name === "path" ? path : name;
    const offsets = [0, Buffer.byteLength(`${JSON.stringify(RECORDS[0])}\n`), BYTES.lastIndexOf('{"id":3')];
    const expected = offsets.map((byteOffset, index) => ({ file, line: index + 1, byteOffset }));
    expect(sources).toEqual(file === undefined ? [null, null, null] : expected);
  });

  test("takes stdin for -", async () => {
    const { child, ended } = startScript(`
      import { read } from "./src/index.ts";
      import { sourceOf } from "./src/record.ts";
      for await (const record of read("-")) console.log(JSON.stringify([record, sourceOf(record).file]));
    `);
    child.stdin.end(TEXT);
    const { stdout, stderr } = await ended;
    expect(stderr).toBe("");
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(RECORDS.map((record) => [record, "-"]));
  });

  test("gives no records of inputs that hold none", async () => {
    const empty = join(folder(), "empty.ndjson");
    writeFileSync(empty, "");
    for (const input of [
      empty,
      [],
      [""],
      ["\n\r\n  \n"],
      ["\uFEFF"],
      [Buffer.from("\uFEFF\n")],
      new PassThrough().end(),
    ]) {
      expect(await taken(input)).toEqual({ records: [], sources: [], letters: [] });
    }
  });

  test("works in Node's own pipeline", async () => {
    const { records, stream } = collector();
    const source = read(texts([TEXT]));
    await nodePipeline(source, stream);
    expect(records).toEqual(RECORDS);
    expect(source.report).toMatchObject({ name: "read", out: 3, deadLettered: 0 });
  });

  test("reads nothing before it is asked", async () => {
    let asked = 0;
    const source = read(
      (function* () {
        asked++;
        yield { id: 1 };
      })(),
    );
    await turns(5);
    expect(asked).toBe(0);
    expect(await gathered(source)).toEqual([{ id: 1 }]);
  });

  test.each<[ReadOptions, RegExp]>([
    [{ fromat: "ndjson" } as ReadOptions, /read\(\) has no option "fromat"\. Did you mean "format"\?/],
    [{ maxLineBytes: 0 }, /`maxLineBytes` must be a whole number from 1 to/],
    [{ maxLineBytes: Number.NaN }, /got NaN/],
    [{ maxLineBytes: 2 ** 40 }, /got 1099511627776/],
    [{ maxDepth: 1.5 }, /`maxDepth` must be a whole number from 1 up, got 1.5/],
    [{ maxDepth: "9" as unknown as number }, /got 9/],
    [{ format: "xml" as "ndjson" }, /`format` must be one of "ndjson".*, got "xml"/],
  ])("refuses %j", (options, message) => {
    expect(() => read("in.ndjson", options)).toThrow(expect.objectContaining({ code: "invalid_option" }));
    expect(() => read("in.ndjson", options)).toThrow(message);
  });

  test("refuses an ending of another format, unless it is told that it is NDJSON", () => {
    for (const path of ["a.parquet", "a.zip", "a.xlsx.gz"]) {
      expect(() => read(path)).toThrow(/is not supported in this version. Use NDJSON/);
      expect(() => read(path, { format: "ndjson" })).not.toThrow();
    }
  });
});

describe("a source that cannot be read", () => {
  test.each<[string, (dir: string) => string, RegExp]>([
    ["that is not there", (dir) => join(dir, "none.ndjson"), /Cannot read .*none\.ndjson: there is no such file\./],
    ["below a file", (dir) => join(writeLines(join(dir, "a.ndjson"), []), "b.ndjson"), /there is no such file/],
    ["that is a directory", (dir) => dir, /it is a directory/],
  ])("because of a name %s is a wrong option", async (_, name, message) => {
    const error = await caught(gathered(read(name(folder()))));
    expect(error).toMatchObject({ code: "invalid_option", kind: "configuration" });
    expect(error.message).toMatch(message);
  });

  test("to its end fails with source_failed after the records that were read", async () => {
    const breaks = [
      () =>
        Readable.from(
          (async function* () {
            yield TEXT;
            throw new Error("the cable");
          })(),
        ),
      () =>
        (function* () {
          yield TEXT;
          throw new Error("the cable");
        })(),
      () =>
        ReadableStream.from(
          (async function* () {
            yield TEXT;
            throw new Error("the cable");
          })(),
        ),
      () => [TEXT, Promise.reject(new Error("the cable"))],
    ];
    for (const make of breaks) {
      const { records, stream } = collector();
      const error = await caught(nodePipeline(read(make() as Input), stream));
      expect(error).toMatchObject({ code: "source_failed", cause: { message: "the cable" } });
      expect(error.message).toMatch(/^Reading \((stream|iterable)\) failed: the cable$/);
      expect(records).toEqual(RECORDS);
    }
  });

  test("because it was destroyed elsewhere fails with source_failed", async () => {
    const input = new PassThrough();
    input.write(TEXT);
    const source = read(input);
    const error = caught(gathered(source.on("data", () => input.destroy()) as Readable));
    expect(await error).toMatchObject({ code: "source_failed" });
  });

  test("because its stream failed before it was read fails with that error, not with the process", async () => {
    const source = read(createReadStream(join(folder(), "none.ndjson")));
    await after(20);
    expect(await caught(gathered(source))).toMatchObject({ code: "invalid_option" });
  });

  test("because it is no input at all is a wrong option", async () => {
    expect(await caught(gathered(read(7 as unknown as string)))).toMatchObject({ code: "invalid_option" });
  });
});
