/** Runs as a line of the table: the median of each number, but the worst of what must not happen. */

import type { Measure } from "../compare.ts";
import { type Line, median } from "../row.ts";

export type Runs = ReadonlyMap<string, readonly Measure[]>;

/** The median of one number of an entrant; NaN for one that did not take part. */
export const middle = (runs: Runs, who: string, number: (measure: Measure) => number): number =>
  median((runs.get(who) ?? []).map(number));

export const worst = (runs: Runs, who: string, number: (measure: Measure) => number): number =>
  Math.max(...(runs.get(who) ?? []).map(number));

export const cpuPerArticle = ({ cpuMs, articles }: Measure): number => cpuMs / articles;
export const perSecond = ({ articles, wallMs }: Measure): number => articles / (wallMs / 1_000);

export function linesOf(runs: Runs, columns: Readonly<Record<string, (measure: Measure) => number>>): Line[] {
  return [...runs.keys()].map((who) => {
    const worstOf = ["lost", "failed", "doubled", "wrong"] as const;
    const counts = Object.fromEntries(worstOf.map((name) => [name, worst(runs, who, (run) => run[name])]));
    const numbers = Object.entries(columns).map(([name, number]) => [name, middle(runs, who, number)]);
    return { who, columns: { ...Object.fromEntries(numbers), ...counts } };
  });
}

/** The columns that most rows show. */
export const COLUMNS = {
  "wall s": ({ wallMs }: Measure) => wallMs / 1_000,
  "total s": ({ totalMs }: Measure) => totalMs / 1_000,
  "articles/s": perSecond,
  "CPU ms/article": cpuPerArticle,
  "peak MB": ({ rssMB }: Measure) => rssMB,
  written: ({ written }: Measure) => written,
  "429s": ({ refused429 }: Measure) => refused429,
};
