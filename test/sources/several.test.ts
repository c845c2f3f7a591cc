/** Several inputs in one source: in the order given, each with its own format, only one of them open. */

import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { sourceOf } from "../../src/record.ts";
import { read } from "../../src/sources/read.ts";
import { caught, gathered, letterBox, taken, timesOpen } from "../streams.ts";
import { folder } from "../support.ts";

const line = (id: string) => `{"id":"${id}"}\n`;

function files(contents: Readonly<Record<string, string | Buffer>>): { dir: string; at: (name: string) => string } {
  const dir = folder();
  const at = (name: string) => join(dir, name);
  for (const [name, content] of Object.entries(contents)) {
    mkdirSync(join(at(name), ".."), { recursive: true });
    writeFileSync(at(name), content);
  }
  return { dir, at };
}

const ids = async (paths: readonly string[] | string, options = {}) => {
  const { letters, stream } = letterBox();
  const records = await gathered(read(paths, { ...options, deadLetters: stream }));
  return { ids: records.map((record) => (record as { id: unknown }).id), letters, sources: records.map(sourceOf) };
};

const MIXED = {
  "z.ndjson": `${line("z1")}broken\n${line("z2")}`,
  "a.csv.gz": gzipSync("id\na1\na2\n"),
  "b.json": '{"data":{"rows":[{"id":"b1"},\n7,\n{"id":"b2"}]}}',
  "c.jsonl.zst": zstdCompressSync('\uFEFF\n{"id":"c1"}'),
};

describe("an array of paths", () => {
  test("is read in the order given, each by its own ending, with places of its own", async () => {
    const { at } = files(MIXED);
    const names = Object.keys(MIXED).map(at);
    const found = await ids(names, { path: "data.rows" });
    expect(found.ids).toEqual(["z1", "z2", "a1", "a2", "b1", "b2", "c1"]);
    expect(found.sources.map((source) => [source?.file, source?.line, source?.byteOffset])).toEqual([
      [at("z.ndjson"), 1, 0],
      [at("z.ndjson"), 3, 19],
      [at("a.csv.gz"), 2, 3],
      [at("a.csv.gz"), 3, 6],
      [at("b.json"), 1, 17],
      [at("b.json"), 3, 33],
      [at("c.jsonl.zst"), 2, 4],
    ]);
    expect(found.letters.map(({ source }) => [source?.file, source?.line])).toEqual([
      [at("z.ndjson"), 2],
      [at("b.json"), 2],
    ]);
  });

  test("is skipped and limited over all of it, broken records included", async () => {
    const { at } = files(MIXED);
    const names = Object.keys(MIXED).map(at);
    for (let skip = 0; skip <= 9; skip++) {
      for (const limit of [1, 4, 9]) {
        const found = await ids(names, { path: "data.rows", skip, limit });
        const all = ["z1", null, "z2", "a1", "a2", "b1", null, "b2", "c1"].slice(skip, skip + limit);
        expect(found.ids).toEqual(all.filter((id) => id !== null));
        expect(found.letters).toHaveLength(all.filter((id) => id === null).length);
      }
    }
  });

  test("may have one format for all, whatever the endings", async () => {
    const { at } = files({ "a.txt": "id\n1\n", "b.ndjson": "id\n2\n" });
    expect((await ids([at("a.txt"), at("b.ndjson")], { format: "csv" })).ids).toEqual(["1", "2"]);
  });

  test("has one file open at a time, and none after the end, a fault or an early leave", async () => {
    const contents = Object.fromEntries([1, 2, 3].map((n) => [`${n}.ndjson`, line(`r${n}`).repeat(50_000)]));
    const { at } = files(contents);
    const names = Object.keys(contents).map(at);
    const open = () => names.reduce((sum, name) => sum + timesOpen(name), 0);
    let [most, count] = [0, 0];
    for await (const _ of read(names)) if (++count % 1_000 === 0) most = Math.max(most, open());
    expect([most, count]).toEqual([1, 150_000]);
    for await (const record of read(names)) if ((record as { id: string }).id === "r2") break;
    await expect.poll(open).toBe(0);
  });

  test("with an empty list of names, or of empty files, gives no records", async () => {
    const { at } = files({ "a.ndjson": "", "b.csv": "id\n", "c.json": "[]" });
    expect((await ids([at("a.ndjson"), at("b.csv"), at("c.json")])).ids).toEqual([]);
    expect(await taken([])).toMatchObject({ records: [] });
  });

  test.each<[string, (at: (name: string) => string, dir: string) => string[], RegExp]>([
    ["a missing file", (at) => [at("a.ndjson"), at("none.ndjson")], /none\.ndjson: there is no such file/],
    [
      "a folder",
      (at) => [at("a.ndjson"), at("sub")],
      /sub: it is a directory\. Name its files, as .*sub\/\*\.csv\.gz\.$/,
    ],
    [
      "the same name twice",
      (at) => [at("a.ndjson"), at("a.ndjson")],
      /Two inputs are the same file: .*a\.ndjson\. Name/,
    ],
    ["one file under two names", (at) => [at("a.ndjson"), at("link.ndjson")], /a\.ndjson and .*link\.ndjson/],
    ["one file under two hard names", (at) => [at("hard.ndjson"), at("a.ndjson")], /hard\.ndjson and .*a\.ndjson/],
    ["stdin twice", () => ["-", "-"], /stdin \(-\) is named twice/],
    [
      "a pattern without a match",
      (at) => [at("a.ndjson"), at("*.json")],
      /\*\.json: there is no such file, and as a pattern/,
    ],
    ["a pattern that finds folders only", (at) => [at("s*")], /matches none/],
    ["a format that is not ours", (at) => [at("a.ndjson"), at("t.parquet")], /\.parquet" is not supported/],
    ["such a format among what a pattern finds", (at) => [at("t*")], /\.parquet" is not supported/],
    ["a line of text", (at) => [at("a.ndjson"), '{"id":1}\n'], /list of paths, and one of these is text/],
    ["an empty text", (at) => [at("a.ndjson"), ""], /list of paths, and one of these is text/],
    ["text in place of names", () => ['[{"id":', "1}]"], /list of paths, and one of these is text/],
    ["a name that no file can have", (at) => [at("x".repeat(300))], /ENAMETOOLONG/],
  ])("with %s is refused before anything is read", async (_, make, message) => {
    const { at, dir } = files({ "a.ndjson": line("a"), "t.parquet": "", "sub/x.csv.gz": "" });
    symlinkSync(at("a.ndjson"), at("link.ndjson"));
    linkSync(at("a.ndjson"), at("hard.ndjson"));
    const records: unknown[] = [];
    const run = async () => {
      for await (const record of read(make(at, dir))) records.push(record);
    };
    const error = await caught(run());
    expect(error).toMatchObject({ code: "invalid_option" });
    expect(error.message).toMatch(message);
    expect(records).toEqual([]);
  });

  test.runIf(process.getuid?.() !== 0)(
    "with a file that may not be read is refused before anything is read",
    async () => {
      const { at } = files({ "a.ndjson": line("a"), "b.ndjson": line("b") });
      chmodSync(at("b.ndjson"), 0);
      expect((await caught(ids([at("a.ndjson"), at("b.ndjson")]))).message).toMatch(/b\.ndjson: you may not read it/);
    },
  );

  test.each<[string, string | Buffer, RegExp]>([
    ["b.json", '[{"id":1},{"id":', /^Reading .*b\.json failed: it is cut/],
    ["b.json", '{"rows":{"id":1}}', /b\.json: .*is an object, not an array/],
    ["b.csv", "id,id\n1,2\n", /b\.csv:1: the header names "id" more than once/],
    [
      "b.ndjson.gz",
      gzipSync(line("b").repeat(999)).subarray(0, -9),
      /^Reading .*b\.ndjson\.gz failed: the gzip archive ends/,
    ],
  ])(
    "with a fault in a later file ends as a source that failed, which names it: %s %#",
    async (name, content, message) => {
      const { at } = files({ "a.ndjson": line("a"), [name]: content });
      const seen: unknown[] = [];
      const run = async () => {
        for await (const record of read([at("a.ndjson"), at(name)])) seen.push(record);
      };
      const error = await caught(run());
      expect(error.code).toBe("source_failed");
      expect(error.message).toMatch(message);
      expect(seen[0]).toEqual({ id: "a" });
    },
  );

  test("with a later file that is gone when its turn comes ends as a source that failed", async () => {
    const { at } = files({ "a.ndjson": line("a"), "b.ndjson": line("b") });
    const source = read([at("a.ndjson"), at("b.ndjson")]);
    const run = async () => {
      for await (const _ of source) rmSync(at("b.ndjson"), { force: true });
    };
    const error = await caught(run());
    expect(error.code).toBe("source_failed");
    expect(error.message).toContain("b.ndjson");
  });
});

describe("a pattern", () => {
  const contents = Object.fromEntries(
    ["d/10.ndjson", "d/9.ndjson", "d/B.ndjson", "d/a.ndjson", "d/.hidden.ndjson", "d/sub/x.ndjson", "d/y.csv"].map(
      (name) => [name, name.endsWith(".csv") ? "id\ny\n" : line(name.slice(2, -7))],
    ),
  );

  test.each<[string, string[]]>([
    ["d/*.ndjson", ["10", "9", "B", "a"]],
    ["d/**/*.ndjson", ["10", "9", "B", "a", "sub/x"]],
    ["d/{a,y}.*", ["a", "y"]],
    ["d/[0-9].ndjson", ["9"]],
    ["d/*", ["10", "9", "B", "a", "y"]],
    ["d/?.csv", ["y"]],
  ])("%s finds its files, sorted, hidden ones and folders left out", async (pattern, expected) => {
    expect((await ids(files(contents).at(pattern))).ids).toEqual(expected);
  });

  test("does not read again what is named beside it, before or after", async () => {
    const { at } = files(contents);
    expect((await ids([at("d/a.ndjson"), at("d/*.ndjson"), at("d/[aB].*")])).ids).toEqual(["a", "10", "9", "B"]);
    expect((await ids([at("d/[aB].*"), at("d/a.ndjson")])).ids).toEqual(["B", "a"]);
  });

  test("that is the name of a file means that file", async () => {
    const { at } = files({ "a[1].ndjson": line("literal"), "a1.ndjson": line("matched"), "*.ndjson": line("star") });
    expect((await ids(at("a[1].ndjson"))).ids).toEqual(["literal"]);
    expect((await ids(at("*.ndjson"))).ids).toEqual(["star"]);
    expect((await ids(at("a[0-9].ndjson"))).ids).toEqual(["matched"]);
  });

  test("needs a path only for the JSON that it finds, and is refused when it finds none", async () => {
    const { at } = files({ "a.json": '{"r":[{"id":1}]}', "b.ndjson": line("b") });
    expect((await ids(at("?.*"), { path: "r" })).ids).toEqual([1, "b"]);
    expect((await caught(ids(at("b*"), { path: "r" }))).message).toMatch(/`path` is a dotted path/);
    expect(() => read([at("b.ndjson")], { path: "r" })).toThrow(/`path` is a dotted path/);
  });
});
