/** What README promises: its commands run, its code works, its tables are those of the code. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parse as csv } from "csv-parse/sync";
import { describe, expect, test } from "vitest";
import { blocks, clone, shell } from "./clone.ts";
import { readme, withTable } from "./options-table.ts";
import { articles, environment, folder, ROOT, readRows, simulator, writeLines } from "./support.ts";

describe("README", () => {
  test("has the table of options that the command line has", () => {
    expect(readme()).toBe(withTable(readme()));
  });

  test("npm start analyses every sample article offline", async () => {
    const start = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).scripts.start as string;
    expect(readme()).toContain("npm ci && npm start");
    const cwd = clone();
    const { code, stdout } = await shell(start, cwd);
    expect([code, stdout]).toEqual([0, ""]);
    const samples = readRows(join(ROOT, "samples/articles.ndjson"));
    expect(readRows(join(cwd, "out/analyses.ndjson")).map((row) => row.id)).toEqual(samples.map((row) => row.id));
  });

  test("its command for one's own file and a real provider works, against the simulator", async () => {
    const command = blocks(readme(), "sh").find((block) => block.includes("articles.ndjson -o")) ?? "";
    const cwd = folder();
    writeLines(join(cwd, "articles.ndjson"), articles(20));
    const server = await simulator();
    const last = command.trim().split("\n").at(-1) ?? "";
    expect((await shell(last, cwd, environment(server.url, "anthropic"))).code).toBe(0);
    expect(readRows(join(cwd, "analyses.ndjson"))).toHaveLength(20);
  });

  test("its pipe gives three analyses", async () => {
    const command = blocks(readme(), "sh").find((block) => block.startsWith("head")) ?? "";
    const { code, stdout } = await shell(command, clone());
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(3);
  });

  test("its command for a database fills a table of it, a row for each sample", async () => {
    const command = blocks(readme(), "sh").find((block) => block.includes("--table")) ?? "";
    const cwd = clone();
    expect((await shell(command, cwd)).code).toBe(0);
    const database = new DatabaseSync(join(cwd, "analyses.db"));
    const rows = database.prepare("SELECT id FROM analyses").all();
    database.close();
    expect(rows).toHaveLength(readRows(join(ROOT, "samples/articles.ndjson")).length);
  });

  test("its program writes a verdict for each English article", async () => {
    const [program = ""] = blocks(readme(), "ts");
    const cwd = clone();
    const server = await simulator();
    writeLines(
      join(cwd, "articles.ndjson"),
      articles(12).map((each, index) => ({ ...each, language: index % 3 === 0 ? "de" : "en" })),
    );
    writeFileSync(join(cwd, "program.ts"), program);
    const run = await shell(
      "node --preserve-symlinks-main --conditions=millrace-source program.ts",
      cwd,
      environment(server.url, "anthropic"),
    );
    expect(run).toMatchObject({ code: 0, stdout: "8 written, 0 failed\n", stderr: "" });
    const verdicts = readFileSync(join(cwd, "out/verdicts.ndjson"), "utf8").trim().split("\n");
    expect(verdicts.map((line) => Object.keys(JSON.parse(line)))).toEqual(Array(8).fill(["id", "topic", "tone"]));
  });
});

describe("the pipelines", () => {
  test("classify-and-route runs offline and fills both files", async () => {
    const cwd = clone();
    const run = await shell(
      "npx millrace run pipelines/classify-and-route.ts samples/articles.ndjson --provider local",
      cwd,
    );
    expect(run.code).toBe(0);
    expect(run.stderr).toContain("output       out/critical.ndjson, out/others.ndjson\n");
    const routed = ["critical", "others"].map((name) => readRows(join(cwd, `out/${name}.ndjson`)).length);
    const english = readRows(join(ROOT, "samples/articles.ndjson")).filter(
      (row) => (row as { language?: unknown }).language === "en",
    );
    expect(Math.min(...routed)).toBeGreaterThan(0);
    expect(routed.reduce((sum, count) => sum + count, 0)).toBe(english.length);
  });

  test("explain asks for a title and an explanation", async () => {
    const cwd = clone();
    const server = await simulator();
    const run = await shell(
      "npx millrace run pipelines/explain.ts samples/articles.ndjson -o out/explained.ndjson",
      cwd,
      environment(server.url, "mistral"),
    );
    expect(run.code).toBe(0);
    const [first] = readRows(join(cwd, "out/explained.ndjson"));
    expect(first).toMatchObject({
      extractedTitle: expect.any(String),
      explanation: expect.any(String),
      provider: "mistral",
    });
  });

  test("summarize-to-csv runs offline and gives a row for each article", async () => {
    const cwd = clone();
    const command = "npx millrace run pipelines/summarize-to-csv.ts samples/articles.csv --provider local -o out/s.csv";
    expect((await shell(command, cwd)).code).toBe(0);
    const rows = csv(readFileSync(join(cwd, "out/s.csv"), "utf8"), { columns: true }) as Record<string, string>[];
    expect(rows).toHaveLength(8);
    for (const row of rows) {
      expect(Object.keys(row)).toEqual(["id", "title", "url", "language", "tone", "topics", "summary"]);
      expect(Math.min(...Object.values(row).map((text) => text.length))).toBeGreaterThan(0);
    }
  });

  test("enrich-csv keeps every column as it was and puts three beside it, by the command in their README", async () => {
    const cwd = clone();
    const server = await simulator();
    const block = blocks(readFileSync(join(ROOT, "pipelines/README.md"), "utf8"), "sh").join("");
    const command = /npx millrace run pipelines\/enrich-csv.*/.exec(block)?.[0] ?? "";
    expect((await shell(command, cwd, environment(server.url, "openai"))).code).toBe(0);
    const table = (name: string) => csv(readFileSync(join(cwd, name), "utf8"), { columns: true });
    const before = table("samples/articles.csv") as Record<string, string>[];
    const after = table("out/enriched.csv") as Record<string, string>[];
    expect(after).toMatchObject(before);
    for (const row of after) {
      expect(Object.keys(row).slice(-3)).toEqual(["kind", "place", "teaser"]);
      expect(row.kind).toMatch(/^[a-z]+$/);
    }
    expect((await server.stats()).answered).toBe(8);
  });

  test("the example in their README runs from a folder that knows no millrace", async () => {
    const [program = ""] = blocks(readFileSync(join(ROOT, "pipelines/README.md"), "utf8"), "ts");
    const cwd = folder();
    writeFileSync(join(cwd, "mine.ts"), program);
    writeLines(
      join(cwd, "in.ndjson"),
      articles(6).map((each) => ({ ...each, language: "en" })),
    );
    const server = await simulator();
    const run = await shell("npx millrace run mine.ts in.ndjson", cwd, environment(server.url, "openai"));
    expect(run.code).toBe(0);
    expect(run.stdout.trim().split("\n")).toHaveLength(6);
    expect(existsSync(join(cwd, "dead-letters.ndjson"))).toBe(false);
  });
});
