/** What a run has come to, in lines: pure. */

import { dollars } from "../budget.ts";
import type { ErrorCode } from "../errors.ts";
import type { RunReport } from "../report.ts";
import { cause, count, failed, NO_PRICE, percent, time } from "./words.ts";

export interface Outlook {
  /** How much is done, from 0 to 1; undefined: nobody knows. */
  readonly fraction: number | undefined;
  /** Ms to the end. */
  readonly left: number | undefined;
}

/** One line for a run under way. */
export function progressLine(report: RunReport, { fraction, left }: Outlook): string {
  const { inFlight, allowed, waiting, heldBy, lanes } = report;
  const parts = [
    time(report.elapsedMs),
    ...(fraction === undefined ? [] : [`${Math.floor(fraction * 100)} %`]),
    ...(left === undefined ? [] : [`about ${time(left)} left`]),
    `${count(report.read)} read`,
    `${count(report.written)} written`,
    `${count(report.deadLettered)} failed`,
  ];
  if (lanes.length > 0) parts.push(`${count(inFlight)} of ${count(allowed)} in flight`);
  if (waiting > 0 && heldBy !== null) parts.push(`${count(waiting)} wait for ${cause(heldBy)}`);
  if (report.cached > 0) parts.push(`${count(report.cached)} without a call`);
  if (report.dropped > 0) parts.push(`${count(report.dropped)} dropped`);
  if (report.retries > 0) parts.push(`${count(report.retries)} retries`);
  if (report.rateLimited > 0) parts.push(`${count(report.rateLimited)} told to wait`);
  if (report.cost !== null && report.requests > 0) parts.push(dollars(report.cost));
  return parts.join(" · ");
}

export interface SummaryFacts {
  /** How it ended: `Done`, `Stopped`, `Interrupted`. */
  readonly ending: string;
  /** `-` is stdout. None where there is none to name. */
  readonly outputs: readonly string[];
  readonly deadLetters: string;
}

/** The end of a run, at most 9 lines. */
export function summary(report: RunReport, { ending, outputs, deadLetters }: SummaryFacts): string[] {
  return [
    `${ending} in ${time(report.elapsedMs)}: ${counts(report)}`,
    ...row("failed", failures(report)),
    ...row("requests", requests(report)),
    ...row("held back", heldBack(report)),
    ...row("stored", report.cached > 0 ? `${count(report.cached)} of the records needed no call` : ""),
    ...row("tokens", tokens(report)),
    ...row("cost", cost(report)),
    ...row("output", outputs.map((output) => (output === "-" ? "stdout" : output)).join(", ")),
    ...row("dead letters", report.deadLettered > 0 ? deadLetters : ""),
  ];
}

const row = (label: string, text: string): string[] => (text === "" ? [] : [`  ${label.padEnd(13)}${text}`]);

function counts({ read, written, deadLettered, dropped, unfinished }: RunReport): string {
  const left = unfinished > 0 ? `, ${count(unfinished)} not finished` : "";
  const reshaped = read !== written + deadLettered + dropped + unfinished;
  const why = reshaped ? " (a stage makes several of one, or one of several)" : "";
  return `${count(written)} written, ${count(deadLettered)} failed, ${count(dropped)} dropped${left}, of ${count(read)} read${why}`;
}

/** Kinds of failures that are named; the others are counted. */
const NAMED = 3;

function failures({ failures: all, deadLettered, read, unfinished }: RunReport): string {
  const sorted = (Object.entries(all) as [ErrorCode, number][]).sort(([, a], [, b]) => b - a);
  const named = sorted.slice(0, NAMED).map(([code, times]) => failed(code, times));
  const others = sorted.slice(NAMED);
  if (others.length > 0) named.push(`${count(others.reduce((sum, [, times]) => sum + times, 0))} for other reasons`);
  if (named.length === 0) return "";
  const ended = read - unfinished;
  return `${ended > 0 && deadLettered <= ended ? `${percent(deadLettered / ended)}: ` : ""}${named.join(" · ")}`;
}

function requests({ requests: sent, retries, rateLimited, elapsedMs, latencyMs }: RunReport): string {
  if (sent === 0) return "";
  const perMinute = elapsedMs < 1_000 ? [] : [`${count(Math.round((sent * 60_000) / elapsedMs))} a minute`];
  const took = latencyMs === null ? [] : [`p50 ${time(latencyMs.p50)}, p95 ${time(latencyMs.p95)}`];
  const repeated = `${count(retries)} ${retries === 1 ? "retry" : "retries"}, ${count(rateLimited)} told to wait`;
  return [`${count(sent)} (${repeated})`, ...perMinute, ...took].join(" · ");
}

/** Shorter waits are the ordinary course of a run, ms. */
const WORTH_SAYING = 1_000;

/** That calls waited for others to end is how it should be; why there were no more at once is said by the other causes. */
function heldBack({ heldBackMs, waitedMs }: RunReport): string {
  const causes = Object.entries(heldBackMs)
    .filter(([name, ms]) => name !== "concurrency" && ms >= WORTH_SAYING)
    .sort(([, a], [, b]) => b - a)
    .slice(0, NAMED)
    .map(([name, ms]) => `${time(ms)} by ${cause(name)}`);
  if (waitedMs >= WORTH_SAYING) causes.push(`told to wait ${time(waitedMs)} in all`);
  return causes.join(" · ");
}

function tokens({ usage, unknownUsage }: RunReport): string {
  const { inputTokens, outputTokens, cacheReadTokens } = usage;
  const unknown = `${count(unknownUsage)} ${unknownUsage === 1 ? "call" : "calls"} broke off, perhaps billed`;
  const more = unknownUsage > 0 ? [unknown] : [];
  if (inputTokens + outputTokens === 0) return more.join();
  const cached = cacheReadTokens > 0 ? ` (${count(cacheReadTokens)} from cache)` : "";
  return [`${count(inputTokens)} in${cached}`, `${count(outputTokens)} out`, ...more].join(" · ");
}

function cost(report: RunReport): string {
  if (report.requests === 0) return "";
  if (report.cost === null) return NO_PRICE;
  const { cost: known, costAtMost, pricesDate } = report;
  const more =
    costAtMost !== null && costAtMost > known ? `, ${dollars(costAtMost)} at most: some calls broke off` : "";
  return `${dollars(known)}${more}${pricesDate === null ? "" : ` (prices of ${pricesDate})`}`;
}
