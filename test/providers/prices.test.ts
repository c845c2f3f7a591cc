import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { VENDORS } from "../../src/providers/models.ts";
import { costOf, mostOf, PRICES_DATE, type Price, priceOf } from "../../src/providers/prices.ts";

const MILLION = 1_000_000;
const known = (name: string, model: string): Price => {
  const price = priceOf({ name, model });
  if (price === undefined) throw new Error(`${model} has no price`);
  return price;
};

describe("a model's price", () => {
  test("is known for each vendor's default model, in input and output and with the day of the data", () => {
    const listed = Object.values(VENDORS).map(({ name, model }) => {
      const price = known(name, model);
      expect(price.date).toBe(PRICES_DATE);
      const one = (usage: object) => costOf(price, { inputTokens: 0, outputTokens: 0, ...usage });
      return [model, one({ inputTokens: 100_000 }) * 10, one({ outputTokens: MILLION })];
    });
    // As the vendors' pages say, 2026-11.
    expect(listed).toEqual([
      ["claude-haiku-4-5", expect.closeTo(1), 5],
      ["gpt-6-luna", expect.closeTo(0.1), 0.5],
      ["mistral-small-latest", expect.closeTo(0.1), expect.closeTo(0.3)],
    ]);
  });

  test("is dated by the very version of the data that is installed", () => {
    const entry = createRequire(import.meta.url).resolve("@pydantic/genai-prices");
    const { version } = JSON.parse(readFileSync(join(dirname(entry), "../package.json"), "utf8"));
    expect([version, PRICES_DATE]).toEqual(["0.1.8", "2026-09-23"]);
  });

  test("is found under a model's dated name, and not for names that only look like one", () => {
    expect(known("anthropic", "claude-haiku-4-5-20251001")).toEqual(known("anthropic", "claude-haiku-4-5"));
    for (const [name, model] of [
      ["openai", "llama-3-70b"],
      ["openai", "my-gpt-4o-mini"],
      ["openai", "mistral-small-latest"],
      ["anthropic", "unknown"],
      ["my-provider", "claude-haiku-4-5"],
    ] as const) {
      expect(priceOf({ name, model }), model).toBeUndefined();
    }
  });

  test("is what was said, before what is listed: for the provider, else by the model's name", () => {
    const prices = { "claude-haiku-4-5": { input: 2, output: 3 }, own: { input: 1, output: 1 } };
    const usage = { inputTokens: MILLION, outputTokens: MILLION };
    const cost = (one: Parameters<typeof priceOf>[0]) => costOf(priceOf(one, { prices }) as Price, usage);
    expect(cost({ name: "anthropic", model: "claude-haiku-4-5" })).toBeCloseTo(5);
    expect(cost({ name: "openai", model: "own" })).toBeCloseTo(2);
    expect(cost({ name: "openai", model: "own", price: { input: 0, output: 7 } })).toBeCloseTo(7);
    expect(priceOf({ name: "openai", model: "own" }, { prices })?.date).toBeUndefined();
    expect(priceOf({ name: "openai", model: "toString" }, { prices })).toBeUndefined();
  });

  test("is nothing for the embedded analyser", () => {
    expect(costOf(known("local", "local-extractive-1"), { inputTokens: 9, outputTokens: 9 })).toBe(0);
  });
});

describe("the cost of a call", () => {
  const usage = { inputTokens: 10_000, outputTokens: 1_000, cacheReadTokens: 8_000, cacheWriteTokens: 1_000 };

  test("prices what is read from and written to the cache by the vendor's rules", () => {
    // Claude Haiku 4.5: $1 in, $0.10 read, $1.25 written, $5 out.
    expect(costOf(known("anthropic", "claude-haiku-4-5"), usage)).toBeCloseTo(
      (1_000 * 1 + 8_000 * 0.1 + 1_000 * 1.25 + 1_000 * 5) / MILLION,
      12,
    );
    // Where no cache price is said, cached input costs what input does.
    const own = priceOf({ name: "x", model: "m" }, { prices: { m: { input: 1, output: 5 } } }) as Price;
    expect(costOf(own, usage)).toBeCloseTo((10_000 + 5_000) / MILLION, 12);
  });

  test("takes the price of long inputs for the whole call, where there is one", () => {
    const price = known("anthropic", "claude-sonnet-4-5");
    const cost = (inputTokens: number) => costOf(price, { inputTokens, outputTokens: 0 });
    expect(cost(200_000)).toBeCloseTo(0.6);
    expect(cost(200_001)).toBeCloseTo(1.2, 4);
  });

  test("is never above the most that so many tokens can cost, however they are cached", () => {
    const models = [
      known("anthropic", "claude-sonnet-4-5"),
      ...Object.values(VENDORS).map((v) => known(v.name, v.model)),
    ];
    for (const price of models) {
      for (const total of [0, 1, 5_000, 200_000, 200_001, 300_000]) {
        const most = mostOf(price, { inputTokens: total, outputTokens: 4_096 });
        for (const [read, written] of [
          [0, 0],
          [1, 0],
          [0, 1],
          [0.5, 0.5],
        ] as const) {
          for (const used of [total, Math.floor(total / 2)]) {
            const cached = { cacheReadTokens: Math.floor(used * read), cacheWriteTokens: Math.floor(used * written) };
            const cost = costOf(price, { inputTokens: used, outputTokens: 4_096, ...cached });
            expect(cost).toBeLessThanOrEqual(most + 1e-12);
          }
        }
      }
    }
  });
});
