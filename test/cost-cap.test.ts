/** What runs cost and are kept from costing, held against what the simulator bills. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline as nodePipeline } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import {
  analyze,
  anthropic,
  fallback,
  lanes,
  openai,
  type Provider,
  pipeline,
  projectedCost,
  type RunError,
  type RunReport,
  read,
  write,
} from "../src/index.ts";
import type { SimulatorOptions } from "../src/simulator/simulator.ts";
import { articles, baseURL, cli, environment, folder, KEY, readRows, simulator, writeLines } from "./support.ts";

type Server = Awaited<ReturnType<typeof simulator>>;

const MILLION = 1_000_000;

/** US dollars a million tokens, in and out, as the vendors' pages say (2026-11). */
const PRICES: Readonly<Record<string, readonly [number, number]>> = {
  "claude-haiku-4-5": [1, 5],
  "gpt-6-luna": [0.1, 0.5],
  "mistral-small-latest": [0.1, 0.3],
};

/** What the simulator has billed, US dollars. */
async function billed(server: Server): Promise<number> {
  const calls = await server.ledger();
  return calls.reduce((sum, { model, inputTokens, outputTokens }) => {
    const [input, output] = PRICES[model] ?? [0, 0];
    return sum + (inputTokens * input + outputTokens * output) / MILLION;
  }, 0);
}

const claude = (server: Server, options = {}) =>
  anthropic({ apiKey: KEY, baseURL: baseURL(server.url, "anthropic"), ...options });

interface Given {
  readonly provider: Provider;
  readonly maxCost?: number;
  readonly records?: number;
  readonly words?: number;
  readonly stage?: object;
}

/** A run of articles, with how it ended. */
async function run({ provider, maxCost, records = 4_000, words = 40, stage = {} }: Given) {
  const cwd = folder();
  const options = {
    deadLetters: write(join(cwd, "failed.ndjson")),
    store: join(cwd, "store.db"),
    ...(maxCost === undefined ? {} : { maxCost }),
  };
  const asked = analyze({ provider, concurrency: 100, retryBaseDelay: 10, ...stage });
  let error: RunError | undefined;
  const report = await pipeline(read(articles(records, words)), asked, write(join(cwd, "out.ndjson")), options).catch(
    (fault: RunError) => {
      error = fault;
      return fault.report;
    },
  );
  return { report: report as RunReport, error, cwd };
}

describe("a cap on the cost", () => {
  test("ends the run in good order before it is passed, with a hundred calls at a time and most of it used", async () => {
    const server = await simulator({ latency: { median: 20, sigma: 0.6 } });
    const { report, error, cwd } = await run({ provider: claude(server), maxCost: 0.5 });
    expect(error).toMatchObject({ code: "cost_cap_reached", scope: "run" });
    expect(error?.message).toMatch(/^Of the cap of \$0\.5000 on the cost \$0\.0\d+ is left, .* may cost \$0\.0\d+\./);
    const cost = await billed(server);
    expect(cost).toBeLessThanOrEqual(0.5);
    expect(cost).toBeGreaterThan(0.75 * 0.5);
    expect(report.cost).toBeCloseTo(cost, 6);
    // What was answered has come out, whole, under the partial name.
    const { answered } = await server.stats();
    expect(report.written).toBe(answered);
    expect(readRows(join(cwd, "out.ndjson.partial"))).toHaveLength(answered);
    expect(report.heldBackMs.budget).toBeGreaterThan(0);
  });

  const FAULTS: SimulatorOptions = {
    faults: {
      error500: 0.05,
      rateLimit429: 0.03,
      resetMidBody: 0.004,
      hang: 0.002,
      wrongSchema: 0.05,
      maxTokensCut: 0.05,
      timeout408: 0.002,
    },
    retryAfter: 0.01,
  };

  test.each([1, 2, 3])("is not passed under faults, timeouts, re-asks and cut answers (seed %i)", async (seed) => {
    const server = await simulator({ seed, latency: { min: 5, max: 60 }, ...FAULTS });
    const provider = claude(server, { maxOutputTokens: 512 });
    const { report, error } = await run({ provider, maxCost: 0.6, stage: { timeout: 1_000 } });
    expect(error?.code).toBe("cost_cap_reached");
    const cost = await billed(server);
    expect(cost).toBeLessThanOrEqual(0.6);
    expect(report.cost).toBeLessThanOrEqual(cost + 1e-6);
    expect(report.costAtMost).toBeGreaterThanOrEqual(cost - 1e-6);
    expect(report.costAtMost).toBeLessThanOrEqual(0.6);
    // What was reserved for calls whose end was not heard is spent.
    expect(cost).toBeGreaterThan(0.3);
  });

  test("holds over lanes of other prices and their fallback, whose calls it counts at their own", async () => {
    const server = await simulator({ latency: 10, refuse: "[[id:a7]]", faults: { refusal: 0.02 } });
    const gpt = openai({ apiKey: KEY, baseURL: baseURL(server.url, "openai") });
    const provider = fallback([lanes([claude(server), gpt]), claude(server)]);
    const { report, error } = await run({ provider, maxCost: 0.3 });
    expect(error?.code).toBe("cost_cap_reached");
    const cost = await billed(server);
    expect(report.cost).toBeCloseTo(cost, 6);
    expect(cost).toBeLessThanOrEqual(0.3);
    expect(cost).toBeGreaterThan(0.75 * 0.3);
  });

  test.each(["price", "maxOutputTokens"])("holds over lanes that differ in their %s only", async (what) => {
    let spent = 0;
    const own = (output: number, maxOutputTokens: number): Provider => ({
      name: "own",
      model: "m",
      baseURL: "http://own.invalid",
      maxOutputTokens,
      price: { input: 0, output },
      async complete() {
        await new Promise((resolve) => setTimeout(resolve, 2));
        const usage = { inputTokens: 1, outputTokens: maxOutputTokens };
        spent += (output * maxOutputTokens) / MILLION;
        return { text: "x", finishReason: "stop", usage, model: "m", requestId: undefined, limits: {} };
      },
      async close() {},
    });
    const dear = what === "price" ? own(50, 100) : own(1, 5_000);
    const { error } = await run({
      provider: lanes([dear, own(1, 100)]),
      maxCost: 0.05,
      stage: { prompt: ({ id }: { id: string }) => id, concurrency: 20 },
    });
    expect(error?.code).toBe("cost_cap_reached");
    expect(spent).toBeLessThanOrEqual(0.05 + 1e-9);
  });

  test("is shared by the stages of a run, whatever their providers", async () => {
    const server = await simulator({ latency: 10 });
    const first = analyze({ provider: claude(server), keep: ["content"], concurrency: 50 });
    const gpt = openai({ apiKey: KEY, baseURL: baseURL(server.url, "openai") });
    const second = analyze({ provider: gpt, prompt: ({ content }: { content: string }) => content, concurrency: 50 });
    const end = pipeline(read(articles(3_000)), first, second, write(join(folder(), "o.ndjson")), { maxCost: 0.3 });
    const { code, report } = await end.then(
      () => expect.unreachable(),
      (fault: RunError) => fault,
    );
    const cost = await billed(server);
    expect([code, report.cost]).toEqual(["cost_cap_reached", expect.closeTo(cost, 6)]);
    expect(cost).toBeLessThanOrEqual(0.3);
    expect(cost).toBeGreaterThan(0.75 * 0.3);
  });

  test("of a stage holds beside that of its run, and outside our pipeline too", async () => {
    const server = await simulator({ latency: 5 });
    const inside = await run({ provider: claude(server), maxCost: 5, stage: { maxCost: 0.1 } });
    expect(inside.error?.code).toBe("cost_cap_reached");
    expect(await billed(server)).toBeLessThanOrEqual(0.1);
    const stage = analyze({ provider: claude(server), maxCost: 0.1, concurrency: 50 });
    const end = nodePipeline(read(articles(3_000)), stage, write(join(folder(), "o.ndjson")));
    await expect(end).rejects.toMatchObject({ code: "cost_cap_reached" });
    expect(await billed(server)).toBeLessThanOrEqual(0.2);
  });

  test.each(["stop", "signal"] as const)("holds up no %s: what waits for room is let go at once", async (how) => {
    const server = await simulator({ faults: { hang: 1 } });
    const end = new AbortController();
    const asked = analyze({ provider: claude(server), concurrency: 100 });
    const options = { maxCost: 0.1, [how]: end.signal };
    const ended = pipeline(read(articles(200)), asked, write(join(folder(), "o.ndjson")), options);
    const { provider } = asked;
    await expect.poll(() => asked.report.calls?.providers[0]?.().heldBy).toBe("budget");
    const sent = asked.report.calls?.attempts;
    expect(sent).toBeGreaterThan(0);
    end.abort();
    // A stop lets calls in flight end: these never would.
    if (how === "stop") await provider.close();
    await expect(ended).rejects.toMatchObject({ code: "aborted" });
    expect(asked.report.calls?.attempts).toBe(sent);
  });

  test("sends nothing when not even the first call fits", async () => {
    const server = await simulator();
    const { error, report } = await run({ provider: claude(server), maxCost: 0.01, records: 5 });
    expect([error?.code, report.requests, report.cost]).toEqual(["cost_cap_reached", 0, 0]);
  });

  test("changes nothing where it is not reached", async () => {
    const server = await simulator();
    const { error, report } = await run({ provider: claude(server), maxCost: 100, records: 300 });
    expect([error, report.written]).toEqual([undefined, 300]);
  });

  test("makes no use of a refused call, and reserves for one whose end was not heard what it may have cost", async () => {
    const server = await simulator({ faults: { error500: 0.15, rateLimit429: 0.15 }, retryAfter: 0.01 });
    const refused = await run({ provider: claude(server), maxCost: 100, records: 60, stage: { maxRetries: 50 } });
    expect(refused.report.costAtMost).toBe(refused.report.cost);
    await server.set({ faults: { hang: 1 } });
    const stage = { timeout: 100, maxRetries: 0 };
    const unheard = await run({ provider: claude(server), records: 3, stage });
    expect(unheard.report).toMatchObject({ cost: 0, deadLettered: 3 });
    // The whole output limit of 4,096 tokens three times.
    expect(unheard.report.costAtMost).toBeGreaterThan((3 * 4_096 * 5) / MILLION);
  });
});

describe("the cost of a run", () => {
  test("is null where a model has no price, what was said where prices are said, and 0 where nothing was asked", async () => {
    const server = await simulator();
    const own = (options = {}) =>
      openai({ apiKey: KEY, baseURL: baseURL(server.url, "openai"), model: "own", ...options });
    const unknown = await run({ provider: own(), records: 3 });
    expect(unknown.report).toMatchObject({ cost: null, costAtMost: null, pricesDate: null });
    const said = await run({ provider: own({ price: { input: 1, output: 2 } }), records: 3 });
    const { inputTokens, outputTokens } = said.report.usage;
    expect(said.report.cost).toBeCloseTo((inputTokens + 2 * outputTokens) / MILLION, 9);
    expect(said.report.pricesDate).toBeNull();
    const end = pipeline(read(articles(3)), analyze({ provider: own() }), write(join(folder(), "o.ndjson")), {
      prices: { own: { input: 0, output: 1 } },
      maxCost: 1,
    });
    expect((await end).cost).toBeCloseTo(outputTokens / MILLION, 9);
  });

  test("counts cached input at its price", async () => {
    const server = await simulator({ cachedTokens: 200 });
    const { report } = await run({ provider: claude(server), records: 10 });
    const { inputTokens, outputTokens, cacheReadTokens } = report.usage;
    expect(cacheReadTokens).toBe(2_000);
    expect(report.cost).toBeCloseTo((inputTokens - 2_000 + 200 + 5 * outputTokens) / MILLION, 9);
    expect(report.pricesDate).toBe("2026-09-23");
  });

  test("refuses what can be no cap and no price", async () => {
    const provider = {
      name: "own",
      model: "own",
      maxOutputTokens: 1,
      baseURL: "http://x",
      complete: () => {},
      close: () => {},
    } as never;
    for (const options of [
      { maxCost: 0 },
      { maxCost: "5" },
      { maxCost: Number.NaN },
      { prices: [] },
      { prices: { a: { input: 1 } } },
      { prices: { a: { input: -1, output: 0 } } },
      { prices: { a: { input: 1, output: 1, cached: 2 } } },
    ]) {
      expect(() => analyze({ provider, ...(options as object) })).toThrow(
        expect.objectContaining({ code: "invalid_option" }),
      );
      const end = pipeline(read([]), write(join(folder(), "o.ndjson")), options as never);
      await expect(end).rejects.toMatchObject({ code: "invalid_option" });
    }
    expect(() => anthropic({ apiKey: KEY, price: { input: 1 } as never })).toThrow(/`output` must be US dollars/);
  });
});

test("a projected cost goes on from what the records cost that made calls", () => {
  const report = { cost: 2, written: 190, deadLettered: 10, dropped: 0, cached: 100 };
  expect(projectedCost(report, 1_000)).toBe(2 + 800 * 0.02);
  expect(projectedCost(report, 200)).toBe(2);
  expect(projectedCost({ ...report, cost: null }, 1_000)).toBeNull();
  expect(projectedCost({ ...report, cost: 0, cached: 200 }, 1_000)).toBeNull();
});

describe("--max-cost", () => {
  const ARGS = ["analyze", "in.ndjson", "-o", "out.ndjson", "-c", "50"];

  test("stops with exit 3, says what the run has cost, and the same command goes on where it was", async () => {
    const cwd = folder();
    const server = await simulator();
    writeLines(join(cwd, "in.ndjson"), articles(150));
    const env = environment(server.url, "anthropic");
    const capped = await cli([...ARGS, "--max-cost", "0.1", "--report", "report.json"], { cwd, env });
    expect([capped.code, capped.stdout]).toEqual([3, ""]);
    expect(capped.stderr).toMatch(/millrace: Of the cap of \$0\.1000 on the cost .* --max-cost/);
    expect(capped.stderr).toMatch(/cost {9}\$0\.0\d+ \(prices of 2026-09-23\)/);
    expect(capped.stderr).toContain("run the same command again to go on");
    const report = JSON.parse(readFileSync(join(cwd, "report.json"), "utf8"));
    const first = await billed(server);
    expect(report.cost).toBeCloseTo(first, 6);
    expect(first).toBeLessThanOrEqual(0.1);

    const whole = await cli([...ARGS, "--max-cost", "$10"], { cwd, env });
    expect(whole.code).toBe(0);
    expect(readRows(join(cwd, "out.ndjson"))).toHaveLength(150);
    expect((await server.stats()).requests).toBe(150);
    const again = await cli([...ARGS, "--max-cost", "0.001"], { cwd, env });
    expect(again.code).toBe(0);
    expect(again.stderr).not.toContain("  cost");
  });

  test("needs a price: exit 2, nothing sent, with how to say it; without it the cost is shown as unknown", async () => {
    const cwd = folder();
    const server = await simulator();
    writeLines(join(cwd, "in.ndjson"), articles(3));
    const env = environment(server.url, "openai");
    const args = [...ARGS, "--model", "own-model"];
    const capped = await cli([...args, "--max-cost", "5"], { cwd, env });
    expect(capped.code).toBe(2);
    expect(capped.stderr).toMatch(
      /price of "own-model" \(openai\).*prices: \{ "own-model": \{ input: 1, output: 5 \} \}/,
    );
    expect((await server.stats()).requests).toBe(0);
    const uncapped = await cli(args, { cwd, env });
    expect(uncapped.code).toBe(0);
    expect(uncapped.stderr).toMatch(/tokens .*\d+ in .* \d+ out\n {2}cost {9}unknown/);
  });

  test.each(["0", "-1", "abc", "1e3", "", "5 USD"])("refuses %j with exit 2", async (text) => {
    const ended = await cli([...ARGS, `--max-cost=${text}`], { cwd: folder() });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("--max-cost takes US dollars");
  });
});
