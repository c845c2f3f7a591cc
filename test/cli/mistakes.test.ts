/** What is wrong is told in the user's own words, and what is only looked at ends quietly. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { articles, cli, environment, folder, KEY, simulator, startCli, writeLines } from "../support.ts";

const local = ["--provider", "local"];

function prepared(): string {
  const cwd = folder();
  writeLines(join(cwd, "in.ndjson"), articles(6));
  writeFileSync(join(cwd, "ask.txt"), "About what is {{title}}?");
  return cwd;
}

test.each([
  ["the help", ["analyze", "--help"]],
  ["the configuration", ["analyze", "--print-config"]],
  ["an estimate", ["estimate", "in.ndjson", ...local]],
])("%s ends quietly when its reader has left", async (_, args) => {
  const { child, ended } = startCli(args, { cwd: prepared(), input: "" });
  child.stdout.destroy();
  expect(await ended).toMatchObject({ code: 0, stderr: "" });
});

test("each mistake names what was typed and says where to look", async () => {
  const cwd = prepared();
  writeFileSync(join(cwd, "odd.json"), '{"type":"objekt"}');
  writeFileSync(join(cwd, "list.json"), "[1]");
  const asked = ["analyze", "in.ndjson", "--prompt", "ask.txt"];
  const env = { ANTHROPIC_API_KEY: KEY };
  const told: readonly [readonly string[], RegExp, Record<string, string>?][] = [
    [["analyze", "--limt", "3"], /^millrace: .*'--limt'\n\(Did you mean --limit\?\)\n`millrace analyze --help`/],
    [["store", "prune"], /^millrace: .*--older-than.*\n`millrace store prune --help`/],
    [[...asked, "--schema", "odd.json"], /^millrace: --schema odd\.json is not a valid JSON Schema/],
    [[...asked, "--schema", "list.json"], /^millrace: --schema list\.json must hold a JSON Schema/],
    [
      ["analyze", "in.ndjson", "--prompt", "no.txt"],
      /^millrace: Cannot read --prompt no\.txt: there is no such file\.\n$/,
    ],
    [["analyze", "in.ndjson", "--store", ""], /^millrace: --store takes a path\.\n$/],
    [["analyze", "in.ndjson", ...local, "-o", "."], /^millrace: Cannot write \.: it is a directory\.\n$/],
    [["analyze", "in.ndjson", "--base-url", "nowhere"], /^millrace: --base-url .*https:\/\/api\.anthropic\.com/],
    [["analyze", "in.ndjson"], /^millrace: ANTHROPIC_BASE_URL must be/, { ANTHROPIC_BASE_URL: "nowhere" }],
    [["analyze", "in.ndjson", ...local, "-o", "out.xml"], /^millrace: .*"\.xml" is not supported/],
    [["check", "--provider", "mistral"], /^millrace: .* Set MISTRAL_API_KEY in the environment\.\n$/],
  ];
  const ends = await Promise.all(told.map(async ([args, , more]) => cli(args, { cwd, env: { ...env, ...more } })));
  for (const [index, { code, stdout, stderr }] of ends.entries()) {
    expect([code, stdout, stderr]).toEqual([2, "", expect.stringMatching(told[index]?.[1] ?? /^$/)]);
  }
});

test("a simulator that cannot listen says why, and is no bug", async () => {
  const server = await simulator();
  const ended = await cli(["simulate", "--port", String(server.port)], { cwd: folder() });
  expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(/port is in use.*--port/) });
});

test("a key that was never good costs nothing, not even at most", async () => {
  const cwd = prepared();
  const server = await simulator({ apiKeys: ["another"], latency: 50 });
  const args = ["analyze", "in.ndjson", "-o", "out.ndjson", "-c", "6"];
  const ended = await cli(args, { cwd, env: environment(server.url, "anthropic") });
  expect(ended.code).toBe(3);
  expect(ended.stderr).toMatch(/cost +\$0\.00\n/);
  expect(ended.stderr).not.toContain("perhaps billed");
});

test("a dry run with --json is one event, with the estimate and the first question", async () => {
  const args = ["analyze", "-n", "in.ndjson", "--json", "--provider", "openai", "--rpm", "2"];
  const ended = await cli(args, { cwd: prepared() });
  expect([ended.code, ended.stdout]).toEqual([0, ""]);
  expect(JSON.parse(ended.stderr)).toMatchObject({
    event: "estimate",
    requests: 6,
    // The first at once, each other half a minute later.
    atLeastMs: 150_000,
    firstRequest: { source: { line: 1 }, messages: [{ role: "user" }] },
  });
});

test("a file of the user's own that is named as the store stays as it is", async () => {
  const cwd = prepared();
  const mine = writeLines(join(cwd, "mine.ndjson"), ["my only copy"]);
  const env = environment("http://127.0.0.1:9", "anthropic");
  const ended = await cli(["analyze", "in.ndjson", "--store", "mine.ndjson"], { cwd, env });
  expect(ended).toMatchObject({
    code: 2,
    stderr: "millrace: The store mine.ndjson is a file of another kind. Give another place with --store.\n",
  });
  expect(readFileSync(mine, "utf8")).toBe("my only copy\n");
  expect(readdirSync(cwd).toSorted()).toEqual(["ask.txt", "in.ndjson", "mine.ndjson"]);
});

test("an input without a record is no fault, but is said", async () => {
  const cwd = prepared();
  const said = /No record was read: the input has none, or --skip passed over all of them\.\n$/;
  const empty = await cli(["analyze", ...local], { cwd });
  const skipped = await cli(["analyze", "in.ndjson", "--skip", "6", ...local], { cwd });
  for (const ended of [empty, skipped]) {
    expect(ended).toMatchObject({ code: 0, stdout: "", stderr: expect.stringMatching(said) });
  }
  expect((await cli(["analyze", "in.ndjson", ...local], { cwd })).stderr).not.toMatch(said);
});

test("an output that cannot be written is named before the dead letters beside it", async () => {
  const cwd = prepared();
  writeFileSync(join(cwd, "file"), "");
  const ended = await cli(["analyze", "in.ndjson", ...local, "-o", "file/out.ndjson"], { cwd });
  expect(ended).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^millrace: Cannot write file\/out\.ndjson: .*\.\n$/),
  });
});
