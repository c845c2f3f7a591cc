/** What became of the articles: counted in what a peer wrote and in the simulator's ledger, not in what it says of itself. */

import { existsSync, readFileSync } from "node:fs";
import type { LedgerEntry } from "../../src/simulator/simulator.ts";
import { idOf } from "./articles.ts";

/** All are counts of articles. */
export interface Tally {
  /** With an answer in the output. */
  readonly written: number;
  /** With neither an answer nor a line that says why. */
  readonly lost: number;
  /** Without an answer, and told so. */
  readonly failed: number;
  /** With more than one answer in the output. */
  readonly doubled: number;
  /** With an answer that is another article's, or that its schema does not allow. */
  readonly wrong: number;
}

interface Line {
  readonly id?: string;
  readonly analysis?: { readonly summary?: unknown; readonly keyPoints?: unknown; readonly sentiment?: unknown };
  readonly error?: unknown;
  readonly record?: { readonly id?: string } | null;
}

const SENTIMENTS = ["negative", "neutral", "positive", "mixed"];

function isRight({ id, analysis }: Line): boolean {
  const { summary, keyPoints, sentiment } = analysis ?? {};
  const own = typeof summary === "string" && summary.includes(` ${id}`);
  return own && Array.isArray(keyPoints) && SENTIMENTS.includes(sentiment as string);
}

const linesOf = (path: string): Line[] =>
  existsSync(path)
    ? readFileSync(path, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Line)
    : [];

export function tally(count: number, output: string, failed: string): Tally {
  const lines = [...linesOf(output), ...linesOf(failed)];
  const answers = new Map<string | undefined, number>();
  const told = new Set<string | undefined>();
  for (const line of lines) {
    if (line.error === undefined) answers.set(line.id, (answers.get(line.id) ?? 0) + 1);
    else told.add(line.id ?? line.record?.id);
  }
  const ids = Array.from({ length: count }, (_, index) => idOf(index));
  return {
    written: ids.filter((id) => answers.has(id)).length,
    lost: ids.filter((id) => !answers.has(id) && !told.has(id)).length,
    failed: ids.filter((id) => !answers.has(id) && told.has(id)).length,
    doubled: [...answers.values()].filter((times) => times > 1).length,
    wrong: lines.filter((line) => line.error === undefined && !isRight(line)).length,
  };
}

export interface Traffic {
  /** From the first request to the last answer, ms. */
  readonly wallMs: number;
  readonly requests: number;
  readonly refused429: number;
  readonly peakInFlight: number;
}

export function traffic(entries: readonly LedgerEntry[]): Traffic {
  const begun = Math.min(...entries.map(({ arrivedAt }) => arrivedAt));
  const ended = Math.max(...entries.map((entry) => entry.endedAt ?? entry.arrivedAt));
  return {
    wallMs: entries.length === 0 ? 0 : ended - begun,
    requests: entries.length,
    refused429: entries.filter(({ status }) => status === 429).length,
    peakInFlight: peakOf(entries),
  };
}

function peakOf(entries: readonly LedgerEntry[]): number {
  const steps = entries.flatMap(({ arrivedAt, endedAt }) => [
    [arrivedAt, 1] as const,
    [endedAt ?? Number.POSITIVE_INFINITY, -1] as const,
  ]);
  let [now, peak] = [0, 0];
  for (const [, step] of steps.sort(([a, up], [b, down]) => a - b || up - down)) {
    now += step;
    peak = Math.max(peak, now);
  }
  return peak;
}
