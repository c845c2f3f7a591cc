/** The samples: their README's commands give what it says, and they hold what it says. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { read } from "../src/sources/read.ts";
import { blocks, clone, shell } from "./clone.ts";
import { gathered } from "./streams.ts";
import { ROOT, readRows } from "./support.ts";

const README = readFileSync(join(ROOT, "samples/README.md"), "utf8");

/** The cells of each row of its table that begins with a number. */
const LINES = [...README.matchAll(/^\| (\d[\d, ]*) \| .* \| (.*) \|$/gm)].flatMap(([, numbers = "", becomes = ""]) =>
  numbers.split(", ").map((number) => ({ line: Number(number), becomes })),
);

test("each command of their README gives the numbers that stand beside it", async () => {
  const cwd = clone();
  const commands = blocks(README, "sh").flatMap((block) => block.trim().split("\n"));
  expect(commands.length).toBeGreaterThanOrEqual(7);
  const ended = await Promise.all(
    commands.map(async (line) => {
      const [command = "", counts = ""] = line.split(/ +# /);
      return { counts, ...(await shell(command, cwd)) };
    }),
  );
  for (const { counts, code, stdout, stderr } of ended) {
    expect(counts).toMatch(/^\d+ written, \d+ failed$/);
    expect(stderr).toContain(`: ${counts}, 0 dropped`);
    expect([code, stdout]).toEqual([counts.endsWith(" 0 failed") ? 0 : 1, ""]);
  }
  const original = readRows(join(ROOT, "samples/articles.ndjson"));
  const exported = readRows(join(cwd, "out/export.ndjson"));
  const authors = exported.map((row) => (row as unknown as Record<string, unknown>)["author.name"]);
  const sources = exported.map(({ id }) => original.find((one) => one.id === id) as unknown as { author: string });
  expect(authors).toEqual(sources.map(({ author }) => author));

  const failed = readRows(join(cwd, "out/broken.failed.ndjson")).map(({ source, error }) => ({
    line: source?.line,
    becomes: `\`${error.code}\``,
  }));
  expect(failed).toEqual(LINES.filter(({ becomes }) => becomes.startsWith("`")));
  const good = readRows(join(cwd, "out/broken.ndjson"));
  expect(good.length).toBe(LINES.filter(({ becomes }) => becomes.startsWith("an analysis")).length + 1);
  expect(good.map(({ id }) => id)).toContain("12345678901234567890");
});

test("the other samples hold articles of the first, word for word", async () => {
  const at = (name: string) => join(ROOT, "samples", name);
  const texts = new Map((await gathered(read(at("articles.ndjson")))).map((record) => [textOf(record), record]));
  for (const source of [
    read(at("articles.ndjson.gz")),
    read(at("articles.csv")),
    read(at("export.json"), { path: "export.articles" }),
  ]) {
    const records = await gathered(source);
    expect(records).toHaveLength(8);
    for (const record of records) expect(texts.has(textOf(record))).toBe(true);
  }
});

const textOf = (record: unknown) => {
  const { content, body } = record as { content?: string; body?: string };
  return content ?? body;
};
