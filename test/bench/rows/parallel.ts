/** (b) and (c): many articles, many at a time, with a provider that takes its time and with one that takes none. */

import { compare } from "../compare.ts";
import type { Bar, Context, Row } from "../row.ts";
import { COLUMNS, cpuPerArticle, linesOf, middle, perSecond, type Runs } from "./medians.ts";

const run = (context: Context, latency: number): Promise<Runs> => {
  const count = Math.round(2_000 * context.scale);
  const entrants = context.peers.map((peer) => ({ peer }));
  const { seed, concurrency } = context;
  return compare({ count, words: 2_000, seed, concurrency, simulator: { latency }, entrants }, context);
};

const ratio = (runs: Runs, other: string, number: Parameters<typeof middle>[2]): number =>
  middle(runs, "millrace", number) / middle(runs, other, number);

export const slow: Row = {
  title: "2,000 articles × 2,000 words, 100 in flight, 200 ms a call",
  run: async (context) => {
    const runs = await run(context, context.latency);
    const bars: Bar[] = [
      { row: "b", what: "wall ÷ the floor's", value: ratio(runs, "floor", ({ wallMs }) => wallMs), most: 1.05 },
      { row: "b", what: "CPU per article ÷ the floor's", value: ratio(runs, "floor", cpuPerArticle), most: 1.5 },
      { row: "b", what: "CPU per article ÷ SDK + p-map's", value: ratio(runs, "sdk-p-map", cpuPerArticle), most: 0.75 },
      { row: "b", what: "peak RSS ÷ SDK + p-map's", value: ratio(runs, "sdk-p-map", ({ rssMB }) => rssMB), most: 0.7 },
    ];
    return { lines: linesOf(runs, COLUMNS), bars, runs: Object.fromEntries(runs) };
  },
};

export const quick: Row = {
  title: "the same at 0 ms a call",
  run: async (context) => {
    const runs = await run(context, 0);
    const value = ratio(runs, "sdk-p-map", perSecond);
    const bars = [{ row: "c", what: "articles/s ÷ SDK + p-map's", value, least: 1.3 }];
    return { lines: linesOf(runs, COLUMNS), bars, runs: Object.fromEntries(runs) };
  },
};
