/** Which of several values counts, and how it is told. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { effective } from "../../src/config/effective.ts";
import type { RunFlags } from "../../src/config/options.ts";
import { printed } from "../../src/config/print.ts";
import { folder } from "../support.ts";

interface Case {
  readonly typed?: RunFlags;
  readonly env?: Record<string, string>;
  readonly file?: string;
}

/** The file is named by its path, so that it does not depend on where the tests run. */
function come({ typed = {}, env = {}, file }: Case) {
  const cwd = folder();
  if (file === undefined) return effective(typed, env, cwd);
  const config = join(cwd, "millrace.yaml");
  writeFileSync(config, file);
  return effective({ config, ...typed }, env, cwd);
}

/** What counts of the settings, without `config` itself. */
function flags(given: Case): RunFlags {
  const { config: _, ...rest } = come(given).flags;
  return rest;
}

describe("what counts", () => {
  test("is the flag before the environment before the file", () => {
    const file = "maxRetries: 1\nlimit: 1\nskip: 1\n";
    const env = { MILLRACE_MAX_RETRIES: "2", MILLRACE_LIMIT: "2" };
    expect(flags({ typed: { maxRetries: 3 }, env, file })).toEqual({ maxRetries: 3, limit: 2, skip: 1 });
  });

  test("has the names of the flags, whatever they are called in a file", () => {
    const file = "requestsPerMinute: 5\nbaseURL: http://h\nordered: false\nstore: false\nretryBaseDelay: 2s\n";
    expect(flags({ file })).toEqual({
      rpm: 5,
      baseUrl: "http://h",
      unordered: true,
      store: false,
      retryBaseDelay: 2_000,
    });
  });

  test.each<[string, RunFlags, RunFlags]>([
    ["ordered: true", { unordered: true }, { unordered: true }],
    ["ordered: false", { ordered: true }, { ordered: true }],
    ["store: a.db", { store: false }, { store: false }],
    ["store: false", { store: "b.db" }, { store: "b.db" }],
  ])("is the flag that says the opposite of %s", (file, typed, expected) => {
    expect(flags({ typed, file })).toEqual(expected);
  });

  test("in the environment is read as if it had been typed; an empty variable is none", () => {
    const env = {
      MILLRACE_QUIET: "1",
      MILLRACE_ORDERED: "false",
      MILLRACE_TIMEOUT: "2m",
      MILLRACE_KEEP: "a,b",
      MILLRACE_TOKENS_PER_MINUTE: "7",
      MILLRACE_BASE_URL: "http://h",
      MILLRACE_MODEL: "",
    };
    expect(flags({ env })).toEqual({
      quiet: true,
      unordered: true,
      timeout: 120_000,
      keep: ["a", "b"],
      tpm: 7,
      baseUrl: "http://h",
    });
  });

  test.each([
    [{ MILLRACE_LIMIT: "many" }, /^MILLRACE_LIMIT takes a whole number from 1 up, got "many"/],
    [{ MILLRACE_QUIET: "yes" }, /^MILLRACE_QUIET takes true or false/],
    [{ MILLRACE_PROVIDER: "claude" }, /^MILLRACE_PROVIDER is one of anthropic/],
    [{ MILLRACE_PRICES: "1" }, /^MILLRACE_PRICES is for millrace.yaml only/],
  ])("is refused when a variable makes no sense: %j", (env, message) => {
    expect(() => flags({ env })).toThrow(message);
  });

  test("is told when a variable is nearly one of ours, or is called after the flag", () => {
    const { warnings } = come({
      env: { MILLRACE_CONCURENCY: "4", MILLRACE_KILLS: "5", OTHER: "6", MILLRACE_RPM: "7", MILLRACE_BASE_URL: "x" },
    });
    expect(warnings).toEqual([
      "MILLRACE_CONCURENCY means nothing. Did you mean MILLRACE_CONCURRENCY?",
      "MILLRACE_RPM means nothing. Did you mean MILLRACE_REQUESTS_PER_MINUTE?",
    ]);
  });

  test("has a file's paths from the file's folder, but for what is no path", () => {
    const cwd = folder();
    const config = join(cwd, "sub/settings.yaml");
    mkdirSync(join(cwd, "sub"));
    writeFileSync(
      config,
      "output: out/a.csv\nprompt: ../question.txt\nstore: /tmp/s.db\npath: data.articles\ndeadLetters: '-'\n",
    );
    expect(effective({ config }, {}, cwd).flags).toEqual({
      config,
      output: join(cwd, "sub/out/a.csv"),
      prompt: join(cwd, "question.txt"),
      store: "/tmp/s.db",
      path: "data.articles",
      deadLetters: "-",
    });
    writeFileSync(config, "output: postgres://me@host/db\n");
    expect(effective({ config }, {}, cwd).flags.output).toBe("postgres://me@host/db");
  });

  test("is the folder's millrace.yaml when no file is named, by flag or variable", () => {
    const cwd = folder();
    writeFileSync(join(cwd, "other.yaml"), "limit: 2\n");
    expect(effective({}, {}, cwd).flags).toEqual({});
    expect(effective({}, { MILLRACE_CONFIG: join(cwd, "other.yaml") }, cwd).flags).toEqual({ limit: 2 });
  });
});

describe("what belongs together", () => {
  const file = "provider: anthropic\nmodel: claude-x\nbaseURL: http://h\nmaxOutputTokens: 9\n";

  test("is the file's provider and model: they do not go to the provider that a flag names", () => {
    expect(flags({ typed: { provider: "openai" }, file })).toEqual({ provider: "openai", maxOutputTokens: 9 });
    expect(flags({ typed: { provider: "anthropic" }, file })).toMatchObject({ model: "claude-x", baseUrl: "http://h" });
    expect(flags({ typed: { provider: "openai", model: "m" }, file })).toMatchObject({
      provider: "openai",
      model: "m",
    });
  });

  test("is a model: the embedded analyser, tried by a flag, has no use for any", () => {
    expect(flags({ typed: { provider: "local" }, file: `${file}temperature: 1\n` })).toEqual({ provider: "local" });
    expect(flags({ typed: { provider: "local" }, file: "model: m\n" })).toEqual({ provider: "local" });
  });

  test("is the file's prompt and schema, and its output and columns", () => {
    const both = "prompt: a.txt\nschema: a.json\noutput: a.csv\ncolumns: [id]\n";
    expect(flags({ typed: { prompt: "b.txt", output: "b.ndjson" }, file: both })).toEqual({
      prompt: "b.txt",
      output: "b.ndjson",
    });
  });

  test("is a vendor's variable and that vendor: it goes before a file's baseURL", () => {
    const env = { ANTHROPIC_BASE_URL: "http://other" };
    expect(flags({ env, file }).baseUrl).toBeUndefined();
    expect(flags({ env: { OPENAI_BASE_URL: "http://other" }, file }).baseUrl).toBe("http://h");
    expect(flags({ env, typed: { baseUrl: "http://mine" }, file }).baseUrl).toBe("http://mine");
  });
});

describe("the printed configuration", () => {
  const print = (given: Case) => printed(come(given), given.env ?? {});

  test("says the same when it is read as a file", () => {
    const file = [
      "timeout: 90s\nmaxWait: 1500ms\ngrace: 0s\nmaxFailures: 7%\nconcurrency: auto\nordered: false\nstore: false",
      'map: { content: "a: b", title: "#x" }\nkeep: [a, "b, c", "true"]\nmodel: "007"\ncolumns: [id]\nquiet: true',
      "prices: { m: { input: 0.1, output: 2 } }\napi: { BASE_DELAY: 1.5, TEMPERATURE: 0.3, RATE_LIMIT_DELAY: 7 }\n",
    ].join("\n");
    const once = flags({ file });
    expect(Object.keys(once)).toHaveLength(16);
    expect(flags({ file: print({ file }) })).toEqual(once);
  });

  test("says of each value where it comes from, and what was given without effect", () => {
    const file = "timeout: 90s\nprovider: openai\nmodel: m\napi:\n  MAX_RETRIES: 2\n";
    const env = { MILLRACE_CONCURRENCY: "12" };
    const text = print({ typed: { timeout: 5_000, provider: "mistral" }, env, file });
    expect(text).toMatch(/^timeout: 5s +# --timeout$/m);
    expect(text).toMatch(/^concurrency: 12 +# MILLRACE_CONCURRENCY$/m);
    expect(text).toMatch(/^maxRetries: 2 +# .*millrace\.yaml:5 MAX_RETRIES$/m);
    expect(text).toMatch(/^# grace: +# default: 20s$/m);
    expect(text).toMatch(/^# timeout: 90s +# .*millrace\.yaml:1: --timeout goes before it$/m);
    expect(text).toMatch(/^# model: m +# .*millrace\.yaml:3: it is for the provider of .*millrace\.yaml:2$/m);
    expect(text).toMatch(/^# model: +# default: mistral-small-latest$/m);
  });

  test("tells keys apart without giving them away, and shows no password", () => {
    const key = "sk-ant-0123456789-secret-7a9f";
    const env = {
      ANTHROPIC_API_KEY: `${key}, another-long-key-of-4242`,
      OPENAI_API_KEY: "short-key",
      ANTHROPIC_BASE_URL: "http://me:geheim@host",
    };
    const text = print({
      env,
      typed: { provider: "anthropic", output: "postgres://me:geheim@host/db?password=geheim" },
    });
    expect(text).toMatch(/^# ANTHROPIC_API_KEY: sk-…7a9f, …4242$/m);
    expect(text).toMatch(/^# OPENAI_API_KEY: set$/m);
    expect(text).toMatch(/^# MISTRAL_API_KEY: not set$/m);
    expect(text).not.toMatch(/geheim|secret|short-key|another/);
  });
});
