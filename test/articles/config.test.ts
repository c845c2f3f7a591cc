/** Clients from configurations, the Python original's among them. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ClaudeClient, createClientFromConfig, MistralClient, OpenAIClient } from "../../src/index.ts";
import { article, articles, baseURL, folder, KEY, simulator } from "../support.ts";
import { caught, idOf } from "./clients.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const made = (config: unknown) => caught((async () => createClientFromConfig(config as never))());

describe("a client from a configuration", () => {
  test("has what it says, under our names", async () => {
    const server = await simulator({ latency: 20 });
    await using client = createClientFromConfig({
      provider: "claude",
      apiKey: KEY,
      baseURL: baseURL(server.url, "anthropic"),
      model: "claude-sonnet-5",
      maxConcurrent: 3,
      timeout: "30s",
      output: "left/aside.ndjson",
    });
    expect(client).toBeInstanceOf(ClaudeClient);
    expect(client.providerInfo()).toMatchObject({ model: "claude-sonnet-5", maxConcurrent: 3 });
    expect((await client.batchAnalyze(articles(9))).map(idOf)).toEqual(articles(9).map(({ id }) => id));
    expect((await server.stats()).peakInFlight).toBe(3);
  });

  test("understands the six names of the original, in its units, in an object and in its file", async () => {
    const server = await simulator({ latency: 3_000 });
    const api = {
      RATE_LIMIT_DELAY: 0.5,
      MAX_RETRIES: 0,
      BASE_DELAY: 1,
      TIMEOUT: 0.1,
      MAX_TOKENS: 700,
      TEMPERATURE: 0.3,
    };
    const at = baseURL(server.url, "mistral");
    await using client = createClientFromConfig({ provider: "mistral", apiKey: KEY, baseURL: at, api });
    expect(client).toBeInstanceOf(MistralClient);
    expect(client.providerInfo()).toMatchObject({ requestsPerMinute: 120, maxOutputTokens: 700 });
    // Seconds became ms, and no retry stayed none.
    expect(await caught(client.analyzeArticle(article("a0")))).toMatchObject({ code: "timeout", attempts: 1 });
    const path = join(folder(), "config.yaml");
    writeFileSync(path, "provider: openai\napi:\n  RATE_LIMIT_DELAY: 2\n  MAX_TOKENS: 900\n");
    vi.stubEnv("OPENAI_API_KEY", KEY);
    await using fromFile = createClientFromConfig(path);
    expect(fromFile).toBeInstanceOf(OpenAIClient);
    expect(fromFile.providerInfo()).toMatchObject({ requestsPerMinute: 30, maxOutputTokens: 900 });
  });

  test("takes the provider whose key is in the environment, and says so where there is none", async () => {
    for (const vendor of ["ANTHROPIC", "OPENAI", "MISTRAL"]) vi.stubEnv(`${vendor}_API_KEY`, "");
    expect(await made({})).toMatchObject({ code: "missing_key" });
    expect(await made({ apiKey: KEY })).toMatchObject({ code: "invalid_option" });
    vi.stubEnv("MISTRAL_API_KEY", KEY);
    await using client = createClientFromConfig({ model: "mistral-large-latest" });
    expect(client.providerInfo()).toMatchObject({ provider: "mistral", model: "mistral-large-latest" });
  });

  test.each([
    [{ provider: "openai", tiemout: 5 }, /timeout/],
    [{ provider: "openai", api: { MAX_RETRY: 5 } }, /MAX_RETRIES/],
    [{ provider: "openai", api: { TIMEOUT: "soon" } }, /TIMEOUT/],
    [{ provider: "openai", maxConcurrent: 2, concurrency: 2 }, /one thing/],
    [{ provider: "nobody" }, /provider/],
    ["no/such/file.yaml", /no such file/],
    [undefined, /configuration/],
  ])("refuses %j with what is wrong", async (config, message) => {
    expect(await made(config)).toMatchObject({ code: "invalid_option", message: expect.stringMatching(message) });
  });
});
