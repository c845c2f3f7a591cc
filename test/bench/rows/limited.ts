/** (d) A provider that lets through 50 requests a second. */

import { compare } from "../compare.ts";
import type { Row } from "../row.ts";
import { COLUMNS, linesOf, middle, worst } from "./medians.ts";

/** Requests a second, and as many at once after a rest. */
const RATE = 50;
const BURST = 100;

export const limited: Row = {
  title: `1,000 articles × 2,000 words under a limit of ${RATE} requests/s (burst ${BURST}), 200 ms a call`,
  run: async (context) => {
    const { seed, concurrency, latency, scale } = context;
    const count = Math.round(1_000 * scale);
    const limits = { requestsPerMinute: RATE * 60, burst: BURST / (RATE * 60) };
    const entrants = context.peers.map((peer) => ({ peer }));
    const simulator = { latency, limits };
    const runs = await compare({ count, words: 2_000, seed, concurrency, simulator, entrants }, context);
    const refused = (who: string) => middle(runs, who, ({ refused429 }) => refused429);
    const bars = [
      { row: "d", what: "without an answer", value: worst(runs, "millrace", (run) => run.lost + run.failed), most: 0 },
      { row: "d", what: "429s ÷ SDK + p-map's", value: refused("millrace") / refused("sdk-p-map"), most: 1 / 20 },
    ];
    return { lines: linesOf(runs, COLUMNS), bars, runs: Object.fromEntries(runs) };
  },
};
