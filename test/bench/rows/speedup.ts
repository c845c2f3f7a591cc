/** (a) The Python original's own table: how much faster than one call after the other. */

import { compare } from "../compare.ts";
import type { Bar, Context, Line, Outcome, Row } from "../row.ts";
import { middle, type Runs } from "./medians.ts";

/** The original's seconds a call, a tenth of them, and its calls in flight; what it claims and what we do. */
const CASES = [
  { vendor: "anthropic", latency: 500, concurrency: 10, claimed: 8.3, least: 9.6 },
  { vendor: "openai", latency: 600, concurrency: 5, claimed: 5.0, least: 4.8 },
  { vendor: "mistral", latency: 450, concurrency: 10, claimed: 6.4, least: 9.6 },
] as const;
type Case = (typeof CASES)[number];

/** Calls of the sample that shows what one after the other takes. */
const SAMPLE = 8;

export const speedup: Row = {
  title: "100 articles × 2,000 words, as in the original's table, against one call after the other",
  run: async (context) => {
    const lines: Line[] = [];
    const bars: Bar[] = [];
    const runs: Record<string, unknown> = {};
    for (const one of CASES) {
      const seen = await raced(one, context);
      runs[one.vendor] = Object.fromEntries(seen);
      const outcome = told(one, seen);
      lines.push(...outcome.lines);
      bars.push(...outcome.bars);
    }
    return { lines, bars, runs };
  },
};

function raced({ vendor, latency, concurrency }: Case, context: Context): Promise<Runs> {
  const count = Math.max(2 * concurrency, Math.round(100 * context.scale));
  const others = context.peers.filter((peer) => peer === "sdk-p-map" || peer === "floor");
  const entrants = [
    { peer: "sequential", count: SAMPLE },
    { peer: "millrace", vendor },
    ...others.map((peer) => ({ peer })),
  ];
  return compare({ count, words: 2_000, seed: context.seed, concurrency, simulator: { latency }, entrants }, context);
}

function told({ vendor, latency, concurrency, claimed, least }: Case, runs: Runs): Omit<Outcome, "runs"> {
  // Against the latency alone, which is less than one call after the other takes.
  const times = (who: string) => middle(runs, who, ({ articles, wallMs }) => (articles * latency) / wallMs);
  const lines = [...runs.keys()].map((who) => ({
    who: `${vendor}, ${latency} ms, ${concurrency} in flight: ${who}`,
    columns: {
      "ms/article": middle(runs, who, ({ articles, wallMs }) => wallMs / articles),
      "speed-up": times(who),
      ...(who === "millrace" ? { "the original claims": claimed } : {}),
    },
  }));
  const what = `speed-up over sequential, ${vendor}, ${concurrency} in flight`;
  return { lines, bars: [{ row: "a", what, value: times("millrace"), least }] };
}
