/** Several keys, each a lane of its own, under virtual time: every key's quota filled, and hardly a refusal. */

import { describe, expect, test } from "vitest";
import { logNormal } from "./dice.ts";
import { live, type World } from "./world.ts";

const BURST = 1 / 30;
const requests = (aSecond: number) => ({ requestsPerMinute: aSecond * 60, burst: BURST });
const INPUT = { inputTokensPerMinute: 250 * 3_000, burst: BURST };
const OUTPUT = { outputTokensPerMinute: 250 * 3_000, burst: BURST };
const OPENAI = { tokensPerMinute: 1_000 * 3_000, burst: BURST };
const MISTRAL = { tokensPerMinute: 500 * 3_000, burst: BURST };

/** Seeds, latencies and distances that nothing was tuned on. */
const each = (world: World) =>
  [
    { seed: 31, roundTrip: 3, latency: () => 100 },
    { seed: 32, roundTrip: 15, latency: logNormal(110, 0.5) },
    { seed: 33, roundTrip: 50, latency: () => 170 },
  ].map((given) => live({ concurrency: 64, told: true, hint: "up", ...given, ...world }));

describe("keys of their own quota", () => {
  test.each<[string, Pick<World, "keys" | "vendor">, number]>([
    ["two, of requests", { keys: [requests(50), requests(50)] }, 100],
    ["three", { keys: [requests(50), requests(50), requests(50)] }, 150],
    ["two that differ", { keys: [requests(50), requests(15)] }, 65],
    ["two, of input, rounded", { keys: [INPUT, INPUT] }, 100],
    ["two, of output, rounded", { keys: [OUTPUT, OUTPUT] }, 100],
    ["two, of tokens, OpenAI", { vendor: "openai", keys: [OPENAI, OPENAI] }, 100],
    ["two, of tokens, Mistral", { vendor: "mistral", keys: [MISTRAL, MISTRAL] }, 100],
  ])("%s: all are filled, and refuse no more than one would", (_name, world, aSecond) => {
    // A burst of two seconds' worth, then 16 seconds.
    for (const run of each({ records: aSecond * 18, ...world })) {
      expect(run.answered).toBe(aSecond * 18);
      expect(run.elapsed).toBeLessThan(16_000 / 0.97 + 700);
      expect(run.refused).toBeLessThanOrEqual(5);
    }
  });

  test("one of which somebody else uses too: he gets his share, and the other key is filled", () => {
    for (const run of each({ records: 1_600, keys: [requests(50), requests(50)], others: 15 })) {
      expect(run.elapsed).toBeLessThan(((1_600 - 200) / 85) * 1_000 * 1.1);
      expect(run.refused).toBeLessThan(35);
      expect(run.othersRefused).toBeLessThan(run.elapsed * 0.015 * 0.05);
    }
  });
});

test("two keys of one quota carry what one does, with hardly a refusal, and it is told that they share it", () => {
  for (const run of each({ records: 900, keys: [requests(50), undefined] })) {
    expect(run.elapsed).toBeLessThan(16_000 / 0.97 + 700);
    expect(run.refused).toBeLessThanOrEqual(10);
    expect(run.events.map(({ type }) => type)).toContain("quota-shared");
  }
});
