/** The clients, over each vendor's protocol: what comes back, what is thrown, what is shared. */

import { afterEach, describe, expect, test, vi } from "vitest";
import {
  ClaudeClient,
  ConfigurationError,
  ConnectionError,
  ContentError,
  createClient,
  fallback,
  type MillraceError,
  openai,
  RateLimitError,
  ResponseError,
} from "../../src/index.ts";
import { articles, baseURL, KEY, simulator, TIMED, VENDOR_NAMES } from "../support.ts";
import { CLASSES, caught, clientOf, idOf } from "./clients.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const marked = (count: number) => articles(count).map(({ title, content, url }) => ({ title, content, url }));

describe.each(VENDOR_NAMES)("the client of %s", (vendor) => {
  test("takes its key from the environment or as an option, and says which is missing", async () => {
    const variable = `${vendor.toUpperCase()}_API_KEY`;
    vi.stubEnv(variable, "");
    const error = await caught((async () => new CLASSES[vendor]())());
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ code: "missing_key", message: expect.stringContaining(variable) });
    vi.stubEnv(variable, KEY);
    await using fromEnvironment = new CLASSES[vendor]();
    await using given = new CLASSES[vendor]({ apiKey: "sk-another-key" });
    expect(fromEnvironment.providerInfo()).toMatchObject({ provider: vendor });
    expect(JSON.stringify([fromEnvironment.providerInfo(), given.providerInfo()])).not.toMatch(/sk-/);
  });

  test("analyses one article and a list, in its order, and tells who answered", async () => {
    const server = await simulator({ latency: { min: 20, max: 60 } });
    await using client = clientOf(vendor, server.url, { maxConcurrent: 4 });
    expect(client.providerInfo()).toMatchObject({
      provider: vendor,
      baseURL: baseURL(server.url, vendor),
      maxConcurrent: 4,
    });
    const [first] = marked(1) as [{ title: string; content: string; url: string }];
    expect(await client.analyzeArticle(first)).toMatchObject({ summary: expect.stringContaining("a0") });
    const results = await client.batchAnalyze(marked(12));
    expect(results.map(idOf)).toEqual(articles(12).map(({ id }) => id));
    const { peakInFlight } = await server.stats();
    expect(peakInFlight).toBeGreaterThan(1);
    expect(peakInFlight).toBeLessThanOrEqual(4);
  });

  test("tests the connection: true with an answer, false with a wrong key or nobody there, and tells why", async () => {
    const server = await simulator({ apiKeys: [KEY] });
    await using client = clientOf(vendor, server.url);
    expect(await client.testConnection()).toBe(true);
    const heard: MillraceError[] = [];
    const onError = (error: MillraceError) => void heard.push(error);
    await using wrong = clientOf(vendor, server.url, { apiKey: "sk-wrong" });
    expect(await wrong.testConnection({ onError })).toBe(false);
    await server.close();
    expect(await client.testConnection({ onError })).toBe(false);
    expect(heard.map(({ code }) => code)).toEqual(["authentication_failed", "connection_failed"]);
  });
});

describe("one article", () => {
  test("throws why there is no analysis, by class and code, and leaves the client usable", async () => {
    const server = await simulator({ poison: "poisoned", refuse: "indecent", models: ["claude-haiku-4-5"] });
    await using client = clientOf("anthropic", server.url, { maxRetries: 1 });
    const of = (content: string) => caught(client.analyzeArticle({ content }));
    const bad = await of("a poisoned text");
    expect(bad).toBeInstanceOf(ResponseError);
    expect(bad).toMatchObject({ code: "invalid_request", status: 400, attempts: 1 });
    const refused = await of("an indecent text");
    expect(refused).toBeInstanceOf(ContentError);
    expect(refused).toMatchObject({ code: "refused" });
    const empty = await caught(client.analyzeArticle({ title: "A title", content: "  " }));
    expect(empty).toBeInstanceOf(ContentError);
    expect(empty).toMatchObject({ code: "missing_content", message: expect.stringContaining("title") });
    expect(await caught(client.analyzeArticle(null as never))).toMatchObject({ code: "not_an_object" });
    await using unknown = clientOf("anthropic", server.url, { model: "claude-none" });
    expect(await caught(unknown.analyzeArticle({ content: "text" }))).toMatchObject({ code: "unknown_model" });
    expect(await client.analyzeArticle({ content: "a plain text", title: null })).toHaveProperty("summary");
  });

  test("is retried after faults, as often as maxRetries says", async () => {
    const server = await simulator({ faults: { error500: 1 } });
    await using client = clientOf("mistral", server.url, { maxRetries: 2, retryBaseDelay: 1 });
    const error = await caught(client.analyzeArticle({ content: "a text" }));
    expect(error).toMatchObject({ kind: expect.stringMatching(/response|rate-limit/) });
    expect((await server.stats()).requests).toBeGreaterThan(1);
  });

  test("meets a server that is not there with a ConnectionError, one that is slow with a timeout", async () => {
    const server = await simulator({ latency: 5_000 });
    await using slow = clientOf("openai", server.url, { timeout: 50, maxRetries: 0 });
    const late = await caught(slow.analyzeArticle({ content: "a text" }));
    expect(late).toBeInstanceOf(ConnectionError);
    expect(late).toMatchObject({ code: "timeout" });
  });

  test("waits when it is told to, and gives up with a RateLimitError once maxWait has passed", async () => {
    const server = await simulator({ limits: { requestsPerMinute: 1, burst: 1 }, headers: false, retryAfter: 30 });
    await using client = clientOf("openai", server.url, { maxWait: 100 });
    await client.analyzeArticle({ content: "the first text" });
    const error = await caught(client.analyzeArticle({ content: "the second text" }));
    expect(error).toBeInstanceOf(RateLimitError);
  });

  test("asked for a hundred times at once shares one bound, one pool and the client's end", async () => {
    const server = await simulator({ latency: 20 });
    const client = clientOf("openai", server.url, { maxConcurrent: 8 });
    const results = await Promise.all(marked(100).map((article) => client.analyzeArticle(article)));
    expect(results.map(idOf)).toEqual(articles(100).map(({ id }) => id));
    const stats = await server.stats();
    expect(stats).toMatchObject({ requests: 100, peakInFlight: 8 });
    expect(stats.socketsOpened).toBeLessThanOrEqual(10);
    await client.close();
    await vi.waitFor(async () => expect((await server.stats()).openSockets).toBe(0));
    expect(await caught(client.analyzeArticle({ content: "a text" }))).toMatchObject({ code: "aborted" });
  });
});

describe("maxConcurrent", () => {
  test("is faster than one after the other by about its number", TIMED, async () => {
    const server = await simulator({ latency: 60 });
    const took = async (maxConcurrent: number) => {
      await using client = clientOf("anthropic", server.url, { maxConcurrent });
      await client.analyzeArticle({ content: "warm" });
      const since = performance.now();
      await client.batchAnalyze(marked(16));
      return performance.now() - since;
    };
    const [alone, eight] = [await took(1), await took(8)];
    expect(alone / eight).toBeGreaterThan(3);
  });

  test("holds at once when it is set while a batch runs, up and down", async () => {
    const server = await simulator({ latency: 150 });
    await using client = clientOf("openai", server.url, { maxConcurrent: 1 });
    const peaks: number[] = [];
    let done = 0;
    await client.batchAnalyze(marked(100), {
      onProgress() {
        done++;
        if (done === 3) client.maxConcurrent = 20;
        if (done === 60) client.maxConcurrent = 2;
      },
    });
    const ledger = await server.ledger();
    const flying = (at: number) => ledger.filter((call) => call.arrivedAt <= at && (call.endedAt ?? 0) > at).length;
    for (const call of ledger) peaks.push(flying(call.arrivedAt));
    expect(Math.max(...peaks.slice(0, 3))).toBe(1);
    expect(Math.max(...peaks)).toBe(20);
    expect(Math.max(...peaks.slice(-10))).toBeLessThanOrEqual(2);
    expect(() => {
      client.maxConcurrent = 0;
    }).toThrow(/maxConcurrent.*whole number from 1/);
  });

  test("of a batch stands in place of the client's", async () => {
    const server = await simulator({ latency: 20 });
    await using client = clientOf("mistral", server.url, { maxConcurrent: 2 });
    await client.batchAnalyze(marked(30), { maxConcurrent: 6 });
    expect((await server.stats()).peakInFlight).toBe(6);
  });
});

describe("requestsPerMinute", () => {
  test("is kept, over single calls and batches together", async () => {
    const server = await simulator();
    await using client = clientOf("anthropic", server.url, { requestsPerMinute: 600 });
    await Promise.all([
      client.batchAnalyze(marked(15)),
      ...marked(15).map(({ content }) => client.analyzeArticle({ content: `${content} again` })),
    ]);
    const times = (await server.ledger()).map(({ arrivedAt }) => arrivedAt);
    expect(times).toHaveLength(30);
    // Of 600 a minute, those of one second may start at once; the other 20 take 2 s.
    expect((times.at(-1) as number) - (times[0] as number)).toBeGreaterThan(1_800);
  });
});

describe("a client", () => {
  test("closes its sockets at the end of an `await using` block, and aborts what is still in flight", async () => {
    const server = await simulator({ latency: 10_000 });
    let pending: Promise<unknown>;
    {
      await using client = new ClaudeClient({ apiKey: KEY, baseURL: baseURL(server.url, "anthropic") });
      pending = caught(client.analyzeArticle({ content: "a text" }));
      await vi.waitFor(async () => expect((await server.stats()).inFlight).toBe(1));
    }
    expect(await pending).toMatchObject({ code: "aborted", message: expect.stringContaining("closed") });
    await vi.waitFor(async () => expect((await server.stats()).openSockets).toBe(0));
  });

  test("refuses options it does not know with the nearest, and values that cannot be", async () => {
    const make = (options: object) => caught((async () => clientOf("openai", "http://localhost:1", options))());
    expect(await make({ maxConcurent: 3 })).toMatchObject({ message: expect.stringContaining('"maxConcurrent"') });
    expect(await make({ maxRetries: -1 })).toMatchObject({ code: "invalid_option" });
    expect(await make({ maxConcurrent: "many" })).toMatchObject({ code: "invalid_option" });
  });

  test("comes from the factory by name, or of a provider object", async () => {
    await using claude = createClient("claude", { apiKey: KEY });
    expect(claude).toBeInstanceOf(ClaudeClient);
    expect((await caught((async () => createClient("mistrel" as never))())) as Error).toMatchObject({
      code: "invalid_option",
      message: expect.stringContaining('"mistral"'),
    });
    const server = await simulator();
    const at = (apiKey: string, model: string) => openai({ apiKey, model, baseURL: baseURL(server.url, "openai") });
    await using both = createClient(fallback([at(KEY, "unknown-model"), at(KEY, "gpt-6-luna")]), { maxConcurrent: 2 });
    const results = await both.batchAnalyze(marked(20));
    expect(results.every((result) => result !== null)).toBe(true);
  });
});
