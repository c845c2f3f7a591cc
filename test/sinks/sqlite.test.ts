/** Rows into an SQLite file. */

import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { pipeline } from "../../src/pipeline.ts";
import { route } from "../../src/sinks/route.ts";
import { type WriteOptions, write } from "../../src/sinks/write.ts";
import { caught, letterBox, numbered, script, startScript, turns } from "../streams.ts";
import { articles, cli, environment, folder, readRows, simulator, startCli, TIMED, writeLines } from "../support.ts";

const output = () => join(folder(), "out.db");

function ask<T = Record<string, unknown>>(path: string, sql: string): T[] {
  const database = new DatabaseSync(path);
  try {
    return database.prepare(sql).all() as T[];
  } finally {
    database.close();
  }
}

async function written(path: string, records: readonly unknown[], options: WriteOptions = {}) {
  const { letters, stream: deadLetters } = letterBox();
  const report = await pipeline(records, write(path, options), { deadLetters });
  return { report, letters };
}

describe("write to a .db", () => {
  test("makes a row of each record: text, numbers, booleans, nothing, and what is nested as JSON", async () => {
    const path = output();
    const when = new Date(0);
    const { report } = await written(path, [
      { id: "a", n: 1, x: 0.1, yes: true, none: null, left: undefined, list: [1, { b: 2 }], when },
      { id: "b", n: "12345678901234567890", x: 5, yes: "007", deep: { a: null } },
    ]);
    expect(report.written).toBe(2);
    expect(ask(path, "SELECT * FROM records ORDER BY id")).toEqual([
      { id: "a", n: 1, x: 0.1, yes: 1, list: '[1,{"b":2}]', when: when.toJSON(), deep: null, none: null },
      { id: "b", n: "12345678901234567890", x: 5, yes: "007", list: null, when: null, deep: '{"a":null}', none: null },
    ]);
    expect(ask(path, "SELECT typeof(n) t FROM records ORDER BY id")).toEqual([{ t: "integer" }, { t: "text" }]);
    expect(readdirSync(join(path, ".."))).toEqual(["out.db"]);
  });

  test("puts a record in the place of the row with its key, and leaves fields that it lacks", async () => {
    const path = output();
    for (let run = 0; run < 2; run++) await written(path, numbered(1_200), { table: "many" });
    expect(ask(path, "SELECT count(*) c, sum(id) s FROM many")).toEqual([{ c: 1_200, s: (1_199 * 1_200) / 2 }]);
    await written(path, [{ url: "u", a: 1, b: 2 }, { url: "u", b: 3 }, { url: "v" }, { url: "v" }], { key: "url" });
    expect(ask(path, "SELECT * FROM records")).toEqual([
      { url: "u", a: 1, b: 3 },
      { url: "v", a: null, b: null },
    ]);
    await written(path, [{ url: "v", late: "x" }], { key: "url" });
    expect(ask(path, "SELECT url, late FROM records")).toEqual([
      { url: "u", late: null },
      { url: "v", late: "x" },
    ]);
  });

  test('tells keys apart as JSON does: 5 and "5" are two', async () => {
    const path = output();
    await written(path, [{ id: 5 }, { id: "5" }]);
    expect(ask(path, "SELECT id FROM records")).toEqual([{ id: 5 }, { id: "5" }]);
  });

  test("takes any names for its columns, its table and its key", async () => {
    const path = output();
    const name = `a "b"; DROP TABLE x; -- [c] 'd' \u00e9\u{1f600} ${"x".repeat(300)}`;
    const record = JSON.parse(`{ "__proto__": 1, "constructor": 2, "": 3, "rowid": 4, "SELECT": 5 }`);
    await written(
      path,
      [
        { ...record, ["__proto__"]: undefined, [name]: "k" },
        Object.assign(JSON.parse('{"__proto__":7}'), { [name]: "l" }),
      ],
      {
        table: name,
        key: name,
      },
    );
    const rows = ask(path, `SELECT * FROM "${name.replaceAll('"', '""')}"`);
    expect(rows.map((row) => Object.entries(row).filter(([, value]) => value !== null))).toEqual([
      [
        ["constructor", 2],
        ["", 3],
        ["rowid", 4],
        ["SELECT", 5],
        [name, "k"],
      ],
      [
        [name, "l"],
        ["__proto__", 7],
      ],
    ]);
  });

  test("keeps text with a NUL in it, empty text and very long text as they are", async () => {
    const path = output();
    const texts = ["a\0b", "", "x".repeat(3_000_000)];
    await written(
      path,
      texts.map((text, id) => ({ id, text })),
    );
    expect(ask<{ text: string }>(path, "SELECT text FROM records").map(({ text }) => text)).toEqual(texts);
  });

  test("sends to the dead letters what cannot be a row, and writes the others", async () => {
    const path = output();
    const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`f${at}`, at]));
    const { report, letters } = await written(path, [
      { id: 1 },
      { title: "no id" },
      { id: null },
      { id: "" },
      { id: { a: 1 } },
      { id: 2, Title: 1, title: 2 },
      { id: 3, text: "half a \ud83d" },
      { id: 4, big: 1n },
      { id: 5, "a\0b": 1 },
      { id: 6, ...many },
      7,
      { id: 8 },
    ]);
    expect(ask(path, "SELECT id FROM records")).toEqual([{ id: 1 }, { id: 8 }]);
    expect(letters.map(({ error }) => error.code).sort()).toEqual([
      ...Array(4).fill("missing_row_key"),
      "not_an_object",
      ...Array(5).fill("unserializable"),
    ]);
    expect(letters.map(({ error }) => error.message).join("\n")).toMatch(
      /field "id" is missing.* It has: title\.[\s\S]*--key[\s\S]*which SQLite takes for one/,
    );
    expect(report).toMatchObject({ written: 2, deadLettered: 10, unfinished: 0 });
  });

  test("uses a table that is there, adds columns to it, and sends rows that it refuses to the dead letters", async () => {
    const path = output();
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE records (mine TEXT DEFAULT 'm', ID INTEGER PRIMARY KEY, n INTEGER CHECK (n < 10))");
    database.close();
    const { letters } = await written(path, [
      { id: 1, n: 5 },
      { id: 2, n: 50 },
      { id: 3, n: "007" },
      { id: 4, s: "x" },
    ]);
    expect(ask(path, "SELECT * FROM records")).toEqual([
      { mine: "m", ID: 1, n: 5, s: null },
      { mine: "m", ID: 4, n: null, s: "x" },
    ]);
    expect(letters.map(({ error }) => error.message)).toEqual([
      expect.stringMatching(/refused by SQLite: CHECK constraint failed/),
      expect.stringMatching(/text in "n", a column of numbers/),
    ]);
  });

  test("commits what it has when the run fails elsewhere, and the next run completes it", async () => {
    const path = output();
    async function* breaking() {
      yield* numbered(700);
      await turns(2);
      throw new Error("the cable");
    }
    const error = await caught(pipeline(breaking(), write(path)));
    expect(error).toMatchObject({ code: "source_failed" });
    const [{ c } = { c: 0 }] = ask<{ c: number }>(path, "SELECT count(*) c FROM records");
    expect(c).toBeGreaterThanOrEqual(690);
    await written(path, numbered(1_000));
    expect(ask(path, "SELECT count(*) c FROM records")).toEqual([{ c: 1_000 }]);
  });

  test("leaves no file of nothing, and an empty table of a whole run without records", async () => {
    const path = output();
    async function* broken() {
      yield* numbered(0);
      throw new Error("no");
    }
    await caught(pipeline(broken(), write(path)));
    expect(readdirSync(join(path, ".."))).toEqual([]);
    await written(path, []);
    expect(ask(path, "SELECT count(*) c FROM records")).toEqual([{ c: 0 }]);
  });

  test("loses no committed row to a kill -9, and what it leaves is a sound database", async () => {
    const path = output();
    const { child, ended } = startScript(
      `
      import { pipeline, write } from "./src/index.ts";
      async function* records() {
        for (let id = 0; ; id++) {
          yield { id, text: "x".repeat(500) };
          if (id % 50 === 0) await new Promise(setImmediate);
        }
      }
      const sink = write(process.argv[1]);
      setInterval(() => console.log(sink.report.out), 5);
      await pipeline(records(), sink);
      `,
      { args: [path] },
    );
    let out = 0;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out = Number(text.trim().split("\n").at(-1));
      if (out > 3_000) child.kill("SIGKILL");
    });
    await ended;
    expect(ask(path, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
    const [{ c } = { c: 0 }] = ask<{ c: number }>(path, "SELECT count(*) c FROM records");
    expect(c).toBeGreaterThanOrEqual(out);
    // The lock that the dead process has left is taken over.
    await written(path, numbered(10));
  });

  test("waits for another program's lock without holding up the process, and can be stopped then", TIMED, async () => {
    const path = output();
    await written(path, numbered(1));
    const other = new DatabaseSync(path);
    const sink = write(path);
    await (sink as unknown as { prepare(): Promise<void> }).prepare();
    other.exec("BEGIN EXCLUSIVE");
    const run = pipeline(numbered(600), sink);
    const before = performance.now();
    await turns(50);
    expect(performance.now() - before).toBeLessThan(1_000);
    expect((sink as { report: { out: number } }).report.out).toBe(0);
    other.exec("COMMIT");
    expect(await run).toMatchObject({ written: 600 });

    other.exec("BEGIN EXCLUSIVE");
    const abort = new AbortController();
    const stopped = caught(pipeline(numbered(600), write(path), { signal: abort.signal }));
    await turns(20);
    abort.abort();
    expect(await stopped).toMatchObject({ code: "aborted" });
    other.close();
  });

  test("holds a bounded number of rows while it waits", async () => {
    const path = output();
    await written(path, numbered(1));
    const sink = write(path);
    await (sink as unknown as { prepare(): Promise<void> }).prepare();
    const other = new DatabaseSync(path);
    other.exec("BEGIN EXCLUSIVE");
    let accepted = 0;
    while (accepted < 5_000 && sink.writableLength < sink.writableHighWaterMark) {
      sink.write({ id: accepted++ });
      await turns(1);
    }
    expect(accepted).toBeLessThan(1_100);
    other.close();
    sink.destroy();
    await new Promise((resolve) => sink.once("close", resolve));
  });

  test("stops with what is committed when the disk is full", async () => {
    const path = output();
    const { stdout, stderr } = await script(
      `
      import { pipeline, write } from "./src/index.ts";
      async function* records() {
        for (let id = 0; id < 4_000; id++) {
          yield { id, text: "x".repeat(1_000) };
          await new Promise(setImmediate);
        }
      }
      await pipeline(records(), write(process.argv[1])).catch(({ code, message, report }) =>
        console.log(JSON.stringify({ code, message, written: report.written })));
      `,
      { args: [path], first: "ulimit -f 3000" },
    );
    expect(stderr).toBe("");
    const told = JSON.parse(stdout);
    expect(told.code).toBe("sink_failed");
    expect(told.message).toMatch(
      /out\.db failed: (disk I\/O error|database or disk is full).*rows committed so far stay; run it again/,
    );
    expect(told.written).toBeGreaterThanOrEqual(500);
    expect(ask(path, "SELECT count(*) c FROM records")).toEqual([{ c: told.written }]);
  });

  test("fills two tables of one file in one run, but not in two", async () => {
    const path = output();
    const sinks = { even: write(path, { table: "even" }), odd: write(path, { table: "odd" }) };
    await pipeline(
      numbered(100),
      route<{ id: number }>(({ id }) => (id % 2 === 0 ? "even" : "odd"), sinks),
    );
    expect(ask(path, "SELECT (SELECT count(*) FROM even) e, (SELECT count(*) FROM odd) o")).toEqual([{ e: 50, o: 50 }]);
    expect(readdirSync(join(path, ".."))).toEqual(["out.db"]);
    const lock = `${path}.lock`;
    writeFileSync(lock, `${process.ppid}\n`);
    expect(await caught(pipeline(numbered(1), write(path)))).toMatchObject({
      code: "invalid_option",
      message: expect.stringContaining(`is being written by process ${process.ppid}`),
    });
  });

  test.each<[string, (path: string) => void, RegExp]>([
    ["text", (path) => writeFileSync(path, "no database at all, but text"), /out\.db: it is no SQLite database/],
    ["a folder", (path) => mkdirSync(path), /Cannot write .*out\.db/],
    ["a database of one's own without a key", (path) => sql(path, "CREATE TABLE records (x)"), /has no column "id"/],
    [
      "a table without a unique key",
      (path) => sql(path, "CREATE TABLE records (id)"),
      /cannot be upserted into by "id"/,
    ],
    ["a view", (path) => sql(path, "CREATE VIEW records AS SELECT 1 AS id"), /cannot be upserted into/],
  ])("refuses %s before anything is read, and leaves it", async (_, make, message) => {
    const path = output();
    make(path);
    const before = bytesOf(path);
    let read = false;
    function* records() {
      read = true;
      yield { id: 1 };
    }
    const error = await caught(pipeline(records(), write(path)));
    expect(error).toMatchObject({ code: "invalid_option" });
    expect(error.message).toMatch(message);
    expect(read).toBe(false);
    expect(bytesOf(path)).toEqual(before);
    expect(readdirSync(join(path, ".."))).toEqual(["out.db"]);
  });

  test.each<[WriteOptions, string, RegExp]>([
    [{ table: "t" }, "out.ndjson", /`table` is for a database, and out\.ndjson is none/],
    [{ key: "k" }, "-", /`key` is for a database/],
    [{ columns: ["a"] }, "out.db", /`columns` is for CSV, and the database gets rows/],
    [{ table: "" }, "out.db", /`table` must be a name, got ""/],
    [{ key: 7 as never }, "out.db", /`key` must be a name, got 7/],
    [{ tabel: "x" } as WriteOptions, "out.db", /Did you mean "table"/],
  ])("refuses the options %j for %s", (options, path, message) => {
    expect(() => write(path, options)).toThrow(message);
  });
});

/** Of a folder, none. */
const bytesOf = (path: string) => (statSync(path).isFile() ? readFileSync(path) : undefined);

function sql(path: string, text: string): void {
  const database = new DatabaseSync(path);
  database.exec(text);
  database.close();
}

describe("-o out.db", () => {
  test("gives the same rows run after run, names its dead letters after it, and says where the rows are", async () => {
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), [...articles(8), { content: "no id here" }]);
    const args = ["analyze", "in.ndjson", "--provider", "local", "-o", "out.db", "--table", "analyses"];
    for (let run = 0; run < 2; run++) {
      const { code, stderr, stdout } = await cli(args, { cwd });
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain("output       out.db");
      expect(stderr).not.toContain("Warning");
      expect(readdirSync(cwd).sort()).toEqual(["in.ndjson", "out.db", "out.failed.ndjson"]);
    }
    const rows = ask<{ id: string; analysis: string }>(join(cwd, "out.db"), "SELECT * FROM analyses");
    expect(rows.map(({ id }) => id)).toEqual(articles(8).map(({ id }) => id));
    expect(JSON.parse(rows[0]?.analysis ?? "")).toMatchObject({ title: "About a0" });
    expect(readRows(join(cwd, "out.failed.ndjson"))).toMatchObject([{ error: { code: "missing_row_key" } }]);
  });

  test("commits what is answered when it is stopped, says so, and is completed by the next run", async () => {
    const cwd = folder();
    const server = await simulator({ latency: 40 });
    writeLines(join(cwd, "in.ndjson"), articles(150));
    const env = environment(server.url, "anthropic");
    const args = ["analyze", "in.ndjson", "-o", "out.db", "-c", "10"];
    const { child, ended } = startCli([...args, "--report", "report.json"], { cwd, env, input: "" });
    while ((await server.stats()).requests < 40) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGTERM");
    const { code, stderr } = await ended;
    expect(code).toBe(143);
    expect(stderr).toContain("The rows committed so far are in out.db; run it again to have them all.");
    const { written: told } = JSON.parse(readFileSync(join(cwd, "report.json"), "utf8"));
    expect(told).toBeGreaterThan(20);
    expect(ask(join(cwd, "out.db"), "SELECT count(*) c FROM records")).toEqual([{ c: told }]);
    expect((await cli(args, { cwd, env })).code).toBe(0);
    expect(ask(join(cwd, "out.db"), "SELECT count(DISTINCT id) c FROM records")).toEqual([{ c: 150 }]);
  });

  test.each<[string[], RegExp]>([
    [["-o", "out.ndjson", "--table", "t"], /--table is for a database: give an --output that ends in \.db/],
    [["--key", "url"], /--key is for a database/],
    [["-o", "out.db", "--columns", "id"], /--columns is for CSV/],
    [["-o", "in.db"], /in\.db: it is no SQLite database/],
    [["-o", "out.db", "--dead-letters", "out.db"], /[Tt]he output and the dead letters are the same file/],
    [["--dead-letters", "failed.db"], /Dead letters cannot go to a database/],
    [["-o", "out.db.gz"], /a database is not compressed/],
  ])("%j is refused before anything is written", async (args, message) => {
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), articles(1));
    writeFileSync(join(cwd, "in.db"), "text, and no database");
    const ended = await cli(["analyze", "in.ndjson", "--provider", "local", ...args], { cwd });
    expect(ended.stderr).toMatch(message);
    expect([ended.code, ended.stdout]).toEqual([2, ""]);
    expect(readdirSync(cwd).sort()).toEqual(["in.db", "in.ndjson"]);
  });

  test("refuses a folder that may not be written", async ({ skip }) => {
    // To root nothing is forbidden.
    if (process.getuid?.() === 0) skip();
    const cwd = folder();
    chmodSync(cwd, 0o500);
    expect(await caught(pipeline(numbered(1), write(join(cwd, "out.db"))))).toMatchObject({ code: "invalid_option" });
  });
});
