/** Inputs of every format on the command line. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { cli, folder, rows } from "../support.ts";

const LOCAL = ["--provider", "local", "-q"];

test("a nested JSON export is read with --path, from a pipe with --from, and compressed as it is", async () => {
  const cwd = folder();
  const text = JSON.stringify({ data: { articles: [{ guid: "a", body: "A storm hit Oslo." }] } });
  writeFileSync(join(cwd, "in.json.gz"), gzipSync(text));
  const args = ["--path", "data.articles", "--map", "content=body,id=guid", ...LOCAL];
  const file = await cli(["analyze", "in.json.gz", ...args], { cwd });
  const pipe = await cli(["analyze", "-", "--from", "json", ...args], { cwd, input: text });
  for (const { code, stdout, stderr } of [file, pipe]) {
    expect([code, stderr]).toEqual([0, ""]);
    expect(rows(stdout)).toMatchObject([{ id: "a" }]);
  }
});

test("a path that matches nothing is wrong usage, and names what there is", async () => {
  const cwd = folder();
  writeFileSync(join(cwd, "in.json"), '{"data":[]}');
  const { code, stderr } = await cli(["analyze", "in.json", "--path", "items", ...LOCAL], { cwd });
  expect(code).toBe(2);
  expect(stderr).toContain('The path "items" matches nothing. There are: data.');
});

test("a ragged row of CSV is a dead letter; the others are analysed", async () => {
  const cwd = folder();
  writeFileSync(join(cwd, "in.csv"), 'id,content\n1,"A storm, at last, hit Oslo."\n2\n3,Sun\n');
  const { code, stdout } = await cli(["analyze", "in.csv", "--max-failures", "1", ...LOCAL], { cwd });
  expect(code).toBe(0);
  expect(rows(stdout).map(({ id }) => id)).toEqual(["1", "3"]);
});
