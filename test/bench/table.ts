/** The table as Markdown: pure. */

import { type Bar, holds, type Line } from "./row.ts";

/** Three digits that mean something; counts and large numbers whole. */
export function shown(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "";
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString("en");
  return value.toPrecision(3);
}

/** Columns have the width of their widest cell, so that it reads well as text too. */
function grid(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(3, ...rows.map((row) => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, at) => (at === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(rows[0] ?? []), rule, ...rows.slice(1).map(line)].join("\n");
}

export function table(lines: readonly Line[]): string {
  const names = [...new Set(lines.flatMap(({ columns }) => Object.keys(columns)))];
  return grid([
    ["", ...names],
    ...lines.map(({ who, columns }) => [who, ...names.map((name) => shown(columns[name]))]),
  ]);
}

/** A bar against a peer that did not take part says nothing. */
export const judged = (bars: readonly Bar[]): Bar[] => bars.filter(({ value }) => !Number.isNaN(value));

export function barsTable(bars: readonly Bar[]): string {
  const bound = ({ least, most }: Bar) => (least === undefined ? `≤ ${shown(most)}` : `≥ ${shown(least)}`);
  const rows = bars.map((bar) => [
    `${bar.row}: ${bar.what}`,
    shown(bar.value),
    bound(bar),
    holds(bar) ? "holds" : "FAILS",
  ]);
  return grid([["what millrace must show", "is", "must be", ""], ...rows]);
}
