/** Rows into Postgres. */

import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { pipeline } from "../../src/pipeline.ts";
import { DatabaseSink } from "../../src/sinks/database.ts";
import { PostgresTable } from "../../src/sinks/postgres.ts";
import { type WriteOptions, write } from "../../src/sinks/write.ts";
import { caught, letterBox, numbered, turns } from "../streams.ts";
import { articles, cli, folder, TIMED, writeLines } from "../support.ts";
import { type PostgresServer, postgresServer } from "./postgres-server.ts";

const SECRET = "pa55-marker";

let server: PostgresServer;
beforeAll(async () => {
  vi.stubEnv("PGPASSWORD", "postgres");
  server = await postgresServer();
}, 60_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await server.close();
});

let tables = 0;
/** A table of the test's own. */
const fresh = () => `t${++tables}`;

const ask = async (sql: string): Promise<unknown[]> => (await server.database.query(sql)).rows;

async function written(table: string, records: readonly unknown[], options: WriteOptions = {}) {
  const { letters, stream: deadLetters } = letterBox();
  const report = await pipeline(records, write(server.url, { table, ...options }), { deadLetters });
  return { report, letters };
}

describe("write to postgres://", () => {
  test("makes a row of each record: text, numbers of any length, booleans, nothing, and what is nested as jsonb", async () => {
    const table = fresh();
    const { report } = await written(table, [
      { id: "a", n: 1, x: 0.1, yes: true, none: null, list: [1, { b: "it's" }] },
      { id: "b", n: "12345678901234567890", x: 5e300, late: { a: null }, text: "é\u{1f600}\n" },
    ]);
    expect(report.written).toBe(2);
    expect(await ask(`SELECT *, n::text n, x = 5e300 x FROM ${table} ORDER BY id`)).toEqual([
      { id: "a", n: "1", x: false, yes: true, list: [1, { b: "it's" }], late: null, text: null, none: null },
      {
        id: "b",
        n: "12345678901234567890",
        x: true,
        yes: null,
        list: null,
        late: { a: null },
        text: "é\u{1f600}\n",
        none: null,
      },
    ]);
    const types = await ask(
      `SELECT column_name n, data_type t FROM information_schema.columns WHERE table_name = '${table}'`,
    );
    expect(Object.fromEntries((types as { n: string; t: string }[]).map(({ n, t }) => [n, t]))).toEqual({
      id: "text",
      n: "text",
      x: "numeric",
      yes: "boolean",
      list: "jsonb",
      late: "jsonb",
      text: "text",
      none: "text",
    });
  });

  test("puts a record in the place of the row with its key, several with one key in a batch too", async () => {
    const table = fresh();
    for (let run = 0; run < 2; run++) await written(table, numbered(1_200));
    expect(await ask(`SELECT count(*)::int c, sum(id)::int s FROM ${table}`)).toEqual([{ c: 1_200, s: 719_400 }]);
    const other = fresh();
    const { report } = await written(
      other,
      [{ url: "u", a: 1, b: 2 }, { url: "u", b: 3 }, { url: "v" }, { url: "v" }],
      {
        key: "url",
      },
    );
    expect(report.written).toBe(4);
    expect(await ask(`SELECT url, a::int, b::int FROM ${other} ORDER BY url`)).toEqual([
      { url: "u", a: 1, b: 3 },
      { url: "v", a: null, b: null },
    ]);
  });

  test("takes any names for its columns, its table and its key, and a schema before the table", async () => {
    await ask(`CREATE SCHEMA "my ""schema"`);
    const name = `a "b"; DROP TABLE x; -- é`;
    const record = JSON.parse(`{ "__proto__": 1, "SELECT": 5, "Title": "T", "title": "t", "x'$1": "y" }`);
    await written(`my "schema.${name}`, [Object.assign(record, { [name]: "k" })], { key: name });
    const [row] = await ask(`SELECT * FROM "my ""schema"."${name.replaceAll('"', '""')}"`);
    expect(Object.entries(row as object)).toEqual([
      ["__proto__", "1"],
      ["SELECT", "5"],
      ["Title", "T"],
      ["title", "t"],
      ["x'$1", "y"],
      [name, "k"],
    ]);
  });

  test("sends to the dead letters what cannot be a row, without repeating a value, and writes the others", async () => {
    const table = fresh();
    const { report, letters } = await written(table, [
      { id: "1", n: 1, j: {}, b: true },
      { title: "no id" },
      { id: "2", text: `a\0${SECRET}` },
      { id: "3", j: { a: `\0${SECRET}` } },
      { id: "4", "": 1 },
      { id: "5", ["x".repeat(64)]: 1 },
      { id: "6", ctid: 1 },
      { id: "7", text: "half \ud83d" },
      { id: "8".repeat(1_000_000).replace(/8/g, () => String(Math.floor(Math.random() * 10))), n: 2 },
      { id: "9", n: 3 },
    ]);
    expect(await ask(`SELECT id FROM ${table} ORDER BY id`)).toEqual([{ id: "1" }, { id: "9" }]);
    expect(report).toMatchObject({ written: 2, deadLettered: 8, unfinished: 0 });
    const messages = letters.map(({ error }) => error.message).join("\n");
    for (const told of [
      /NUL in "text"/,
      /refused by Postgres: unsupported Unicode/,
      /without a name/,
      /more than 63 bytes/,
      /"ctid"/,
    ]) {
      expect(messages).toMatch(told);
    }
    expect(messages).not.toContain(SECRET);
    const { letters: later } = await written(table, [
      { id: "1", n: "007" },
      { id: "9", b: "maybe" },
      { id: "9", n: "12" },
    ]);
    expect(later.map(({ error }) => error.message)).toEqual([
      expect.stringMatching(/text in "n", a column of numeric\. Make the column text/),
      expect.stringMatching(/text in "b", a column of boolean/),
    ]);
    expect(await ask(`SELECT n::int FROM ${table} WHERE id = '9'`)).toEqual([{ n: 12 }]);
  });

  test("uses a table that is there, of any types, adds columns to it, and isolates the rows that it refuses", async () => {
    const table = fresh();
    await ask(
      `CREATE TABLE ${table} (id uuid PRIMARY KEY, at timestamptz, tags text[], n int CHECK (n < 10), mine text DEFAULT 'm')`,
    );
    const id = (at: number) => `00000000-0000-0000-0000-00000000000${at}`;
    const { letters } = await written(table, [
      { id: id(1), at: "2026-01-02T03:04:05Z", tags: ["a", 'b"c', null], n: 5 },
      { id: id(2), n: 50 },
      { id: "no uuid", n: 1 },
      { id: id(3), at: "yesterday-ish" },
      { id: id(4), n: 1.5 },
      { id: id(5), more: true },
    ]);
    expect(
      await ask(`SELECT id, at = '2026-01-02 03:04:05+00' AS "at", tags, n, mine, more FROM ${table} ORDER BY id`),
    ).toEqual([
      { id: id(1), at: true, tags: ["a", 'b"c', null], n: 5, mine: "m", more: null },
      { id: id(5), at: null, tags: null, n: null, mine: "m", more: true },
    ]);
    expect(letters).toHaveLength(4);
    expect(letters.map(({ error }) => error.message).join()).not.toMatch(/no uuid|yesterday/);
  });

  test("shares a table that another run has made meanwhile", async () => {
    const table = fresh();
    const sink = new DatabaseSink(new PostgresTable(server.url, { table, key: "id" }));
    await sink.prepare();
    await ask(`CREATE TABLE ${table} (id text PRIMARY KEY, theirs text)`);
    await pipeline([{ id: "1", ours: "x" }], sink);
    expect(await ask(`SELECT * FROM ${table}`)).toEqual([{ id: "1", theirs: null, ours: "x" }]);
  });

  test("outlives a server that is stopped and started in the middle of a run: every row once", async () => {
    const table = fresh();
    const sink = write(server.url, { table });
    let outages = 0;
    async function* records() {
      for (const record of numbered(4_000)) {
        yield record;
        if (record.id % 1_000 !== 999) continue;
        await server.stop();
        outages++;
        setTimeout(() => void server.start(), 150);
      }
    }
    expect(await pipeline(records(), sink)).toMatchObject({ written: 4_000, deadLettered: 0 });
    expect(outages).toBe(4);
    expect(await ask(`SELECT count(*)::int c, count(DISTINCT id)::int d FROM ${table}`)).toEqual([
      { c: 4_000, d: 4_000 },
    ]);
  });

  test("gives a server that stays away up, says what to do, and keeps what was committed", async () => {
    const table = fresh();
    const sink = new DatabaseSink(new PostgresTable(server.url, { table, key: "id", longestOutage: 300 }));
    async function* records() {
      yield* numbered(600);
      while (sink.report.out < 500) await turns(1);
      await server.stop();
      yield* numbered(5_000);
    }
    const error = await caught(pipeline(records(), sink)).finally(() => server.start());
    expect(error.code).toBe("sink_failed");
    expect(error.message).toMatch(
      /^Writing postgres:\/\/postgres@127.*away for 0\.3 s.*ECONNREFUSED.*stay; run it again/,
    );
    const [{ c }] = (await ask(`SELECT count(*)::int c FROM ${table}`)) as [{ c: number }];
    expect(c).toBe(sink.report.out);
    expect(c).toBeGreaterThanOrEqual(500);
  });

  test("can be aborted at once while it waits for a server", TIMED, async () => {
    const abort = new AbortController();
    const table = new PostgresTable(server.url, { table: fresh(), key: "id" });
    const sink = new DatabaseSink(table);
    await sink.prepare();
    await server.stop();
    const run = caught(pipeline(numbered(600), sink, { signal: abort.signal }));
    while (!table.away) await turns(1);
    const since = performance.now();
    abort.abort();
    expect(await run).toMatchObject({ code: "aborted" });
    expect(performance.now() - since).toBeLessThan(200);
    await server.start();
  });

  test("refuses what cannot be written before anything is read", async () => {
    const [plain, view] = [fresh(), fresh()];
    await ask(`CREATE TABLE ${plain} (id text)`);
    await ask(`CREATE VIEW ${view} AS SELECT 1 AS id`);
    const away = server.url.replace(/:\d+\//, ":1/");
    const cases: [string, WriteOptions, RegExp][] = [
      [away, {}, /^Cannot write postgres:\/\/postgres@127\.0\.0\.1:1\/postgres: connect ECONNREFUSED/],
      [server.url, { table: plain }, /takes no upserts: .*CREATE UNIQUE INDEX ON "t\d+" \("id"\)/],
      [server.url, { table: plain, key: "url" }, /has no column "url"/],
      [server.url, { table: view }, /takes no upserts/],
      [server.url, { table: "nowhere.t" }, /there is no table "nowhere"\."t", and you may not make one there/],
    ];
    for (const [url, options, message] of cases) {
      let read = false;
      function* records() {
        read = true;
        yield { id: 1 };
      }
      const error = await caught(pipeline(records(), write(url, options)));
      expect(error).toMatchObject({ code: "invalid_option", message: expect.stringMatching(message) });
      expect(read).toBe(false);
    }
    for (const options of [{ table: "x".repeat(64) }, { table: "a." }, { key: "é".repeat(32) }]) {
      expect(() => write(server.url, options)).toThrow(/cannot be a name in Postgres: it takes 1 to 63 bytes/);
    }
  });

  test("never says a URL's password", async () => {
    const url = `postgres://me:${SECRET}@127.0.0.1:1/db?password=${SECRET}`;
    const error = await caught(pipeline(numbered(1), write(url)));
    expect(error.message).toContain("Cannot write postgres://me@127.0.0.1:1/db: ");
    expect(`${error.message}${error.stack}`).not.toContain(SECRET);
    const broken = await caught(Promise.resolve().then(() => write(`postgres://me:${SECRET}@[bad/db`)));
    expect(broken).toMatchObject({ code: "invalid_option" });
    expect(broken.message).not.toContain(SECRET);
  });
});

/** A server that asks for a password, tells it, and refuses it. */
async function doorkeeper() {
  const told: string[] = [];
  const asked = createServer((socket: Socket) => {
    let greeted = false;
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      if (greeted) {
        told.push(bytes.subarray(5, -1).toString());
        const reason = Buffer.from("SFATAL\0C28P01\0Mpassword authentication failed\0\0");
        const length = Buffer.alloc(4);
        length.writeInt32BE(reason.length + 4);
        socket.end(Buffer.concat([Buffer.from("E"), length, reason]));
      } else socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
      greeted = true;
    });
  });
  await new Promise<void>((resolve) => asked.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void asked.close());
  const { port } = asked.address() as { port: number };
  return { told, port };
}

describe("-o postgres://", () => {
  const place = () => {
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), [...articles(6), { content: "no id here" }]);
    const run = (args: string[], env: Record<string, string> = { PGPASSWORD: "postgres" }) =>
      cli(["analyze", "in.ndjson", "--provider", "local", ...args], { cwd, env });
    return { cwd, run };
  };

  test("fills a table, run after run, beside dead letters of the default name", async () => {
    const { cwd, run } = place();
    const table = fresh();
    for (let times = 0; times < 2; times++) {
      const { code, stdout, stderr } = await run(["-o", server.url, "--table", table]);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain(`output       ${server.url}`);
      expect(readdirSync(cwd).sort()).toEqual(["dead-letters.ndjson", "in.ndjson"]);
    }
    expect(await ask(`SELECT id, analysis->>'title' title FROM ${table} ORDER BY id`)).toEqual(
      articles(6).map(({ id, title }) => ({ id, title })),
    );
  });

  test("takes the password from PGPASSWORD or .pgpass", async () => {
    const { cwd, run } = place();
    const { told, port } = await doorkeeper();
    const url = `postgres://me@127.0.0.1:${port}/db`;
    const refused = await run(["-o", url], { PGPASSWORD: `${SECRET}-1` });
    const passfile = join(cwd, ".pgpass");
    writeFileSync(passfile, `127.0.0.1:${port}:db:me:${SECRET}-2\n`);
    chmodSync(passfile, 0o600);
    const again = await run(["-o", url], {});
    expect(told).toEqual([`${SECRET}-1`, `${SECRET}-2`]);
    for (const { code, stderr, stdout } of [refused, again]) {
      expect(code).toBe(2);
      expect(stderr).toContain(`Cannot write ${url}: password authentication failed`);
      expect(stderr + stdout).not.toContain(SECRET);
    }
  });

  test("refuses a password on the command line, without repeating it", async () => {
    const { cwd, run } = place();
    for (const url of [`postgres://me:${SECRET}@127.0.0.1:1/db`, `postgresql:///db?user=me&password=${SECRET}`]) {
      const { code, stderr, stdout } = await run(["-o", url]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/--output must not hold a password.*PGPASSWORD or ~\/\.pgpass/);
      expect(stderr + stdout).not.toContain(SECRET);
    }
    expect(readdirSync(cwd)).toEqual(["in.ndjson"]);
  });
});
