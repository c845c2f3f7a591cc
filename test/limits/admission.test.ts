/** What admission promises, under virtual time: bounds, each for seeds and latencies that nothing was tuned on. */

import { describe, expect, test } from "vitest";
import { logNormal } from "./dice.ts";
import { live, type World } from "./world.ts";

const SEEDS = [11, 12, 13];
const perSecond = (rate: number, burst = 2 / 60) => ({ requestsPerMinute: rate * 60, burst });
const each = (world: World) => SEEDS.map((seed) => live({ ...world, seed }));

/** 1,000 records at 50 a second after a burst of 100: ideally 18 s. */
const fifty: World = { records: 1_000, concurrency: 64, limits: perSecond(50) };

/** The time in which 1,000 records can be answered at 50 a second, and the last one's own latency. */
const IDEAL = 18_000;

describe("a limit that nobody tells", () => {
  const spread = (ms: number) => logNormal(ms, 0.3);
  // What is refused while the first refusal is under way: a client starts a call in 0.2 ms.
  test.each<[string, Partial<World>, number]>([
    ["of requests", { hint: "up" }, 40],
    ["of requests, with no word of how long to wait", {}, 40],
    ["of requests, with exact hints", { hint: "exact", latency: spread(150) }, 40],
    ["of requests, with answers that take a second", { hint: "up", latency: spread(800), roundTrip: 30 }, 60],
    ["of input", { hint: "up", limits: { inputTokensPerMinute: 250 * 3_000, burst: 1 / 30 } }, 40],
    ["of output", { hint: "up", limits: { outputTokensPerMinute: 250 * 3_000, burst: 1 / 30 } }, 40],
    ["of output, exact", { hint: "exact", limits: { outputTokensPerMinute: 250 * 3_000, burst: 1 / 30 } }, 60],
    ["of tokens, OpenAI", { vendor: "openai", limits: { tokensPerMinute: 1_000 * 3_000, burst: 1 / 30 } }, 40],
    ["of tokens, Mistral", { vendor: "mistral", limits: { tokensPerMinute: 500 * 3_000, burst: 1 / 30 } }, 40],
    [
      "of tokens, Mistral, which does not say so",
      { vendor: "mistral", unnamed: true, hint: "up", limits: { tokensPerMinute: 500 * 3_000, burst: 1 / 30 } },
      50,
    ],
    [
      "of output, with refusals that do not name it",
      {
        unnamed: true,
        hint: "up",
        latency: spread(150),
        limits: { outputTokensPerMinute: 250 * 3_000, burst: 1 / 30 },
      },
      80,
    ],
    ["found by `auto`", { concurrency: undefined as never }, 40],
  ])("%s is found and filled", (_name, world, most) => {
    for (const run of each({ ...fifty, ...world })) {
      expect(run.answered).toBe(1_000);
      expect(run.elapsed).toBeLessThan(IDEAL * 1.08 + 1_500);
      expect(run.refused).toBeLessThanOrEqual(most);
    }
  });

  test.each([60, 110, 140, 300, 700])(
    "is met by few calls at %s ms, whatever it counts, and hardly costs time",
    (ms) => {
      const latency = logNormal(ms, 0.02);
      const output = { outputTokensPerMinute: 250 * 3_000, burst: 1 / 30 };
      for (const run of [
        ...each({ ...fifty, hint: "up", latency }),
        ...each({ ...fifty, hint: "up", latency, limits: output }),
      ]) {
        // What starts while the first refusal is on its way: of a short round, more calls a ms.
        expect(run.refused).toBeLessThanOrEqual(ms < 100 ? 35 : 20);
        expect(run.elapsed).toBeLessThan(IDEAL + ms + 1_500);
      }
    },
  );

  test("once found, is met about every five seconds", () => {
    for (const run of each({ ...fifty, records: 5_000, hint: "up" })) {
      const later = run.refusals.filter((at) => at > 5_000);
      expect(later.length).toBeLessThan(run.elapsed / 3_000);
    }
  });

  test("of one call a second is found too", () => {
    for (const run of each({ records: 120, concurrency: 8, limits: perSecond(1, 1 / 60), hint: "up" })) {
      expect(run.elapsed).toBeLessThan(120_000 * 1.25);
      expect(run.refused).toBeLessThan(50);
    }
  });

  test("that halves and doubles again is followed within ten seconds, without a storm", () => {
    const changes = [
      [20_000, perSecond(25)],
      [60_000, perSecond(50)],
    ] as const;
    for (const run of each({ ...fifty, records: 4_000, hint: "up", changes })) {
      const answered = (from: number, to: number) => run.answers.filter((at) => at >= from && at < to).length;
      // What the bucket held at the change is used up first.
      expect(answered(30_000, 60_000)).toBeGreaterThan(30 * 25 * 0.9);
      expect(answered(70_000, 75_000)).toBeGreaterThan(5 * 50 * 0.9);
      expect(run.refused).toBeLessThan(run.answered * 0.05);
    }
  });
});

describe("a limit that answers tell", () => {
  test.each<[string, Partial<World>]>([
    ["of requests", {}],
    ["of input, rounded to thousands", { limits: { inputTokensPerMinute: 250 * 3_000, burst: 1 / 30 } }],
    ["of output, rounded to thousands", { limits: { outputTokensPerMinute: 250 * 3_000, burst: 1 / 30 } }],
    ["of tokens, OpenAI", { vendor: "openai", limits: { tokensPerMinute: 1_000 * 3_000, burst: 1 / 30 } }],
    ["of tokens, Mistral", { vendor: "mistral", limits: { tokensPerMinute: 500 * 3_000, burst: 1 / 30 } }],
    ["of requests, with latencies that differ", { latency: logNormal(130, 0.5) }],
  ])("%s is filled to 97 % and hardly ever met", (_name, world) => {
    for (const run of each({ ...fifty, told: true, hint: "up", ...world })) {
      expect(run.elapsed).toBeLessThan(IDEAL / 0.97 + 500);
      expect(run.refused).toBeLessThanOrEqual(5);
    }
  });

  test("is shared with others who use the same key", () => {
    for (const others of [5, 10, 20]) {
      for (const run of each({ ...fifty, told: true, hint: "up", others })) {
        expect(run.elapsed).toBeLessThan((900_000 / (50 - others)) * 1.1);
        expect(run.refused).toBeLessThan(40);
        expect(run.othersRefused).toBeLessThan((run.elapsed / 1_000) * others * 0.02);
      }
    }
  });

  const both = { requestsPerMinute: 3_030, inputTokensPerMinute: 250 * 3_000, burst: 1 / 30 };

  test.each<[string, Partial<World>]>([
    ["which refusals name", {}],
    ["which refusals do not name", { unnamed: true }],
  ])("does not hide one that is not told, %s", (_name, named) => {
    for (const run of each({ ...fifty, limits: both, told: ["requests"], hint: "up", ...named })) {
      expect(run.elapsed).toBeLessThan(IDEAL * 1.08 + 500);
      expect(run.refused).toBeLessThanOrEqual(40);
      expect(run.events.map(({ type }) => type)).toContain("pace");
    }
  });

  test("that tells of nothing left while calls are refused for something else is no cause for a storm", () => {
    // A second bucket, of which the headers say nothing, gives a fifth of what is told.
    for (const run of each({
      ...fifty,
      records: 200,
      limits: perSecond(10, 1 / 30),
      told: true,
      hint: "up",
      boast: 5,
    })) {
      expect(run.elapsed).toBeLessThan(18_000 * 1.2 + 2_000);
      expect(run.refused).toBeLessThan(60);
    }
  });

  test.each([5, 0.2])(
    "is kept from estimates that are wrong by %s times, within 20 refusals of the first calls",
    (wrong) => {
      const limits = { inputTokensPerMinute: 1_000 * 600, burst: 1 / 10 };
      const world: World = {
        records: 600,
        concurrency: 32,
        limits,
        told: true,
        hint: "up",
        length: 4_000 / wrong,
        tokens: { input: 1_000 },
      };
      for (const run of each(world)) {
        expect(run.refused).toBeLessThanOrEqual(20);
        expect(run.elapsed).toBeLessThan(54_000 * 1.05 + 1_000);
      }
    },
  );
});

describe("concurrency", () => {
  test("`auto` finds the knee of a server, with under 2 % of calls refused", () => {
    for (const latency of [() => 100, logNormal(180, 0.4)]) {
      for (const run of each({ records: 20_000, knee: 200, latency })) {
        expect(run.refused).toBeLessThan(20_000 * 0.02);
        expect(run.peak).toBeLessThan(270);
      }
    }
    for (const run of each({ records: 20_000, knee: 200 }))
      expect(run.elapsed).toBeLessThan((20_000 / 200) * 104 * (1 / 0.9));
  });

  test("of a number is never passed, and needs no warming up", () => {
    for (const run of each({ records: 5_000, concurrency: 64 })) {
      expect(run.peak).toBe(64);
      expect(run.elapsed).toBeLessThan((5_000 / 64) * 104 * 1.03);
    }
  });
});

describe("refusals that have nothing to do with our rate", () => {
  test("overload on 5 % of calls, however few are in flight, does not starve the run", () => {
    for (const run of each({ records: 20_000, concurrency: 64, unrelated: { share: 0.05, hint: undefined } })) {
      const until = run.answers[16_000] ?? Number.POSITIVE_INFINITY;
      expect(until).toBeLessThan(((16_000 * 104) / 64) * 1.25);
    }
  });

  test("an 89 s hint on 5 % of calls costs less than a tenth of the throughput", () => {
    for (const run of each({ records: 20_000, concurrency: 64, unrelated: { share: 0.05, hint: 89_000 } })) {
      const until = run.answers[16_000] ?? Number.POSITIVE_INFINITY;
      expect(until).toBeLessThan(((16_000 * 104) / 64) * 1.1);
    }
  });
});

describe("an outage", () => {
  test("of ten minutes ends by itself; no record fails, and few calls are spent on it", () => {
    for (const run of each({ records: 3_000, concurrency: 64, outage: [2_000, 602_000] })) {
      expect(run).toMatchObject({ answered: 3_000, failed: 0 });
      const back = run.answers.find((at) => at > 602_000) ?? Number.POSITIVE_INFINITY;
      expect(back).toBeLessThan(602_000 + 32_000);
      expect(run.events.filter(({ type }) => type === "probe").length).toBeLessThan(40);
      expect(run.events.map(({ type }) => type)).toContain("resumed");
    }
  });
});
