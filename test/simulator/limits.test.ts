/** Limits: the bucket's arithmetic on a virtual clock, and what each vendor says of its limits. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Bucket } from "../../src/simulator/traffic/bucket.ts";
import { Quota } from "../../src/simulator/traffic/quota.ts";
import { goDuration } from "../../src/simulator/vendors/openai.ts";
import { askAnthropic, askChat, askMistral, type Reply, simulate, statusOf } from "./support.ts";

describe("a bucket", () => {
  test("never lets more through in any time than its capacity and the refill of that time", () => {
    const visit = fc.record({ pause: fc.nat(5_000), amount: fc.integer({ min: 1, max: 20 }) });
    fc.assert(
      fc.property(fc.array(visit, { maxLength: 60 }), (visits) => {
        const bucket = new Bucket(600, 20, { now: 0 });
        const takings: { at: number; amount: number }[] = [];
        let now = 0;
        for (const { pause, amount } of visits) {
          now += pause;
          if (bucket.wait(amount, now) > 0) continue;
          bucket.take(amount, now);
          takings.push({ at: now, amount });
          let sum = 0;
          for (const taking of takings.toReversed()) {
            sum += taking.amount;
            expect(sum).toBeLessThanOrEqual(20 + ((now - taking.at) * 600) / 60_000 + 1e-3);
          }
        }
      }),
    );
  });

  test("names the wait after which the amount may be taken, and not sooner", () => {
    const bucket = new Bucket(60, 10, { now: 1000 });
    bucket.take(10, 1000);
    expect(bucket.wait(3, 1000)).toBeCloseTo(3000);
    expect(bucket.wait(3, 3900)).toBeGreaterThan(0);
    expect(bucket.wait(3, 4000)).toBe(0);
    expect(bucket.untilFull(4000)).toBeCloseTo(7000);
  });

  test("lets an amount above its capacity pass when full, in debt, and one above a minute's limit never", () => {
    const bucket = new Bucket(600, 10, { now: 0 });
    expect(bucket.wait(500, 0)).toBe(0);
    bucket.take(500, 0);
    expect(bucket.level(0)).toBe(-490);
    expect(bucket.wait(1, 0)).toBeCloseTo(49_100);
    expect(bucket.wait(601, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  test("does not lose what it holds when the clock steps back", () => {
    const bucket = new Bucket(600, 10, { now: 100_000 });
    bucket.take(4, 100_000);
    expect(bucket.level(40_000)).toBe(6);
  });
});

describe("a quota", () => {
  test("takes nothing of any limit when one stands in the way", () => {
    const quota = new Quota({ requestsPerMinute: 10, inputTokensPerMinute: 100 }, 0);
    expect(quota.admit({ input: 90, tokens: 0 }, 0)).toBeUndefined();
    expect(quota.admit({ input: 90, tokens: 0 }, 0)).toMatchObject({ limit: "input", used: 90, requested: 90 });
    expect(quota.level("requests", 0)?.remaining).toBe(9);
  });

  test("refuses on the output that was really produced", () => {
    const quota = new Quota({ outputTokensPerMinute: 60 }, 0);
    expect(quota.admit({ input: 1, tokens: 1 }, 0)).toBeUndefined();
    quota.settle({ output: 90, tokens: 0 }, 0);
    expect(quota.admit({ input: 1, tokens: 1 }, 0)).toMatchObject({ limit: "output", wait: 30_000 });
  });

  test("keeps what is left when the limits change", () => {
    const quota = new Quota({ requestsPerMinute: 10 }, 0);
    for (let i = 0; i < 8; i++) quota.admit({ input: 1, tokens: 1 }, 0);
    quota.tune({ requestsPerMinute: 100, tokensPerMinute: 50 }, 0);
    expect(quota.level("requests", 0)).toMatchObject({ perMinute: 100, remaining: 2 });
    expect(quota.level("tokens", 0)).toMatchObject({ perMinute: 50, remaining: 50 });
  });
});

test("durations are written as Go writes them", () => {
  expect([0, 12, 999, 1000, 1500, 59_999, 360_000, 3_661_250].map(goDuration)).toEqual([
    "0s",
    "12ms",
    "999ms",
    "1s",
    "1.5s",
    "59.999s",
    "6m0s",
    "1h1m1.25s",
  ]);
});

describe("over the wire", () => {
  const limits = { requestsPerMinute: 3, inputTokensPerMinute: 40_000, outputTokensPerMinute: 8_000 };

  test("Anthropic tells limits in thousands of tokens and RFC 3339, and refuses with its body and whole seconds", async () => {
    const { url } = await simulate({ limits });
    const first = await askAnthropic(url, { text: "x".repeat(4000) });
    const told = (name: string) => first.headers.get(`anthropic-ratelimit-${name}`);
    expect([told("requests-limit"), told("requests-remaining")]).toEqual(["3", "2"]);
    expect([told("input-tokens-limit"), told("input-tokens-remaining")]).toEqual(["40000", "39000"]);
    expect([told("output-tokens-limit"), told("output-tokens-remaining")]).toEqual(["8000", "8000"]);
    expect([told("tokens-limit"), told("tokens-remaining")]).toEqual(["48000", "47000"]);
    expect(told("requests-reset")).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Date.parse(told("requests-reset") ?? "")).toBeGreaterThan(Date.now());
    await askAnthropic(url);
    await askAnthropic(url);
    const refused = await askAnthropic(url);
    expect(refused.status).toBe(429);
    expect(refused.json).toMatchObject({ type: "error", error: { type: "rate_limit_error" } });
    expect(refused.json.error.message).toContain("3 requests per minute");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(19);
    expect(refused.headers.get("x-should-retry")).toBe("true");
  });

  test("Anthropic counts neither cached input nor output that was only allowed for", async () => {
    const { url } = await simulate({ limits: { tokensPerMinute: 2_000 }, cachedTokens: 900 });
    const statuses = [];
    for (let i = 0; i < 8; i++)
      statuses.push((await askAnthropic(url, { text: "x".repeat(4000), maxTokens: 5_000 })).status);
    expect(statuses).toEqual(Array(8).fill(200));
  });

  test("OpenAI reserves max_tokens, says when to come back, and tells what asks for too much", async () => {
    const { url } = await simulate({ limits: { requestsPerMinute: 500, tokensPerMinute: 1000 } });
    const first = await askChat(url, { maxTokens: 700 });
    expect(first.headers.get("x-ratelimit-limit-tokens")).toBe("1000");
    expect(Number(first.headers.get("x-ratelimit-remaining-tokens"))).toBeLessThanOrEqual(310);
    expect(first.headers.get("x-ratelimit-remaining-requests")).toBe("499");
    expect(first.headers.get("x-ratelimit-reset-requests")).toMatch(/^\d+ms$/);
    expect(first.headers.get("x-ratelimit-reset-tokens")).toMatch(/^4[12](\.\d+)?s$/);
    const refused = await askChat(url, { maxTokens: 700 });
    expect(refused.status).toBe(429);
    expect(refused.json.error).toMatchObject({ type: "tokens", code: "rate_limit_exceeded", param: null });
    expect(refused.json.error.message).toMatch(
      /Limit 1000, Used \d+, Requested 700\. Please try again in 2\d(\.\d+)?s/,
    );
    const ms = Number(refused.headers.get("retry-after-ms"));
    expect(Number(refused.headers.get("retry-after"))).toBe(Math.ceil(ms / 1000));
    const never = await askChat(url, { maxTokens: 1001 });
    expect(never.json.error.message).toMatch(/^Request too large/);
    expect(never.headers.has("retry-after")).toBe(false);
  });

  test("Mistral tells its minutes and what a query cost, and no reset", async () => {
    const { url } = await simulate({ limits: { requestsPerMinute: 1, tokensPerMinute: 5000 } });
    const { headers, json } = await askMistral(url);
    expect(headers.get("x-ratelimit-limit-req-minute")).toBe("1");
    expect(headers.get("x-ratelimit-remaining-req-minute")).toBe("0");
    expect(headers.get("x-ratelimit-tokens-query-cost")).toBe(String(json.usage.total_tokens));
    expect(Number(headers.get("x-ratelimit-remaining-tokens-minute"))).toBeLessThanOrEqual(
      5000 - json.usage.total_tokens + 20,
    );
    expect([...headers.keys()].some((name) => name.includes("reset"))).toBe(false);
    const refused = await askMistral(url);
    expect(refused.json).toMatchObject({ object: "error", type: "rate_limited", code: "1300", raw_status_code: 429 });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(50);
  });

  test("headers and Retry-After can be left out or sent as a date or a number", async () => {
    const simulator = await simulate({ limits: { requestsPerMinute: 1 }, headers: false, retryAfter: false });
    const bare = (reply: Reply) => [...reply.headers.keys()].filter((name) => /ratelimit|retry-after/.test(name));
    expect(bare(await askChat(simulator.url))).toEqual([]);
    expect(bare(await askChat(simulator.url))).toEqual([]);
    simulator.set({ retryAfter: "date" });
    const dated = (await askChat(simulator.url)).headers.get("retry-after") ?? "";
    expect(dated).toMatch(/GMT$/);
    expect(Date.parse(dated)).toBeGreaterThan(Date.now());
    simulator.set({ retryAfter: 86_400 });
    expect((await askChat(simulator.url)).headers.get("retry-after")).toBe("86400");
  });

  test("each key has its own limits, or all keys of a vendor share them", async () => {
    const own = await simulate({ limits: { requestsPerMinute: 1 } });
    const shared = await simulate({ limits: { requestsPerMinute: 1, scope: "vendor" } });
    const statuses = async (url: string) => [
      (await askChat(url, { key: "one" })).status,
      (await askChat(url, { key: "two" })).status,
    ];
    expect(await statuses(own.url)).toEqual([200, 200]);
    expect(await statuses(shared.url)).toEqual([200, 429]);
  });

  test("limits can be lifted and set while it runs", async () => {
    const simulator = await simulate({ limits: { requestsPerMinute: 1 } });
    const statuses = [await statusOf(askChat(simulator.url)), await statusOf(askChat(simulator.url))];
    simulator.set({ limits: {} });
    statuses.push(await statusOf(askChat(simulator.url)));
    expect(statuses).toEqual([200, 429, 200]);
  });

  test("above the knee calls are refused as overload, below it all are answered", async () => {
    const { url } = await simulate({ knee: 5, latency: 60 });
    const burst = async (ask: typeof askChat | typeof askAnthropic) => {
      const statuses = await Promise.all(Array.from({ length: 12 }, (_, i) => ask(url, { text: `t${i}` })));
      return statuses.map(({ status }) => status).toSorted();
    };
    expect(await burst(askAnthropic)).toEqual([...Array(5).fill(200), ...Array(7).fill(529)]);
    expect(await burst(askChat)).toEqual([...Array(5).fill(200), ...Array(7).fill(503)]);
  });
});
