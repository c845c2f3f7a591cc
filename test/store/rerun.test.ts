/** The same command again: after success, growth, a signal, a store that fails. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import {
  articles,
  cli,
  environment,
  folder,
  readRows,
  rows,
  type simulator as Simulator,
  simulator,
  startCli,
  writeLines,
} from "../support.ts";

type Server = Awaited<ReturnType<typeof Simulator>>;

const ARGS = ["analyze", "in.ndjson", "-o", "out.ndjson"];

async function prepared(count: number, latency = 0) {
  const cwd = folder();
  writeLines(join(cwd, "in.ndjson"), articles(count, 5));
  const server = await simulator({ latency });
  const run = (...flags: string[]) => cli([...ARGS, ...flags], { cwd, env: environment(server.url, "openai") });
  return { cwd, server, run, out: () => readFileSync(join(cwd, "out.ndjson"), "utf8") };
}

const requests = async (server: Server) => (await server.stats()).requests;

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("the same command again", () => {
  test("costs nothing and writes the same bytes; a longer input costs what is new; --fresh and --no-store cost all", async () => {
    const { cwd, server, run, out } = await prepared(30);
    expect((await run("--report", "first.json")).code).toBe(0);
    const first = out();
    const again = await run("--report", "again.json");
    expect(again).toMatchObject({ code: 0, stdout: "" });
    expect(again.stderr).toContain("30 of the records needed no call");
    expect(again.stderr).not.toMatch(/Warning/);
    expect([out(), await requests(server)]).toEqual([first, 30]);
    const report = JSON.parse(readFileSync(join(cwd, "again.json"), "utf8"));
    expect(report).toMatchObject({ cached: 30, requests: 0, usage: { inputTokens: 0, outputTokens: 0 } });
    writeLines(join(cwd, "in.ndjson"), articles(40, 5));
    expect((await run()).code).toBe(0);
    expect(await requests(server)).toBe(40);
    expect((await run("--fresh")).code).toBe(0);
    expect(await requests(server)).toBe(80);
    expect((await run("--no-store")).code).toBe(0);
    expect(await requests(server)).toBe(120);
    expect(out().startsWith(first)).toBe(true);
  });

  test("pays once for equal articles: 50 calls for 150 lines of 50, forty at a time", async () => {
    const { cwd, server, run } = await prepared(1, 20);
    const fifty = articles(50, 5);
    writeLines(join(cwd, "in.ndjson"), [...fifty, ...fifty, ...fifty]);
    expect((await run("-c", "40")).code).toBe(0);
    expect(await requests(server)).toBe(50);
    expect(readRows(join(cwd, "out.ndjson"))).toHaveLength(150);
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`after ${signal} pays for nothing twice: calls within the grace were kept`, async () => {
      const { cwd, server, run } = await prepared(80, 150);
      const { child, ended } = startCli([...ARGS, "-c", "8"], {
        cwd,
        env: environment(server.url, "openai"),
        input: "",
      });
      await until(async () => (await server.stats()).answered >= 16);
      child.kill(signal);
      expect((await ended).code).toBe(signal === "SIGINT" ? 130 : 143);
      const kept = readRows(join(cwd, "out.ndjson.partial")).length;
      expect(kept).toBeGreaterThanOrEqual(16);
      expect(kept).toBe(await requests(server));
      expect((await run()).code).toBe(0);
      expect(await requests(server)).toBe(80);
      expect(readRows(join(cwd, "out.ndjson")).map((row) => row.id)).toEqual(articles(80).map(({ id }) => id));
    });
  }

  test("after a store that failed to write goes on from what was stored", async () => {
    const { cwd, server, run } = await prepared(40);
    await cli([...ARGS, "--limit", "10"], { cwd, env: environment(server.url, "openai") });
    const sql = (text: string) => {
      const database = new DatabaseSync(join(cwd, ".millrace/responses.db"));
      database.exec(text);
      database.close();
    };
    sql("CREATE TRIGGER no BEFORE INSERT ON answers BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END");
    const failed = await run("-c", "4");
    expect(failed.code).toBe(3);
    expect(failed.stderr).toContain("disk is full");
    expect(readRows(join(cwd, "out.ndjson.partial")).length).toBeLessThanOrEqual(10);
    const before = await requests(server);
    sql("DROP TRIGGER no");
    expect((await run()).code).toBe(0);
    expect((await requests(server)) - before).toBe(30);
  });

  test("finds a damaged store, says so, and goes on with a new one", async () => {
    const { cwd, run, out } = await prepared(5);
    await run();
    const first = out();
    writeLines(join(cwd, ".millrace/responses.db"), ["no database any more"]);
    const again = await run();
    expect(again.code).toBe(0);
    expect(again.stderr).toMatch(/The store .*responses\.db is damaged .*set aside as .*responses\.db\.damaged-/);
    expect(out()).toBe(first);
    expect(readdirSync(join(cwd, ".millrace")).filter((name) => name.includes("damaged"))).toHaveLength(1);
  });

  test("of two at once, on one store, both end well and pay for little more than one", async () => {
    const { cwd, server } = await prepared(60, 20);
    const env = environment(server.url, "openai");
    const runs = ["a", "b"].map((name) => cli(["analyze", "in.ndjson", "-o", `${name}.ndjson`], { cwd, env }));
    for (const { code } of await Promise.all(runs)) expect(code).toBe(0);
    expect(readFileSync(join(cwd, "a.ndjson"))).toEqual(readFileSync(join(cwd, "b.ndjson")));
    expect(await requests(server)).toBeLessThanOrEqual(120);
    await cli(["analyze", "in.ndjson", "-o", "c.ndjson"], { cwd, env });
    expect(readFileSync(join(cwd, "c.ndjson"))).toEqual(readFileSync(join(cwd, "a.ndjson")));
  });

  test("leaves no store behind where nothing costs anything", async () => {
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), articles(2));
    expect((await cli([...ARGS, "--provider", "local"], { cwd })).code).toBe(0);
    expect(existsSync(join(cwd, ".millrace"))).toBe(false);
  });

  test("refuses --retry-failed without a store, and a store that is the output", async () => {
    const { run } = await prepared(1);
    expect((await run("--no-store", "--retry-failed")).code).toBe(2);
    expect((await run("--store", "out.ndjson")).code).toBe(2);
  });
});

describe("millrace store", () => {
  test("counts, exports without keys or prompts, and prunes what is old", async () => {
    const { cwd, run } = await prepared(12);
    await run();
    const store = async (...args: string[]) => {
      const ended = await cli(["store", ...args], { cwd });
      expect(ended).toMatchObject({ code: 0, stderr: "" });
      return ended.stdout;
    };
    const stats = JSON.parse(await store("stats", "--json"));
    expect(stats).toMatchObject({ path: ".millrace/responses.db", answers: 12, bytes: expect.any(Number) });
    expect(stats.models).toMatchObject([{ provider: "openai", answers: 12, inputTokens: expect.any(Number) }]);
    expect(stats.models[0].outputTokens).toBeGreaterThan(0);
    expect(await store("stats")).toContain("12 answers");
    const exported = rows(await store("export")) as unknown as Record<string, unknown>[];
    expect(exported).toHaveLength(12);
    expect(exported[0]).toMatchObject({ provider: "openai", finishReason: "stop", text: expect.any(String) });
    expect(JSON.stringify(exported)).not.toMatch(/sk-secret|several plain words/);
    expect(await store("prune", "--older-than", "1d")).toBe("0 answers pruned.\n");
    expect(await store("prune", "--older-than", "0ms")).toBe("12 answers pruned.\n");
    expect(JSON.parse(await store("stats", "--json"))).toMatchObject({ answers: 0, oldest: null, models: [] });
  });

  test("says what is wrong in one line and exits 2", async () => {
    const cwd = folder();
    writeLines(join(cwd, "text.db"), ["no database"]);
    for (const args of [
      ["stats"],
      ["prune"],
      ["prune", "--older-than", "soon"],
      ["stats", "--store", "text.db"],
      ["x"],
    ]) {
      const { code, stderr, stdout } = await cli(["store", ...args], { cwd });
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).not.toContain("    at ");
    }
  });
});
