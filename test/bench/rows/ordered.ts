/** (f) Calls of very different lengths, where keeping the order could cost time. */

import { compare } from "../compare.ts";
import type { Row } from "../row.ts";
import { COLUMNS, linesOf, middle, perSecond } from "./medians.ts";

const ORDERED = "millrace";
const UNORDERED = "millrace, unordered";

export const uneven: Row = {
  title: "2,000 articles × 2,000 words, 100 in flight, log-normal latencies (median 200 ms, σ = 1)",
  run: async (context) => {
    const { seed, concurrency, latency, scale, peers } = context;
    const count = Math.round(2_000 * scale);
    const others = peers.filter((peer) => peer === "readable-map" || peer === "sdk-p-map");
    const entrants = [
      { peer: "millrace", label: ORDERED },
      { peer: "millrace", label: UNORDERED, ordered: false },
      ...others.map((peer) => ({ peer })),
    ];
    const simulator = { latency: { median: latency, sigma: 1 } };
    const runs = await compare({ count, words: 2_000, seed, concurrency, simulator, entrants }, context);
    const value = middle(runs, ORDERED, perSecond) / middle(runs, UNORDERED, perSecond);
    const bars = [{ row: "f", what: "articles/s, ordered ÷ unordered", value, least: 0.95 }];
    return { lines: linesOf(runs, COLUMNS), bars, runs: Object.fromEntries(runs) };
  },
};
