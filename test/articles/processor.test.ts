/** Lists of articles: in one go, in batches, blocking; what becomes of those that fail. */

import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { BatchesOptions } from "../../src/articles/processor.ts";
import { progressText } from "../../src/articles/progress.ts";
import {
  ArticleProcessor,
  type MillraceError,
  type Progress,
  processArticles,
  processArticlesSync,
  RateLimitError,
  type RunReport,
  read,
} from "../../src/index.ts";
import { article, articles, baseURL, endOf, folder, KEY, ROOT, simulator, TIMED, writeLines } from "../support.ts";
import { caught, clientOf, idOf } from "./clients.ts";

const ids = (count: number) => articles(count).map(({ id }) => id);

describe("a list", () => {
  test("gives null for each that failed, and tells which and why", async () => {
    const server = await simulator({ poison: "poisoned", refuse: "indecent" });
    await using client = clientOf("openai", server.url);
    const list = [
      article("a0"),
      null,
      { ...article("a2"), content: "[[id:a2]] poisoned" },
      { title: "No text here", body: "…" },
      { ...article("a4"), content: "[[id:a4]] indecent" },
      article("a5"),
    ];
    const failed: unknown[] = [];
    const results = await client.batchAnalyze(list as never, {
      onError: ({ code, kind }, given, index) => failed.push([index, kind, code, given === list[index]]),
    });
    expect(results.map((result) => (result === null ? null : idOf(result)))).toEqual([
      "a0",
      null,
      null,
      null,
      null,
      "a5",
    ]);
    expect(failed.sort()).toEqual([
      [1, "content", "not_an_object", true],
      [2, "response", "invalid_request", true],
      [3, "content", "missing_content", true],
      [4, "content", "refused", true],
    ]);
  });

  test("of none makes no call, and may be a generator, a stream, a file that is read, or hold one article twice", async () => {
    const server = await simulator();
    await using client = clientOf("mistral", server.url);
    expect(await client.batchAnalyze([])).toEqual([]);
    expect((await server.stats()).requests).toBe(0);
    async function* generated() {
      yield* articles(3);
    }
    expect((await client.batchAnalyze(generated())).map(idOf)).toEqual(ids(3));
    const path = writeLines(join(folder(), "in.ndjson"), articles(4));
    expect((await client.batchAnalyze(read(path))).map(idOf)).toEqual(ids(4));
    const same = article("a7");
    expect((await client.batchAnalyze([same, same])).map(idOf)).toEqual(["a7", "a7"]);
    expect(await caught(client.batchAnalyze("in.ndjson" as never))).toMatchObject({
      code: "invalid_option",
      message: expect.stringContaining("read(path)"),
    });
  });

  test("tells progress, each result and the report", async () => {
    const server = await simulator();
    await using client = clientOf("anthropic", server.url);
    const told: Progress[] = [];
    const heard: string[] = [];
    let report: RunReport | undefined;
    await client.batchAnalyze([...articles(3), null], {
      onProgress: (progress) => told.push(progress),
      onResult: (analysis, { title }, index) => heard.push(`${index} ${title} ${idOf(analysis)}`),
      onReport(ended) {
        report = ended;
      },
    });
    expect(told.map(({ done, total }) => [done, total])).toEqual([1, 2, 3, 4].map((done) => [done, 4]));
    expect(told.at(-1)).toMatchObject({ succeeded: 3, failed: 1 });
    expect(heard.sort()).toEqual(["0 About a0 a0", "1 About a1 a1", "2 About a2 a2"]);
    expect(report).toMatchObject({ written: 3, requests: 3 });
  });

  test("is rejected when the run is hopeless: a wrong key at once, an unknown model, 20 articles without a text", async () => {
    const server = await simulator({ apiKeys: [KEY], poison: "plain" });
    await using wrong = clientOf("anthropic", server.url, { apiKey: "sk-wrong" });
    expect(await caught(wrong.batchAnalyze(articles(50)))).toMatchObject({
      code: "authentication_failed",
      status: 401,
    });
    expect((await server.stats()).requests).toBeLessThan(50);
    await using unknown = clientOf("openai", server.url, { model: "unknown-1" });
    expect(await caught(unknown.batchAnalyze(articles(5)))).toMatchObject({ code: "unknown_model" });
    await using client = clientOf("openai", server.url, { maxConcurrent: 4 });
    expect(await caught(client.batchAnalyze(articles(100)))).toMatchObject({ code: "hopeless", status: 400 });
    const bodies = Array.from({ length: 30 }, () => ({ headline: "a", body: "b" }));
    expect(await caught(client.batchAnalyze(bodies as never))).toMatchObject({
      code: "invalid_option",
      message: expect.stringContaining("headline, body"),
    });
  });

  test("survives faults by retrying, and fails nothing that may succeed", async () => {
    const server = await simulator({
      faults: { error500: 0.2, resetMidBody: 0.1, rateLimit429: 0.1 },
      retryAfter: false,
    });
    await using client = clientOf("openai", server.url, { retryBaseDelay: 1, maxRetries: 20 });
    let report: RunReport | undefined;
    const results = await client.batchAnalyze(articles(60), {
      onReport(ended) {
        report = ended;
      },
    });
    expect(results.map(idOf)).toEqual(ids(60));
    expect(report?.retries).toBeGreaterThan(0);
  });

  test("stops at once when its signal is aborted, and leaves the client usable", async () => {
    const server = await simulator({ latency: 200 });
    await using client = clientOf("openai", server.url, { maxConcurrent: 4 });
    const abort = new AbortController();
    const run = caught(
      client.batchAnalyze(articles(100), {
        signal: abort.signal,
        onProgress: ({ done }) => done === 2 && abort.abort(),
      }),
    );
    expect(await run).toMatchObject({ code: "aborted" });
    expect((await client.batchAnalyze(articles(2))).map(idOf)).toEqual(ids(2));
  });

  test("stops before it costs more than it may, by the client's prices, and has told what was done", async () => {
    const server = await simulator();
    await using client = clientOf("openai", server.url, {
      maxConcurrent: 1,
      prices: { "gpt-6-luna": { input: 1_000, output: 1_000 } },
    });
    let done = 0;
    const run = client.batchAnalyze(articles(200), { maxCost: 30, onResult: () => void done++ });
    expect(await caught(run)).toMatchObject({ code: "cost_cap_reached" });
    expect(done).toBeGreaterThan(0);
    const { inputTokensBilled, outputTokensBilled } = await server.stats();
    expect((inputTokensBilled + outputTokensBilled) / 1_000).toBeLessThanOrEqual(30);
  });

  test("ends with stage_failed when a listener throws", async () => {
    const server = await simulator();
    await using client = clientOf("openai", server.url);
    const broken = () => {
      throw new TypeError("no such function");
    };
    for (const listeners of [{ onResult: broken }, { onProgress: broken }, { onError: broken }]) {
      expect(await caught(client.batchAnalyze([article("a0"), null], listeners))).toMatchObject({
        code: "stage_failed",
        message: expect.stringContaining("no such function"),
      });
    }
  });
});

describe("the processor", () => {
  test("works in one go, and closes the client that it made but not one that it was given", async () => {
    const server = await simulator();
    await using client = clientOf("anthropic", server.url);
    const processor = new ArticleProcessor(client);
    expect((await processor.processArticles(articles(5), { maxConcurrent: 2 })).map(idOf)).toEqual(ids(5));
    await processor.close();
    expect(await client.analyzeArticle(article("a9"))).toBeTruthy();
    const own = new ArticleProcessor({ provider: "mistral", apiKey: KEY, baseURL: baseURL(server.url, "mistral") });
    expect((await own.processArticles(articles(2))).map(idOf)).toEqual(ids(2));
    await own.close();
    expect(await caught(own.processArticles(articles(2)))).toMatchObject({ code: "aborted" });
    expect((await server.stats()).peakInFlight).toBeLessThanOrEqual(2);
    expect(() => new ArticleProcessor({} as never)).toThrow(/provider/);
  });

  test("works batch by batch: none begins before the one before has ended and the pause is over", async () => {
    const server = await simulator({ latency: 30 });
    await using processor = new ArticleProcessor(clientOf("openai", server.url));
    const told: Progress[] = [];
    const results = await processor.processInBatches([...articles(7), null, ...articles(3)], {
      batchSize: 4,
      delayBetweenBatches: 150,
      onProgress: (progress) => told.push(progress),
    });
    await processor.client.close();
    expect(results.map((result) => idOf(result) ?? null)).toEqual([...ids(7), null, ...ids(3)]);
    expect(told.at(-1)).toEqual({ done: 11, total: 11, succeeded: 10, failed: 1 });
    const calls = await server.ledger();
    for (const [last, next] of [
      [3, 4],
      [6, 7],
    ] as const) {
      const ended = Math.max(...calls.slice(0, last + 1).map(({ endedAt }) => endedAt as number));
      expect((calls[next]?.arrivedAt ?? 0) - ended).toBeGreaterThanOrEqual(145);
    }
  });

  test("is not held up by its pause when it is aborted", TIMED, async () => {
    const server = await simulator();
    await using processor = new ArticleProcessor(clientOf("openai", server.url));
    const abort = new AbortController();
    const since = performance.now();
    const run = caught(
      processor.processInBatches(articles(6), {
        batchSize: 3,
        delayBetweenBatches: 60_000,
        signal: abort.signal,
        onProgress: ({ done }) => void (done === 3 && setTimeout(() => abort.abort(), 20)),
      }),
    );
    expect(await run).toMatchObject({ code: "aborted" });
    expect(performance.now() - since).toBeLessThan(10_000);
    await processor.client.close();
  });

  test("shows on stderr how far it has come", async () => {
    const server = await simulator();
    const script = `
      import { processArticles } from "./src/index.ts";
      await processArticles(${JSON.stringify(articles(3))}, ${JSON.stringify({
        provider: "openai",
        apiKey: KEY,
        baseURL: baseURL(server.url, "openai"),
        showProgress: true,
      })});`;
    const ended = await ran(["--input-type=module", "--eval", script]);
    expect(ended).toMatchObject({ code: 0, stdout: "" });
    expect(ended.stderr).toMatch(/^3 of 3 \(100 %\) articles, 0 failed, [\d.]+\/s\n$/);
    expect(progressText({ done: 50, total: 200, succeeded: 48, failed: 2 }, 10_000)).toBe(
      "50 of 200 (25 %) articles, 2 failed, 5.0/s, 30 s left",
    );
    expect(progressText({ done: 5, total: undefined, succeeded: 5, failed: 0 }, 1_000)).toBe(
      "5 articles, 0 failed, 5.0/s",
    );
  });

  test("is one function too, which takes the options of both", async () => {
    const server = await simulator({ latency: 20 });
    const results = await processArticles(articles(9), {
      provider: "claude",
      apiKey: KEY,
      baseURL: baseURL(server.url, "anthropic"),
      maxConcurrent: 3,
      batchSize: 4,
    });
    expect(results.map(idOf)).toEqual(ids(9));
    expect((await server.stats()).peakInFlight).toBe(3);
    await vi.waitFor(async () => expect((await server.stats()).openSockets).toBe(0));
    expect(await caught(processArticles([], { provider: "none" } as never))).toMatchObject({ code: "invalid_option" });
  });
});

test("a listener that cannot be called, and a provider under another name, are refused before anything is asked", async () => {
  const deaf = { onResult: 5 } as unknown as BatchesOptions;
  const processor = new ArticleProcessor({ provider: "local" });
  const told: readonly [Promise<unknown>, string][] = [
    [processor.client.batchAnalyze(articles(1), deaf), "batchAnalyze(): `onResult` must be a function."],
    [processor.processArticles(articles(1), deaf), "processArticles(): `onResult` must be a function."],
    [processor.processInBatches(articles(1), deaf), "processInBatches(): `onResult` must be a function."],
    [
      processArticles(articles(1), { providr: "local" } as never),
      'Say whom to ask: a client, or options such as { provider: "anthropic" }. Did you mean "provider" by "providr"?',
    ],
  ];
  for (const [refused, message] of told)
    expect(await caught(refused)).toMatchObject({ code: "invalid_option", message });
  expect(() => processArticlesSync([], { provider: "local", onError: 5 } as never)).toThrow(
    /`onError` must be a function/,
  );
  await processor.close();
});

describe("the blocking wrapper", () => {
  test("gives the same as the others, and tells what failed", async () => {
    const server = await simulator({ poison: "poisoned" });
    const options = {
      provider: "openai",
      apiKey: KEY,
      baseURL: baseURL(server.url, "openai"),
      maxConcurrent: 2,
    } as const;
    const failed: [number, MillraceError][] = [];
    const list = [...articles(3), null, { content: "poisoned" }, { body: 1n }] as never;
    let report: RunReport | undefined;
    const results = processArticlesSync(list, {
      ...options,
      onError: (error, _article, index) => failed.push([index, error]),
      onReport(ended) {
        report = ended;
      },
    });
    expect(results.slice(0, 3).map(idOf)).toEqual(ids(3));
    expect(results.slice(3)).toEqual([null, null, null]);
    const codes = failed.map(([index, { code }]) => [index, code]).sort();
    expect(codes).toEqual([
      [3, "not_an_object"],
      [4, "invalid_request"],
      [5, "missing_content"],
    ]);
    expect(report).toMatchObject({ written: 3 });
    expect(processArticlesSync([], options)).toEqual([]);
  });

  test("throws the same errors, by class and code, and takes the key that the environment has now", async () => {
    const server = await simulator({ apiKeys: [KEY], limits: { requestsPerMinute: 1, burst: 1 }, retryAfter: 30 });
    vi.stubEnv("MISTRAL_API_KEY", "sk-wrong");
    vi.stubEnv("MISTRAL_BASE_URL", baseURL(server.url, "mistral"));
    const error = await caught((async () => processArticlesSync(articles(2), { provider: "mistral" }))());
    expect(error).toMatchObject({ name: "ClientError", code: "authentication_failed", status: 401 });
    vi.stubEnv("MISTRAL_API_KEY", KEY);
    const limited = (maxWait: number) => processArticlesSync(articles(2), { provider: "mistral", maxWait });
    expect(await caught((async () => limited(50))())).toBeInstanceOf(RateLimitError);
    vi.unstubAllEnvs();
    expect(() => processArticlesSync([], { provider: "local", signal: new AbortController().signal } as never)).toThrow(
      /`signal`.*processArticles\(\)/,
    );
    expect(() => processArticlesSync(articles(1), { provider: "local", batchSise: 1 } as never)).toThrow(/batchS/);
  });

  test("lets the process end by itself, with progress while it blocks", async () => {
    const server = await simulator();
    const options = {
      provider: "anthropic",
      apiKey: KEY,
      baseURL: baseURL(server.url, "anthropic"),
      showProgress: true,
    };
    const script = `
      import { processArticlesSync } from "./src/index.ts";
      for (let round = 0; round < 2; round++) {
        console.log(processArticlesSync(${JSON.stringify(articles(3))}, ${JSON.stringify(options)}).length);
      }`;
    const ended = await ran(["--input-type=module", "--eval", script]);
    expect(ended).toMatchObject({ code: 0, stdout: "3\n3\n" });
    expect(ended.stderr).toContain("3 of 3 (100 %) articles");
  });
});

function ran(args: readonly string[]) {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  return endOf(child);
}
