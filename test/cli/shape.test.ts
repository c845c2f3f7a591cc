/** The options that fit a run to a file of another shape. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { articles, cli, environment, folder, rows, simulator, writeLines } from "../support.ts";

const posts = Array.from({ length: 5 }, (_, index) => ({
  guid: `g${index}`,
  meta: { headline: `Post ${index}` },
  body: `[[id:g${index}]] Some text about Paris.`,
  tags: ["a", "b"],
}));

describe("fields of another name", () => {
  test("--map finds them, and --keep lets others out again", async () => {
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), posts);
    const args = ["analyze", "in.ndjson", "--provider", "local", "--map", "content=body,title=meta.headline,id=guid"];
    const ended = await cli([...args, "--keep", "tags"], { cwd });
    expect(ended.code).toBe(0);
    const [first] = rows(ended.stdout);
    expect(first).toMatchObject({ tags: ["a", "b"], id: "g0", title: "Post 0", analysis: { title: "Post 0" } });
    const all = await cli([...args, "--keep", "all", "--limit", "1"], { cwd });
    expect(Object.keys(rows(all.stdout)[0] ?? {}).slice(0, 4)).toEqual(["guid", "meta", "body", "tags"]);
  });

  test("without --map the error names the fields to choose from, before anything is sent", async () => {
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), posts);
    const server = await simulator();
    const ended = await cli(["analyze", "in.ndjson"], { cwd, env: environment(server.url, "openai") });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("It has: guid, meta.headline, body, tags.");
    expect(ended.stderr).toContain("--map content=body ");
    expect((await server.stats()).requests).toBe(0);
  });
});

describe("--prompt", () => {
  async function asked(template: string, ...more: string[]) {
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), posts);
    writeFileSync(join(cwd, "prompt.txt"), template);
    writeFileSync(
      join(cwd, "schema.json"),
      JSON.stringify({
        type: "object",
        properties: { mood: { type: "string" } },
        required: ["mood"],
        additionalProperties: false,
      }),
    );
    writeFileSync(join(cwd, "broken.json"), "{");
    const server = await simulator();
    const args = ["analyze", "in.ndjson", "--prompt", "prompt.txt", ...more];
    return cli(args, { cwd, env: environment(server.url, "mistral") });
  }

  test("asks its own question, and answers { text }", async () => {
    const ended = await asked("Say something of {{meta.headline}}: {{body}}");
    expect(ended.code).toBe(0);
    expect(rows(ended.stdout).map(({ analysis }) => (analysis as unknown as { text: string }).text)).toEqual(
      posts.map(({ guid }) => expect.stringContaining(guid)),
    );
  });

  test("with --schema answers in its form", async () => {
    const ended = await asked("{{body}}", "--schema", "schema.json");
    expect(rows(ended.stdout)[0]?.analysis).toEqual({ mood: expect.stringContaining("g0") });
  });

  test("says what is wrong with it, its schema, or the fields it asks for", async () => {
    for (const [template, more, ...words] of [
      ["Nothing in it", [], "prompt.txt has no {{field}}"],
      ["{{body}}", ["--schema", "broken.json"], "broken.json is not valid JSON"],
      ["{{body}}", ["--schema", "nowhere.json"], "nowhere.json", "no such file"],
      ["{{text}}", [], "{{text}}", "It has: guid, meta.headline, body, tags."],
    ] as const) {
      const ended = await asked(template, ...more);
      expect(ended.code).toBe(2);
      for (const word of words) expect(ended.stderr).toContain(word);
      expect(ended.stderr).not.toMatch(/^\s+at /m);
    }
  });
});

test("--skip and --limit read a part, broken lines included, and say where it stood", async () => {
  const cwd = folder();
  const input = ["broken", ...articles(20).map((each) => JSON.stringify(each))].map((line) => `${line}\n`).join("");
  const some = await cli(["analyze", "--provider", "local", "--skip", "3", "--limit", "4"], { cwd, input });
  expect(rows(some.stdout).map(({ id }) => id)).toEqual(["a2", "a3", "a4", "a5"]);
  expect(some).toMatchObject({ code: 0, stderr: expect.stringContaining("of 4 read") });
  const first = await cli(["analyze", "--provider", "local", "--limit", "2", "--max-failures", "1"], { cwd, input });
  expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining("1 written, 1 failed") });
});
