/** What is kept of a run's course, however long it takes. */

import { describe, expect, test } from "vitest";
import { History } from "../../src/telemetry/history.ts";
import { Latencies } from "../../src/telemetry/latency.ts";
import { Newest } from "../../src/telemetry/newest.ts";
import { limitNames, perMinute } from "../../src/telemetry/page/series.js";
import { visible } from "../../src/telemetry/page/words.js";

/** A point that knows which samples it stands for. */
interface Span {
  readonly from: number;
  readonly to: number;
}

describe("a history", () => {
  const history = () =>
    new History<Span>({ most: 60, merge: (first, second) => ({ from: first.from, to: second.to }) });

  test("never has more points than it may, and they stand for all samples without a gap", () => {
    const kept = history();
    for (let at = 0; at < 86_400; at++) {
      kept.add({ from: at, to: at });
      expect(kept.points.length).toBeLessThanOrEqual(60);
    }
    kept.finish();
    const { points } = kept;
    expect(points.length).toBeGreaterThanOrEqual(30);
    expect(points[0]?.from).toBe(0);
    expect(points.at(-1)?.to).toBe(86_399);
    for (const [at, { from }] of points.entries()) if (at > 0) expect(from).toBe((points[at - 1]?.to ?? 0) + 1);
  });

  test("keeps every sample while there is room", () => {
    const kept = history();
    for (let at = 0; at < 60; at++) kept.add({ from: at, to: at });
    expect(kept.points).toHaveLength(60);
    expect(kept.step).toBe(1);
  });
});

describe("latencies", () => {
  test("tell a percentile to within three of a hundred, from one call or a hundred thousand", () => {
    const latencies = new Latencies();
    expect(latencies.quantile(0.5)).toBeNull();
    for (let ms = 1; ms <= 100_000; ms++) latencies.add(ms);
    for (const q of [0.5, 0.95, 0.99]) {
      expect(Math.abs((latencies.quantile(q) ?? 0) / (100_000 * q) - 1)).toBeLessThan(0.03);
    }
    const one = new Latencies();
    one.add(1_234);
    expect(Math.abs((one.quantile(0.99) ?? 0) / 1_234 - 1)).toBeLessThan(0.03);
  });

  test("of two whiles together are those of the whole", () => {
    const [first, second, whole] = [new Latencies(), new Latencies(), new Latencies()];
    for (let ms = 1; ms <= 1_000; ms++) {
      (ms % 3 === 0 ? first : second).add(ms);
      whole.add(ms);
    }
    const together = new Latencies().join(first).join(second);
    expect(together.count).toBe(1_000);
    for (const q of [0.1, 0.5, 0.9]) expect(together.quantile(q)).toBe(whole.quantile(q));
  });
});

describe("the newest", () => {
  test("are given to each reader once, as far as they are still kept", () => {
    const lines = new Newest<number>(3);
    for (const line of [1, 2, 3, 4, 5]) lines.add(line);
    expect(lines.since(0)).toEqual([3, 4, 5]);
    expect(lines.since(4)).toEqual([5]);
    expect(lines.since(5)).toEqual([]);
  });
});

describe("a chart", () => {
  test("shows what a total grew by a minute, over five seconds at least", () => {
    const points = Array.from({ length: 20 }, (_, at) => ({ time: at, written: at * 2 }));
    const rates = perMinute(points as never, ({ written }) => written);
    expect(rates[0]).toBeNull();
    expect(rates.slice(1).every((rate) => rate === 120)).toBe(true);
  });

  test("names a limit's provider and key only where there are several", () => {
    expect(limitNames(["anthropic/1/input/provider"])("anthropic/1/input/provider")).toBe("input tokens");
    const two = ["a/b/1/input/provider", "a/b/2/input/own"];
    expect(two.map(limitNames(two))).toEqual(["a/b 1: input tokens", "a/b 2: input tokens (own)"]);
  });
});

describe("a text of others", () => {
  test("is shown with what cannot be seen written out", () => {
    expect(visible("a\u202eb\u0000c\u200bd")).toBe("a\\u202eb\\u0000c\\u200bd");
    expect(visible("<script>alert(1)</script> ümläut عربي 漢字 🎉")).toBe(
      "<script>alert(1)</script> ümläut عربي 漢字 🎉",
    );
  });
});
