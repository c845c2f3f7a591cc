import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ClientConfig, readClientConfig } from "../../src/config/client-config.ts";
import { folder } from "../support.ts";

const read = (config: ClientConfig | string) => readClientConfig(config, "createClientFromConfig()");
const LEGACY = {
  RATE_LIMIT_DELAY: 0.7,
  MAX_RETRIES: 4,
  BASE_DELAY: 1.5,
  TIMEOUT: 30,
  MAX_TOKENS: 900,
  TEMPERATURE: 0.3,
};
const NOW = {
  requestsPerMinute: 85,
  maxRetries: 4,
  retryBaseDelay: 1_500,
  timeout: 30_000,
  maxOutputTokens: 900,
  temperature: 0.3,
};

function file(text: string, name = "millrace.yaml"): string {
  const path = join(folder(), name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

describe("a client's configuration", () => {
  test("parts what the provider is made with from what its calls are made with", () => {
    const config = { provider: "openai", model: "m", baseURL: "http://h/v1", apiKey: "k", concurrency: 8 } as const;
    expect(read({ ...config, timeout: "90s", maxWait: 5_000, progress: "none" })).toEqual({
      provider: "openai",
      providerOptions: { model: "m", baseURL: "http://h/v1", apiKey: "k" },
      callOptions: { concurrency: 8, timeout: 90_000, maxWait: 5_000 },
    });
  });

  test("refuses a cap on the cost rather than leave it aside", () => {
    expect(() => read({ maxCost: 5 })).toThrow("Give `maxCost` to batchAnalyze()");
    expect(() => read(file("maxCost: 5\n"))).toThrow("Give `maxCost` to batchAnalyze()");
  });

  test("understands the six names of the original, in their units", () => {
    expect(read({ api: LEGACY })).toEqual({ providerOptions: { maxOutputTokens: 900 }, callOptions: NOW });
  });

  test("takes a delay of 0 between calls for no limit", () => {
    expect(read({ api: { RATE_LIMIT_DELAY: 0 } }).callOptions).toEqual({});
  });

  test("is read from the original's own file", () => {
    const lines = Object.entries(LEGACY).map(([name, value]) => `  ${name}: ${value}  # as it was\n`);
    const path = file(`api:\n${lines.join("")}`, "config/config.yaml");
    expect(read(path).callOptions).toEqual(NOW);
  });

  test("finds the store beside its file, and none where the file says so", () => {
    const path = file("store: answers.db\n");
    expect(read(path).callOptions.store).toBe(join(path, "../answers.db"));
    expect(read(file("store: false\n")).callOptions).toEqual({});
  });

  test("leaves out what is undefined", () => {
    expect(read({ model: undefined, timeout: undefined })).toEqual({ providerOptions: {}, callOptions: {} });
  });
});

describe("a client's configuration is refused", () => {
  test.each<[string, unknown, RegExp]>([
    ["a misspelt name", { modle: "m" }, /no option "modle". Did you mean model\?/],
    ["a misspelt old name", { api: { MAX_RETRY: 1 } }, /Did you mean MAX_RETRIES\?/],
    ["a flag's name", { rpm: 5 }, /Did you mean requestsPerMinute\?/],
    ["both names of a setting", { timeout: 1, api: { TIMEOUT: 2 } }, /TIMEOUT is the old name of timeout/],
    ["a number as a text", { concurrency: "8" }, /concurrency takes 8 without quotes/],
    ["too many calls at once", { concurrency: 10_001 }, /concurrency takes a whole number from 1 to 10000/],
    ["less than a call a minute", { api: { RATE_LIMIT_DELAY: 61 } }, /RATE_LIMIT_DELAY takes a number from 0 to 60/],
    ["half a retry", { api: { MAX_RETRIES: 1.5 } }, /whole number/],
    ["an unknown provider", { provider: "claude" }, /provider is one of anthropic, openai, mistral, local/],
    ["no configuration", null, /takes a configuration/],
    ["a list", [], /takes a configuration/],
    ["a block that is none", { api: 3 }, /api takes a mapping/],
  ])("for %s", (_, config, message) => {
    const reading = () => read(config as ClientConfig);
    expect(reading).toThrow(message);
    expect(reading).toThrow(/^createClientFromConfig\(\)/);
  });

  test("for a key in its file, which it does not quote", () => {
    const path = file("model: m\napiKey: sk-very-secret\n");
    expect(() => read(path)).toThrow(new RegExp(`^${path}:2:1: Keys have no place in a file[^]*ANTHROPIC_API_KEY`));
    expect(() => read(path)).not.toThrow(/very-secret/);
  });

  test("for a file that is missing", () => {
    expect(() => read("nowhere/config.yaml")).toThrow(/nowhere\/config.yaml cannot be read: there is no such file/);
  });
});
