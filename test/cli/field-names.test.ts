/** Records whose fields have other names than ours: one command analyses them, and the error before it says which. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { cli, environment, folder, readRows, rows, simulator, writeLines } from "../support.ts";

const LOCAL = ["--provider", "local", "-q"];

const ITEMS = [
  {
    guid: 7,
    headline: "Storm",
    text: { body: "A storm hit Oslo on Monday night." },
    link: "u7",
    author: { name: "Ada" },
  },
  { guid: 8, headline: "Sun", text: { body: "The sun came out over Bergen." }, link: "u8", author: { name: "Bo" } },
];
const COMING = ITEMS.map(({ guid, headline, link, author }) => ({
  id: guid,
  title: headline,
  url: link,
  "author.name": author.name,
}));

const FORMATS: Record<string, { readonly name: string; readonly content: string | Buffer; readonly args: string[] }> = {
  "a nested JSON export": {
    name: "export.json",
    content: JSON.stringify({ export: { version: 2, tags: ["x"], articles: ITEMS } }),
    args: ["--path", "export.articles"],
  },
  NDJSON: {
    name: "posts.ndjson.gz",
    content: gzipSync(ITEMS.map((item) => `${JSON.stringify(item)}\n`).join("")),
    args: [],
  },
  CSV: {
    name: "posts.csv",
    content: `guid,headline,text.body,link,author.name\n${ITEMS.map(
      ({ guid, headline, text, link, author }) => `${guid},${headline},${text.body},${link},${author.name}\n`,
    ).join("")}`,
    args: [],
  },
};

for (const [what, { name, content, args }] of Object.entries(FORMATS)) {
  test(`${what} with field names of its own: the error names them, and the command that it leads to works`, async () => {
    const cwd = folder();
    writeFileSync(join(cwd, name), content);
    const server = await simulator();
    const env = environment(server.url, "anthropic");
    const first = await cli(["analyze", name, ...args], { cwd, env });
    expect(first).toMatchObject({ code: 2, stdout: "" });
    expect(first.stderr).toContain("It has: guid, headline, text.body, link, author.name.");
    expect(first.stderr).toContain("as --map content=text.body ");
    expect(first.stderr).not.toContain("storm");
    expect((await server.stats()).requests).toBe(0);

    const map = "content=text.body,title=headline,url=link,id=guid";
    const second = await cli(["analyze", name, ...args, "--map", map, "--keep", "author.name", ...LOCAL], { cwd });
    expect([second.code, second.stderr]).toEqual([0, ""]);
    const csv = name.endsWith(".csv");
    expect(rows(second.stdout)).toMatchObject(COMING.map((row) => (csv ? { ...row, id: String(row.id) } : row)));
    expect(rows(second.stdout)[0]?.analysis.summary).toContain("storm hit Oslo");
  });
}

test("a JSON export without --path, and with one that breaks, leads to the right one", async () => {
  const cwd = folder();
  writeFileSync(join(cwd, "export.json"), FORMATS["a nested JSON export"]?.content ?? "");
  const told = async (...args: string[]) => {
    const { code, stderr } = await cli(["analyze", "export.json", ...args, ...LOCAL], { cwd });
    expect(code).toBe(2);
    return stderr;
  };
  expect(await told()).toContain("There is an array in it: --path export.articles");
  expect(await told("--path", "export.items")).toContain(`At "export" there are: version, tags, articles.`);
});

test("records that do not lie as their file's ending says lead to the format that they have", async () => {
  const cwd = folder();
  writeLines(join(cwd, "lines.json"), [{ content: "Rain fell." }, { content: "It stopped." }]);
  const lines = await cli(["analyze", "lines.json", ...LOCAL], { cwd });
  expect(lines).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("One object a line is NDJSON: --from ndjson"),
  });
  expect((await cli(["analyze", "lines.json", "--from", "ndjson", ...LOCAL], { cwd })).code).toBe(0);

  writeLines(join(cwd, "array.ndjson"), [[{ content: "Rain fell." }]]);
  expect((await cli(["analyze", "array.ndjson", ...LOCAL], { cwd })).code).toBe(1);
  expect(readRows(join(cwd, "dead-letters.ndjson"))[0]?.error.message).toContain("--from json");
  expect((await cli(["analyze", "array.ndjson", "--from", "json", ...LOCAL], { cwd })).code).toBe(0);

  const packed = await cli(["analyze", "array.ndjson", "-o", "out.db.gz", ...LOCAL], { cwd });
  expect(packed).toMatchObject({ code: 2, stderr: expect.stringContaining("out.db.gz: a database is not compressed") });
});

test("a column with a space in its name is told as it must be typed", async () => {
  const cwd = folder();
  writeFileSync(join(cwd, "a.csv"), "Nr,Body Text\n1,A storm hit Oslo.\n");
  const { stderr } = await cli(["analyze", "a.csv", ...LOCAL], { cwd });
  expect(stderr).toContain('It has: Nr, Body Text. Say which one holds the text, as --map "content=Body Text" ');
  expect((await cli(["analyze", "a.csv", "--map", "content=Body Text", ...LOCAL], { cwd })).code).toBe(0);
});

describe("a field that is to come out again and that no record has", () => {
  const kept = ["--keep", "author.nam,link", "--map", "content=text.body,title=hedline"];
  const WARNING = [
    'millrace: Fields to keep (--keep) that none of the 2 records has: "author.nam" (did you mean "author.name"?). They have: guid, headline, text.body, link, author.name.',
    'millrace: Fields mapped to others (--map) that none of the 2 records has: "hedline" (did you mean "headline"?). They have: guid, headline, text.body, link, author.name.',
  ];

  test("is told with those that there are, by a run and by what goes before one", async () => {
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), ITEMS);
    for (const args of [["analyze"], ["analyze", "-n"], ["estimate"]]) {
      const ended = await cli([...args, "in.ndjson", "--provider", "local", ...kept], { cwd });
      expect(ended.code).toBe(0);
      expect(ended.stderr.split("\n").filter((line) => line.startsWith("millrace:"))).toEqual(WARNING);
    }
    const quiet = await cli(["analyze", "in.ndjson", ...LOCAL, ...kept], { cwd });
    expect([quiet.code, quiet.stderr]).toEqual([0, ""]);
  });

  test("is told after the first hundred; what only a later one has is not missed, and null is something", async () => {
    const cwd = folder();
    const many = Array.from({ length: 150 }, (_, index) => ({
      content: "Rain fell on Lima.",
      mark: null,
      ...(index === 99 && { late: 1 }),
      ...(index === 120 && { later: 1 }),
    }));
    writeLines(join(cwd, "in.ndjson"), many);
    const { stderr } = await cli(["analyze", "in.ndjson", "--provider", "local", "--keep", "mark,late,later"], { cwd });
    expect(stderr.match(/^millrace:.*/gm)).toEqual([
      'millrace: Fields to keep (--keep) that none of the first 100 records has: "later" (did you mean "late"?). They have: content, mark, late.',
    ]);
  });
});
