/** What a run has come to, in lines: pure. */

import { dollars } from "../budget.ts";
import type { RunReport } from "../report.ts";

const number = new Intl.NumberFormat("en-US");

export const count = (value: number): string => number.format(value);

export function time(ms: number): string {
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  const seconds = Math.floor((ms % 60_000) / 1_000);
  return minutes < 60 ? `${minutes}m ${seconds}s` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}

/** One line for a run under way. */
export function progressLine(report: RunReport): string {
  const parts = [
    time(report.elapsedMs),
    `${count(report.read)} read`,
    `${count(report.written)} written`,
    `${count(report.deadLettered)} failed`,
  ];
  if (report.cached > 0) parts.push(`${count(report.cached)} without a call`);
  if (report.dropped > 0) parts.push(`${count(report.dropped)} dropped`);
  if (report.retries > 0) parts.push(`${count(report.retries)} retries`);
  if (report.rateLimited > 0) parts.push(`${count(report.rateLimited)} told to wait`);
  return parts.join(" · ");
}

export interface SummaryFacts {
  /** How it ended: `Done`, `Stopped`, `Interrupted`. */
  readonly ending: string;
  /** `-` for stdout; undefined where there is none to name. */
  readonly output: string | undefined;
  readonly deadLetters: string;
}

/** The end of a run, at most 12 lines. */
export function summary(report: RunReport, { ending, output, deadLetters }: SummaryFacts): string[] {
  const { read, written, deadLettered, dropped, unfinished } = report;
  const left = unfinished > 0 ? `, ${count(unfinished)} not finished` : "";
  const counts = `${count(written)} written, ${count(deadLettered)} failed, ${count(dropped)} dropped${left}`;
  const lines = [`${ending} in ${time(report.elapsedMs)}: ${counts}, of ${count(read)} read`];
  const failures = Object.entries(report.failures).sort(([, a], [, b]) => b - a);
  if (failures.length > 0)
    lines.push(row("failed", failures.map(([code, times]) => `${count(times)} ${code}`).join(" · ")));
  if (report.requests > 0) {
    const repeated = `${count(report.retries)} retries, ${count(report.rateLimited)} told to wait`;
    lines.push(row("requests", `${count(report.requests)} (${repeated})`));
  }
  if (report.cached > 0) lines.push(row("stored", `${count(report.cached)} of the records needed no call`));
  const { inputTokens, outputTokens, cacheReadTokens } = report.usage;
  if (inputTokens + outputTokens > 0) {
    const cached = cacheReadTokens > 0 ? ` (${count(cacheReadTokens)} from cache)` : "";
    lines.push(row("tokens", `${count(inputTokens)} in${cached} · ${count(outputTokens)} out`));
  }
  if (report.requests > 0) lines.push(row("cost", costText(report)));
  if (output !== undefined) lines.push(row("output", output === "-" ? "stdout" : output));
  if (deadLettered > 0) lines.push(row("dead letters", deadLetters));
  return lines;
}

function costText({ cost, costAtMost, pricesDate }: RunReport): string {
  if (cost === null) return "unknown: there is no price for the model (prices)";
  const more = costAtMost !== null && costAtMost > cost ? `, ${dollars(costAtMost)} at most: some calls broke off` : "";
  return `${dollars(cost)}${more}${pricesDate === null ? "" : ` (prices of ${pricesDate})`}`;
}

const row = (label: string, text: string): string => `  ${label.padEnd(13)}${text}`;
