/** (e) A provider that fails in every way that ends by itself. One that hangs is left out: most peers would wait ten minutes. */

import { compare } from "../compare.ts";
import type { Row } from "../row.ts";
import { COLUMNS, linesOf, worst } from "./medians.ts";

/** Shares of calls; three in ten fail. */
const FAULTS = {
  error500: 0.06,
  overloaded529: 0.04,
  resetBeforeHeaders: 0.025,
  resetMidBody: 0.025,
  cutBody: 0.04,
  htmlBody: 0.03,
  rateLimit429: 0.03,
  wrongSchema: 0.04,
  timeout408: 0.02,
};

export const faulty: Row = {
  title: "1,000 articles × 2,000 words under faults (31 % of calls), 200 ms a call",
  run: async (context) => {
    const { seed, concurrency, latency, scale } = context;
    const count = Math.round(1_000 * scale);
    const simulator = { latency, faults: FAULTS };
    const entrants = context.peers.map((peer) => ({ peer }));
    const runs = await compare({ count, words: 2_000, seed, concurrency, simulator, entrants }, context);
    const bars = [
      { row: "e", what: "lost", value: worst(runs, "millrace", ({ lost }) => lost), most: 0 },
      { row: "e", what: "doubled", value: worst(runs, "millrace", ({ doubled }) => doubled), most: 0 },
      { row: "e", what: "wrong", value: worst(runs, "millrace", ({ wrong }) => wrong), most: 0 },
    ];
    return { lines: linesOf(runs, COLUMNS), bars, runs: Object.fromEntries(runs) };
  },
};
