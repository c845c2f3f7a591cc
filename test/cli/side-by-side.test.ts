/** Runs that are alive at once in one folder, and files with several names. */

import { existsSync, linkSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { articles, cli, environment, folder, readRows, rows, simulator, startCli, writeLines } from "../support.ts";

const LOCAL = ["--provider", "local"];
const article = (id: string) => `${JSON.stringify({ id, content: "Some text about the river." })}\n`;

/** A run that reads from a pipe which stays open, once it has its place. */
async function waiting(args: readonly string[], { cwd, lock }: { cwd: string; lock: string }) {
  const run = startCli(["analyze", "-", ...LOCAL, ...args], { cwd });
  await expect.poll(() => existsSync(join(cwd, lock)), { timeout: 20_000 }).toBe(true);
  return run;
}

test("two runs that write to stdout have dead letters of their own, and the names are told", async () => {
  const cwd = folder();
  const first = await waiting([], { cwd, lock: "dead-letters.ndjson.lock" });
  const second = await cli(["analyze", "-", ...LOCAL], { cwd, input: `${article("b")}broken b\n` });
  expect(second.code).toBe(1);
  expect(second.stderr).toContain("dead-letters.2.ndjson says which and why");
  first.child.stdin.end(`${article("a")}broken a\n`);
  const ended = await first.ended;
  expect([ended.code, rows(ended.stdout).map(({ id }) => id)]).toEqual([1, ["a"]]);
  expect(readRows(join(cwd, "dead-letters.ndjson")).map(({ raw }) => raw)).toEqual(["broken a"]);
  expect(readRows(join(cwd, "dead-letters.2.ndjson")).map(({ raw }) => raw)).toEqual(["broken b"]);
  expect(readdirSync(cwd).filter((name) => name.endsWith(".lock"))).toEqual([]);
});

test("a run that names the dead letters of a live one is refused before anything is sent, failures or not", async () => {
  const cwd = folder();
  writeLines(join(cwd, "in.ndjson"), articles(3));
  const first = await waiting(["--dead-letters", "bad.ndjson"], { cwd, lock: "bad.ndjson.lock" });
  const server = await simulator();
  const args = ["analyze", "in.ndjson", "-o", "out.ndjson", "--dead-letters", "bad.ndjson"];
  const ended = await cli(args, { cwd, env: environment(server.url, "openai") });
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain(`bad.ndjson is being written by process ${first.child.pid}`);
  expect((await server.stats()).requests).toBe(0);
  first.child.stdin.end(article("a"));
  expect((await first.ended).code).toBe(0);
  expect(readdirSync(cwd).filter((name) => name.includes("bad"))).toEqual([]);
});

test("an output that is the input under another name is refused", async () => {
  const cwd = folder();
  writeLines(join(cwd, "in.ndjson"), articles(3));
  linkSync(join(cwd, "in.ndjson"), join(cwd, "other.ndjson"));
  const ended = await cli(["analyze", "in.ndjson", "-o", "other.ndjson", ...LOCAL], { cwd });
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain("The input and the output are the same file: other.ndjson.");
  expect(readRows(join(cwd, "other.ndjson"))).toHaveLength(3);
});
