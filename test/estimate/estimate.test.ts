/** What is known before a run, held against real tokenizers' counts and against what the run then takes. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Estimate } from "../../src/estimate/estimate.ts";
import { articles, cli, environment, folder, KEY, ROOT, simulator, writeLines } from "../support.ts";
import { type Kind, recordsOf } from "./texts.ts";

type Told = Estimate & { readonly basis: { readonly tokensCountedOf: number; readonly outputFrom: string } };

const COUNT = 3_000;

/** Tokens of 3,000 records of each kind, as gpt-tokenizer 4.0.0 (another library than the one that estimates) counts all of them. */
const REAL = {
  openai: { english: 1_302_413, german: 1_703_962, code: 1_455_030 },
  mistral: { english: 1_309_571, german: 2_110_274, code: 1_431_208 },
} as const;

const middle = ({ low, high }: { low: number; high: number }) => (low + high) / 2;

/** A folder with one prompt and one input, and no key anywhere. */
function prepared(records: readonly object[]) {
  const cwd = folder();
  writeFileSync(join(cwd, "p.txt"), "{{text}}");
  writeLines(join(cwd, "in.ndjson"), records);
  const estimate = async (...flags: string[]) => {
    const ended = await cli(["estimate", "in.ndjson", "--prompt", "p.txt", "--json", ...flags], { cwd });
    expect([ended.stderr, ended.code]).toEqual(["", 0]);
    return JSON.parse(ended.stdout) as Told;
  };
  return { cwd, estimate };
}

describe("the input of an estimate", () => {
  for (const kind of ["english", "german", "code"] as const satisfies readonly Kind[]) {
    test(`is near the tokens of all records, by a sample of them: ${kind}`, async () => {
      const { estimate } = prepared(recordsOf(kind, COUNT));
      for (const provider of ["openai", "mistral"] as const) {
        const real = REAL[provider][kind];
        const { requests, inputTokens, basis } = await estimate("--provider", provider);
        expect(requests).toBe(COUNT);
        expect(basis.tokensCountedOf).toBeLessThan(COUNT / 5);
        expect(middle(inputTokens) / real).toBeGreaterThan(0.97);
        expect(middle(inputTokens) / real).toBeLessThan(1.05);
        expect(inputTokens.low).toBeLessThan(real * 1.02);
        expect(inputTokens.high).toBeGreaterThan(real);
      }
    });
  }

  test("is right where a file changes its kind half way, and nearer with --full", async () => {
    const { estimate } = prepared([...recordsOf("english", COUNT), ...recordsOf("code", COUNT)]);
    const real = REAL.openai.english + REAL.openai.code;
    const sampled = await estimate("--provider", "openai");
    expect(Math.abs(middle(sampled.inputTokens) / real - 1)).toBeLessThan(0.05);
    const whole = await estimate("--provider", "openai", "--full");
    // Less what is around each message: 9 tokens.
    expect(middle(whole.inputTokens) - 2 * COUNT * 9).toBeCloseTo(real, -2);
    expect(whole.basis.tokensCountedOf).toBe(2 * COUNT);
  });
});

describe("an estimate", () => {
  test("holds what the run then takes, once there is a history, and counts what is answered as free", async () => {
    const cwd = folder();
    const server = await simulator();
    const env = environment(server.url, "anthropic");
    writeLines(join(cwd, "in.ndjson"), articles(400, 60));
    const args = ["in.ndjson", "--provider", "anthropic"];
    const estimate = async () => JSON.parse((await cli(["estimate", ...args, "--json"], { cwd, env })).stdout) as Told;
    expect((await estimate()).basis.outputFrom).toBe("schema");
    expect(readdirSync(cwd)).toEqual(["in.ndjson"]);
    expect((await cli(["analyze", ...args, "-o", "o.ndjson", "--limit", "60"], { cwd, env })).code).toBe(0);
    const told = await estimate();
    expect(told).toMatchObject({ records: 400, stored: 60, requests: 340, basis: { outputFrom: "store" } });
    expect((await server.stats()).requests).toBe(60);
    const run = await cli(["analyze", ...args, "-o", "o.ndjson", "--report", "r.json"], { cwd, env });
    expect(run.code).toBe(0);
    const report = JSON.parse(readFileSync(join(cwd, "r.json"), "utf8"));
    expect(report.requests).toBe(340);
    expect(report.usage.outputTokens).toBeGreaterThanOrEqual(told.outputTokens.low);
    expect(report.usage.outputTokens).toBeLessThanOrEqual(told.outputTokens.high);
    // A range that holds everything would say nothing.
    expect(told.outputTokens.high / told.outputTokens.low).toBeLessThan(2);
    const again = await estimate();
    expect(again).toMatchObject({ stored: 400, requests: 0, cost: { low: 0, high: 0 } });
  });

  test("ends with one line to decide on: requests, tokens, cost, and the time that the limits leave", async () => {
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), [...articles(120), "not json", { id: "empty" }]);
    const args = ["estimate", "in.ndjson", "--provider", "openai", "--rpm", "30", "-o", "out.ndjson", "-c", "9"];
    const { code, stdout, stderr } = await cli(args, { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toBe("  records      122 read, 2 cannot be asked about");
    expect(stdout).toContain("prices of 2026-09-23");
    expect(lines.at(-1)).toMatch(
      /^About 120 requests, [\d.]+K–[\d.]+K tokens in, [\d.,]+K?–[\d.]+K out: \$0\.\d+–\$0\.\d+; at least 3m 58s at 30 requests a minute\.$/,
    );
    expect(readdirSync(cwd)).toEqual(["in.ndjson"]);
  });

  test("knows no cost without a price, and none at all for the embedded analyser", async () => {
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), articles(3));
    const told = async (...flags: string[]) => (await cli(["estimate", "in.ndjson", ...flags], { cwd })).stdout;
    expect(await told("--provider", "openai", "--model", "own")).toMatch(/ cost unknown; /);
    expect(await told("--provider", "local")).toMatch(/\n3 to analyse .* costs nothing\.\n$/);
  });

  test("needs to know who is asked and what: exit 2", async () => {
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), [{ body: "x" }]);
    const nobody = await cli(["estimate", "in.ndjson"], { cwd });
    expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining("There is no provider")]);
    const nothing = await cli(["estimate", "in.ndjson", "--provider", "openai"], { cwd });
    expect([nothing.code, nothing.stderr]).toEqual([2, expect.stringContaining("--map content=body")]);
  });
});

describe("--dry-run", () => {
  test("shows the first request and the estimate on stderr, sends and writes nothing, and needs no key", async () => {
    const cwd = folder();
    const server = await simulator();
    writeLines(join(cwd, "in.ndjson"), [
      { id: 1, content: `first \u001b[31m${"long ".repeat(1_000)}` },
      ...articles(9),
    ]);
    const env = { ANTHROPIC_BASE_URL: `${server.url}/anthropic` };
    const args = ["analyze", "in.ndjson", "-o", "out.ndjson", "--provider", "anthropic", "-n"];
    const { code, stdout, stderr } = await cli(args, { cwd, env });
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toMatch(
      /^The first request \(in\.ndjson:1\), to anthropic claude-haiku-4-5:\n\[system\]\nYou analyse/,
    );
    expect(stderr).toMatch(
      /\[user\]\n<article>\n<text>\nfirst .\[31mlong .*… \(5,\d+ characters\)\n\[schema\] article_analysis/,
    );
    expect(stderr).not.toContain("\u001b");
    expect(stderr).toMatch(/\[at most\] 4,096 output tokens\n[\s\S]*\nAbout 10 requests, .*\n$/);
    expect((await server.stats()).requests).toBe(0);
    expect(readdirSync(cwd)).toEqual(["in.ndjson"]);
  });

  test("of a pipeline takes what its stages before the first question leave", async () => {
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), articles(10));
    const run = async (stages: string) => {
      writeFileSync(
        join(cwd, "p.ts"),
        `import { analyze, definePipeline, filter, write, route } from "millrace";
        export default definePipeline({ description: "x", stages: ({ provider, options }) => [${stages}] });`,
      );
      return cli(["run", "p.ts", "in.ndjson", "--provider", "mistral", "--dry-run"], { cwd });
    };
    const two = await run(`filter((a) => a.id !== "a0" && a.id !== "a5"), analyze({ provider, ...options }),
      analyze({ provider, ...options }), route(() => "a", { a: write("a.ndjson") })`);
    expect([two.code, two.stdout]).toEqual([0, ""]);
    expect(two.stderr).toContain("The first request (in.ndjson:2), to mistral");
    expect(two.stderr).toContain("10 read, 2 left out by the pipeline");
    expect(two.stderr).toContain("1 more asking stage behind the first");
    expect(two.stderr).toContain("About 8 requests");
    const none = await run("filter(() => true)");
    expect([none.code, none.stderr]).toEqual([
      0,
      "No stage asks a model: nothing is sent and nothing costs anything.\n",
    ]);
    expect(readdirSync(cwd).sort()).toEqual(["in.ndjson", "p.ts"]);
  });

  test("works with the sample files, from stdin too, and tells no key", async () => {
    const env = { OPENAI_API_KEY: KEY };
    const input = readFileSync(join(ROOT, "samples/articles.ndjson"), "utf8");
    const { code, stderr } = await cli(["analyze", "-n"], { cwd: folder(), env, input });
    expect(code).toBe(0);
    expect(stderr).toMatch(/About 32 requests/);
    expect(stderr).not.toContain(KEY);
  });
});
