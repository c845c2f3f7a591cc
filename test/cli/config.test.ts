/** millrace.yaml and the environment, as the command line heeds them. */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { articles, cli, environment, folder, KEY, readRows, simulator, writeLines } from "../support.ts";

/** A folder with articles and a configuration. */
function project(config: string, name = "millrace.yaml"): string {
  const cwd = folder();
  mkdirSync(join(cwd, name, ".."), { recursive: true });
  writeFileSync(join(cwd, name), config);
  writeLines(join(cwd, "in.ndjson"), articles(6));
  return cwd;
}

/** A pipeline that shows the options it is given. */
const SHOW = `import { definePipeline } from "millrace";
export default definePipeline({ description: "shows its options", stages: ({ options }) => [() => ({ options })] });
`;

async function optionsOf(cwd: string, args: readonly string[] = []): Promise<unknown> {
  writeFileSync(join(cwd, "show.ts"), SHOW);
  const run = await cli(["run", "show.ts", "in.ndjson", "--limit", "1", ...args], { cwd });
  expect(run).toMatchObject({ code: 0 });
  return JSON.parse(run.stdout).options;
}

describe("millrace.yaml", () => {
  test("says what a run does, but for what a flag says", async () => {
    const server = await simulator();
    const cwd = project("provider: mistral\nmodel: mistral-x\nlimit: 4\noutput: out/rows.ndjson\nkeep: [content]\n");
    const env = { ...environment(server.url, "mistral"), OPENAI_API_KEY: KEY };
    expect(await cli(["analyze", "in.ndjson", "--skip", "1", "--limit", "3"], { cwd, env })).toMatchObject({ code: 0 });
    const rows = readRows(join(cwd, "out/rows.ndjson"));
    expect(rows.map(({ id }) => id)).toEqual(["a1", "a2", "a3"]);
    for (const row of rows) expect(row).toMatchObject({ model: "mistral-x", content: expect.any(String) });
  });

  test("reaches a pipeline under the library's names and units, by new names and by old", async () => {
    const old =
      "api:\n  RATE_LIMIT_DELAY: 0.5\n  MAX_RETRIES: 2\n  BASE_DELAY: 1.5\n  TIMEOUT: 45\n  MAX_TOKENS: 700\n";
    const expected = {
      requestsPerMinute: 120,
      maxRetries: 2,
      retryBaseDelay: 1_500,
      timeout: 45_000,
      maxOutputTokens: 700,
      ordered: true,
    };
    expect(await optionsOf(project(old, "config/config.yaml"), ["--config", "config/config.yaml"])).toEqual(expected);
    const now = "requestsPerMinute: 120\nmaxRetries: 2\nretryBaseDelay: 1500ms\ntimeout: 45s\nmaxOutputTokens: 700\n";
    expect(await optionsOf(project(now))).toEqual(expected);
  });

  test("that is wrong ends the command before anything is sent, and names the place", async () => {
    const server = await simulator();
    const cwd = project("model: m\nconcurency: 4\n");
    const run = await cli(["analyze", "in.ndjson"], { cwd, env: environment(server.url, "openai") });
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toBe(
      'millrace: millrace.yaml:2:1: There is no option "concurency". Did you mean concurrency?\n',
    );
    expect((await server.stats()).requests).toBe(0);
  });

  test.each([
    ["missing.yaml", /missing\.yaml cannot be read: there is no such file/],
    [".", /cannot be read: it is a folder/],
    ["/dev/zero", /more than 256 kB/],
    ["latin.yaml", /latin\.yaml is not UTF-8/],
  ])("named as %s is refused", async (name, message) => {
    const cwd = project("");
    writeFileSync(join(cwd, "latin.yaml"), Buffer.from("model: caf\xe9\n", "latin1"));
    const run = await cli(["analyze", "in.ndjson", "--config", name, "--provider", "local"], { cwd });
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toMatch(message);
    expect(run.stderr.trim().split("\n")).toHaveLength(1);
  });

  test("is no place for a key, which is not repeated", async () => {
    const cwd = project(`apiKey: ${KEY}\n`);
    const run = await cli(["analyze", "in.ndjson"], { cwd });
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/millrace\.yaml:1:1: Keys have no place in a file.*ANTHROPIC_API_KEY/);
    expect(run.stderr).not.toContain(KEY);
  });
});

describe("--print-config", () => {
  test("shows what counts, as a millrace.yaml, and does nothing else", async () => {
    const server = await simulator();
    const cwd = project("timeout: 90s\noutput: out/rows.ndjson\n");
    const env = { ...environment(server.url, "anthropic"), MILLRACE_CONCURRENCY: "3" };
    const run = await cli(["analyze", "in.ndjson", "--print-config", "--rpm", "60"], { cwd, env });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(run.stdout).toMatch(/^timeout: 90s +# millrace\.yaml:1$/m);
    expect(run.stdout).toMatch(/^concurrency: 3 +# MILLRACE_CONCURRENCY$/m);
    expect(run.stdout).toMatch(/^requestsPerMinute: 60 +# --rpm$/m);
    expect(run.stdout).toMatch(/^# provider: anthropic +# default: ANTHROPIC_API_KEY is set$/m);
    expect(run.stdout).not.toContain(KEY);
    expect((await server.stats()).requests).toBe(0);
    expect(existsSync(join(cwd, "out"))).toBe(false);
    writeFileSync(join(cwd, "millrace.yaml"), run.stdout);
    const again = await cli(["analyze", "--print-config"], { cwd });
    expect(again.stdout).toMatch(/^requestsPerMinute: 60 +# millrace\.yaml:\d+$/m);
  });
});

describe("millrace check", () => {
  test("tries the provider, model and server of millrace.yaml", async () => {
    const server = await simulator();
    const { OPENAI_BASE_URL = "", ...env } = environment(server.url, "openai");
    const cwd = project(`provider: openai\nmodel: m-1\nbaseURL: ${OPENAI_BASE_URL}\n`);
    const run = await cli(["check", "--json"], { cwd, env: { ...env, MISTRAL_API_KEY: KEY } });
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(
      run.stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ provider: "openai", model: "m-1", baseURL: OPENAI_BASE_URL }]);
  });

  test("tries every key where millrace.yaml says local", async () => {
    const server = await simulator();
    const cwd = project("provider: local\n");
    const run = await cli(["check", "--json"], { cwd, env: environment(server.url, "mistral") });
    expect(run).toMatchObject({ code: 0 });
    expect(JSON.parse(run.stdout)).toMatchObject({ provider: "mistral" });
  });
});

test("millrace store looks after the store of millrace.yaml", async () => {
  const server = await simulator();
  const cwd = project("store: kept/answers.db\n");
  const env = environment(server.url, "anthropic");
  expect(await cli(["analyze", "in.ndjson", "-o", "rows.ndjson"], { cwd, env })).toMatchObject({ code: 0 });
  const stats = await cli(["store", "stats", "--json"], { cwd });
  expect(JSON.parse(stats.stdout)).toMatchObject({ path: "kept/answers.db", answers: 6 });
});
