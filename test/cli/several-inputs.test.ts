/** Several inputs and patterns on the command line. */

import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { articles, cli, environment, folder, readRows, rows, simulator, writeLines } from "../support.ts";

const LOCAL = ["--provider", "local", "-q"];

function prepared(): string {
  const cwd = folder();
  mkdirSync(join(cwd, "data/deep"), { recursive: true });
  writeLines(join(cwd, "a.ndjson"), [{ id: "a1", content: "A storm hit Oslo." }, "broken"]);
  writeFileSync(join(cwd, "b.csv.gz"), gzipSync("id,content\nb1,The sun shone.\n"));
  writeFileSync(join(cwd, "data/two.json"), '[{"id":"d2","content":"Rain."}]');
  writeFileSync(join(cwd, "data/deep/one.json"), '[{"id":"d1","content":"Snow."}]');
  return cwd;
}

test("files, patterns and stdin come out as one, in the order given, with the place of each in the dead letters", async () => {
  const cwd = prepared();
  const args = ["analyze", "b.csv.gz", "data/**/*.json", "-", "a.ndjson", "-o", "out.ndjson", "--max-failures", "2"];
  const ended = await cli([...args, ...LOCAL], { cwd, input: '{"id":"s1","content":"Fog."}\nno\n' });
  expect(ended).toMatchObject({ code: 0, stdout: "", stderr: "" });
  expect(readRows(join(cwd, "out.ndjson")).map(({ id }) => id)).toEqual(["b1", "d1", "d2", "s1", "a1"]);
  expect(readRows(join(cwd, "out.failed.ndjson")).map(({ source }) => [source?.file, source?.line])).toEqual([
    ["-", 2],
    ["a.ndjson", 2],
  ]);
});

test("what is wrong with any of them is exit 2, told in one line, before anything is sent", async () => {
  const cwd = prepared();
  symlinkSync("a.ndjson", join(cwd, "link.ndjson"));
  const server = await simulator();
  const env = environment(server.url, "anthropic");
  const mistakes: [string[], string][] = [
    [["a.ndjson", "gone.ndjson"], "Cannot read gone.ndjson: there is no such file."],
    [["a.ndjson", "*.xml"], "Cannot read *.xml: there is no such file, and as a pattern it matches none."],
    [["a.ndjson", "data"], "Cannot read data: it is a directory. Name its files, as data/*.json."],
    [["b.csv.gz", "a.ndjson", "-o", "link.ndjson"], "The input and the output are the same file: link.ndjson."],
    [["b.csv.gz", "*.ndjson", "-o", "a.ndjson"], "The input and the output are the same file"],
  ];
  for (const [args, message] of mistakes) {
    const ended = await cli(["analyze", ...args], { cwd, env });
    expect([ended.code, ended.stdout, ended.stderr.trim().split("\n").length]).toEqual([2, "", 1]);
    expect(ended.stderr).toContain(message);
  }
  expect((await server.stats()).requests).toBe(0);
});

test("a fault in the second file is exit 3 and names it; what came before is kept", async () => {
  const cwd = folder();
  writeLines(join(cwd, "a.ndjson"), articles(3));
  const good = articles(2).map((each) => JSON.stringify(each));
  writeFileSync(join(cwd, "b.json"), `[${good.join(",")},{"id":`);
  const ended = await cli(["analyze", "a.ndjson", "b.json", "-o", "out.ndjson", "--provider", "local"], { cwd });
  expect(ended.code).toBe(3);
  expect(ended.stderr).toContain("Reading b.json failed");
  expect(ended.stderr).toContain("5 written");
  expect(existsSync(join(cwd, "out.ndjson"))).toBe(false);
  expect(readRows(join(cwd, "out.ndjson.partial"))).toHaveLength(5);
});

test("--skip and --limit count over all inputs, and --from is for all of them", async () => {
  const cwd = folder();
  writeFileSync(join(cwd, "a.txt"), "id,content\n1,Rain.\n2,Snow.\n");
  writeFileSync(join(cwd, "b.txt"), "id,content\n3,Sun.\n4,Fog.\n");
  const args = ["analyze", "a.txt", "b.txt", "--from", "csv", "--skip", "1", "--limit", "2", ...LOCAL];
  const { code, stdout } = await cli(args, { cwd });
  expect(code).toBe(0);
  expect(rows(stdout).map(({ id }) => id)).toEqual(["2", "3"]);
});

test("a file whose name looks like a pattern is that file", async () => {
  const cwd = folder();
  writeLines(join(cwd, "a[1].ndjson"), [{ id: "literal", content: "Rain." }]);
  writeLines(join(cwd, "a1.ndjson"), [{ id: "other", content: "Sun." }]);
  const { stdout } = await cli(["analyze", "a[1].ndjson", ...LOCAL], { cwd });
  expect(rows(stdout).map(({ id }) => id)).toEqual(["literal"]);
});
