/** Limit headers of all vendors, as they come. */

import { describe, expect, test } from "vitest";
import { readTold, resetMs } from "../../src/limits/told.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const MINUTE = 60_000;
const DAY = 86_400_000;

describe("limit headers", () => {
  test("of Anthropic: requests, input and output; the combined set is none of its own beside them", () => {
    const headers = {
      "anthropic-ratelimit-requests-limit": "50",
      "anthropic-ratelimit-requests-remaining": "49",
      "anthropic-ratelimit-requests-reset": "2026-11-22T12:00:01Z",
      "anthropic-ratelimit-input-tokens-limit": "50000",
      "anthropic-ratelimit-input-tokens-remaining": "48000",
      "anthropic-ratelimit-output-tokens-limit": "10000",
      "anthropic-ratelimit-output-tokens-remaining": "10000",
      "anthropic-ratelimit-tokens-limit": "60000",
      "anthropic-ratelimit-tokens-remaining": "58000",
      "retry-after": "3",
    };
    expect(readTold(headers, NOW)).toMatchObject([
      { kind: "requests", limit: 50, remaining: 49, window: MINUTE, step: 1 },
      { kind: "input", limit: 50_000, remaining: 48_000, step: 1_000 },
      { kind: "output", limit: 10_000, remaining: 10_000, step: 1_000 },
    ]);
    const alone = { "anthropic-ratelimit-tokens-limit": "60000", "anthropic-ratelimit-tokens-remaining": "58000" };
    expect(readTold(alone, NOW)).toMatchObject([{ kind: "tokens", limit: 60_000 }]);
  });

  test("of OpenAI, with durations; a day's limit under the same names is known by its reset", () => {
    const headers = {
      "x-ratelimit-limit-requests": "500",
      "x-ratelimit-remaining-requests": "499",
      "x-ratelimit-reset-requests": "120ms",
      "x-ratelimit-limit-tokens": "200000",
      "x-ratelimit-remaining-tokens": "150000",
      "x-ratelimit-reset-tokens": "15s",
    };
    expect(readTold(headers, NOW)).toMatchObject([
      { kind: "requests", limit: 500, remaining: 499, window: MINUTE },
      { kind: "tokens", limit: 200_000, remaining: 150_000, window: MINUTE },
    ]);
    const daily = {
      "x-ratelimit-limit-requests": "14400",
      "x-ratelimit-remaining-requests": "14370",
      "x-ratelimit-reset-requests": "2m59.56s",
    };
    expect(readTold(daily, NOW)).toMatchObject([{ kind: "requests", limit: 14_400, window: DAY }]);
  });

  test("of Mistral and of gateways, with their windows in the names; a month's is left out", () => {
    expect(
      readTold({ "x-ratelimit-limit-req-minute": "60", "x-ratelimit-remaining-req-minute": "59" }, NOW),
    ).toMatchObject([{ kind: "requests", limit: 60, remaining: 59, window: MINUTE }]);
    const sized = {
      "x-ratelimitbysize-limit-minute": "500000",
      "x-ratelimitbysize-remaining-minute": "499000",
      "x-ratelimitbysize-limit-month": "1000000000",
      "ratelimitbysize-reset": "13",
      "x-ratelimit-limit-second": "5",
      "x-ratelimit-remaining-second": "4",
    };
    expect(readTold(sized, NOW)).toMatchObject([
      { kind: "tokens", limit: 500_000, remaining: 499_000, window: MINUTE },
      { kind: "requests", limit: 5, window: 1_000 },
    ]);
    expect(readTold({ "ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "7" }, NOW)).toMatchObject([
      { kind: "requests", limit: 100, remaining: 7 },
    ]);
  });

  test.each<Record<string, string>>([
    { "x-ratelimit-limit-requests": "many" },
    { "x-ratelimit-limit-requests": "-5" },
    { "x-ratelimit-limit-requests": "0" },
    { "x-ratelimit-limit-requests": "1e999" },
    { "x-ratelimit-limit-input-images": "10" },
    { "anthropic-ratelimit-toasts-limit": "10" },
    { "x-ratelimit-remaining-requests": "10" },
    { "x-ratelimit-limit-__proto__": "10" },
  ])("that say nothing teach nothing: %j", (headers) => {
    expect(readTold(headers, NOW)).toEqual([]);
  });

  test("without what remains still teach the limit", () => {
    const told = readTold({ "x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "soon" }, NOW);
    expect(told).toMatchObject([{ limit: 60, remaining: undefined }]);
  });
});

describe("a reset", () => {
  test.each<[string | undefined, number | undefined]>([
    ["6m0s", 360_000],
    ["1h2m3.5s", 3_723_500],
    ["120ms", 120],
    ["1d", DAY],
    ["2026-11-22T12:00:30Z", 30_000],
    ["2026-11-22T13:00:30+01:00", 30_000],
    ["2026-11-22T11:00:00Z", 0],
    ["42", 42_000],
    [String(NOW / 1_000 + 5), 5_000],
    [String(NOW + 5), 5],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined],
    ["-3", undefined],
  ])("of %j", (text, ms) => {
    expect(resetMs(text, NOW)).toBe(ms);
  });
});
