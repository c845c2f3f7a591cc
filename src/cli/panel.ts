/** The live panel: numbers in, at most six lines out, each within the width of the terminal. Pure. */

import { styleText } from "node:util";
import cliTruncate from "cli-truncate";
import stringWidth from "string-width";
import { dollars } from "../budget.ts";
import type { LimitReport, RunReport } from "../index.ts";
import type { Trend } from "./trend.ts";
import { bytes, cause, clock, count, short, time } from "./words.ts";

export interface PanelFacts {
  readonly report: RunReport;
  readonly trend: Trend;
  /** What is read, in a word. */
  readonly label: string;
  /** Of the terminal. */
  readonly columns: number;
  /** Resident memory of the process, bytes. */
  readonly memory: number;
  readonly color: boolean;
  /** Only characters that every terminal has. */
  readonly ascii?: boolean;
}

type Style = "dim" | "bold" | "green" | "yellow" | "red" | "cyan";

/** Styles text, or leaves it. */
type Paint = (style: Style, text: string) => string;

/** Label of a row, and the room that rows leave for it. */
const LABEL = 9;

const LONGEST_LABEL = 24;
const SHORTEST_BAR = 8;
const LONGEST_BAR = 32;

export function panelLines(facts: PanelFacts): string[] {
  const { report, color, columns, ascii = false } = facts;
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  const width = Math.max(1, columns - 1);
  const rows = [
    head(facts, paint, width),
    fitted(records(facts, paint), width),
    ...(report.lanes.length > 0 ? [row("calls", calls(facts, paint), { paint, width })] : []),
    ...optional("limits", limits(facts, paint), { paint, width }),
    ...optional("waiting", waits(facts, paint), { paint, width }),
    row("used", used(facts), { paint, width }),
  ];
  return ascii ? rows.map(plainly) : rows;
}

const plainly = (line: string): string =>
  line.replaceAll("█", "#").replaceAll("░", ".").replaceAll(" · ", " | ").replaceAll("…", "~");

interface Room {
  readonly paint: Paint;
  readonly width: number;
}

function row(label: string, parts: readonly string[], { paint, width }: Room): string {
  // On a narrow terminal the room is for the numbers.
  if (width < 50) return fitted(parts, width);
  return paint("dim", label.padEnd(LABEL)) + fitted(parts, width - LABEL);
}

const optional = (label: string, parts: readonly string[], room: Room): string[] =>
  parts.length === 0 ? [] : [row(label, parts, room)];

/** As many of the parts as there is room for; the first in any case, cut if it must be. */
function fitted(parts: readonly string[], width: number): string {
  let line = "";
  for (const part of parts) {
    const longer = line === "" ? part : `${line} · ${part}`;
    if (stringWidth(longer) > width) return line === "" ? cut(part, width) : line;
    line = longer;
  }
  return line;
}

/** Of wide characters not even one may fit. */
function cut(text: string, width: number): string {
  const shorter = cliTruncate(text, width);
  return stringWidth(shorter) > width ? "" : shorter;
}

function head({ report, trend, label, columns }: PanelFacts, paint: Paint, width: number): string {
  const name = cliTruncate(label, Math.min(LONGEST_LABEL, Math.max(6, Math.floor(columns / 4))), {
    position: "middle",
  });
  const { fraction, left, rates } = trend;
  const elapsed = clock(report.elapsedMs);
  if (fraction === undefined) {
    const read = report.bytesRead > 0 ? [`${bytes(report.bytesRead)} read`] : [];
    const speed = rates === undefined || report.bytesRead === 0 ? [] : [`${bytes(Math.max(0, rates.bytes))}/s`];
    return fitted([`${paint("bold", name)}  ${elapsed}`, ...read, ...speed], width);
  }
  const whole = `${Math.floor(fraction * 100)} %`.padStart(6);
  const rest = left === undefined ? elapsed : `${elapsed}, about ${clock(left)} left`;
  const room = width - stringWidth(name) - stringWidth(whole) - stringWidth(rest) - 4;
  if (room < SHORTEST_BAR) return fitted([`${paint("bold", name)}${whole}`, rest, elapsed], width);
  const cells = Math.min(LONGEST_BAR, room);
  const full = Math.round(fraction * cells);
  const bar = paint("green", "█".repeat(full)) + paint("dim", "░".repeat(cells - full));
  return `${paint("bold", name)}  ${bar}${whole}  ${rest}`;
}

function records({ report, trend }: PanelFacts, paint: Paint): string[] {
  const { read, written, deadLettered, dropped, cached } = report;
  const failed = `${count(deadLettered)} failed`;
  const rate = trend.rates?.records;
  return [
    `${count(written)} written`,
    deadLettered > 0 ? paint("red", failed) : failed,
    ...(rate === undefined ? [] : [`${short(Number(rate.toFixed(rate < 10 ? 1 : 0)))}/s`]),
    ...(dropped > 0 ? [`${count(dropped)} dropped`] : []),
    `${count(read)} read`,
    ...(cached > 0 ? [`${count(cached)} without a call`] : []),
  ];
}

function calls({ report, trend }: PanelFacts, paint: Paint): string[] {
  const { inFlight, allowed, retries, rateLimited, lanes, latencyMs } = report;
  const rate = trend.rates?.requestsPerMinute;
  const last = trend.sinceTold;
  const told = `${count(rateLimited)} told to wait${last === undefined ? "" : `, last ${clock(last)} ago`}`;
  return [
    `${count(inFlight)} of ${count(allowed)} in flight`,
    ...lanes.flatMap(({ provider, lane, state }) => {
      const who = lane === 1 ? provider : `${provider} key ${lane}`;
      if (state === "outage") return [paint("red", `${who} is out of order`)];
      return state === "closed" ? [paint("red", `${who} is closed`)] : [];
    }),
    ...(rate === undefined ? [] : [`${short(Math.round(rate))}/min`]),
    `${count(retries)} ${retries === 1 ? "retry" : "retries"}`,
    ...(rateLimited > 0 ? [told] : []),
    ...(latencyMs === null ? [] : [`p50 ${time(latencyMs.p50)}`, `p95 ${time(latencyMs.p95)}`]),
    modelsOf(report),
  ];
}

const modelsOf = ({ lanes }: RunReport): string =>
  [...new Set(lanes.map(({ provider, model }) => `${provider} ${model}`))].join(", ");

const KINDS = { requests: "requests", input: "input", output: "output", tokens: "tokens" } as const;

/** All keys of a provider together; of two limits of a kind the lower one, which is what counts. */
function limits({ report, trend }: PanelFacts, paint: Paint): string[] {
  const several = new Set(report.limits.map(({ provider }) => provider)).size > 1;
  const merged = new Map<string, { name: string; of: number; used: number }>();
  for (const limit of lowest(report.limits)) {
    const key = `${limit.provider} ${limit.kind}`;
    const name = several ? key : KINDS[limit.kind];
    const { of = 0, used = 0 } = merged.get(key) ?? {};
    merged.set(key, { name, of: of + limit.perMinute, used: used + trend.taken(limit) });
  }
  const parts = [...merged.values()].map(({ name, of, used }) => {
    const text = `${name} ${short(Math.round(used))} of ${short(of)}`;
    return used / of > 0.9 ? paint("yellow", text) : text;
  });
  const pace = report.lanes.reduce((sum, lane) => sum + (lane.pacePerMinute ?? 0), 0);
  if (pace > 0) parts.push(`found ${short(pace)} requests`);
  if (parts.length > 0) parts[parts.length - 1] += " a minute";
  return parts;
}

function lowest(all: readonly LimitReport[]): readonly LimitReport[] {
  const lowestOf = new Map<string, LimitReport>();
  for (const limit of all) {
    const key = `${limit.provider} ${limit.model} ${limit.lane} ${limit.kind}`;
    const before = lowestOf.get(key);
    if (before === undefined || limit.perMinute < before.perMinute) lowestOf.set(key, limit);
  }
  return [...lowestOf.values()];
}

function waits({ report }: PanelFacts, paint: Paint): string[] {
  const { lanes, waiting, heldBy, backingOff, heldBackMs } = report;
  if (lanes.length === 0) return [];
  const parts = [];
  if (waiting > 0 && heldBy !== null) parts.push(paint("yellow", `${count(waiting)} for ${cause(heldBy)}`));
  else if (waiting > 0) parts.push(`${count(waiting)} for their turn`);
  if (backingOff > 0) parts.push(`${count(backingOff)} before their next attempt`);
  if (parts.length === 0) parts.push("nothing");
  // That calls wait for others to end is how it should be.
  const held = Object.entries(heldBackMs).filter(([name, ms]) => name !== "concurrency" && ms >= 1_000);
  const [longest] = held.sort(([, a], [, b]) => b - a);
  if (longest !== undefined) parts.push(`so far ${clock(longest[1])} for ${cause(longest[0])}`);
  return parts;
}

function used({ report, trend, memory }: PanelFacts): string[] {
  const { usage, requests } = report;
  const tokens = usage.inputTokens + usage.outputTokens;
  return [
    ...(requests > 0 ? [costOf(report, trend)] : []),
    ...(tokens > 0 ? [`${short(usage.inputTokens)} tokens in, ${short(usage.outputTokens)} out`] : []),
    `${bytes(memory)} of memory`,
    ...(requests > 0 && report.cost !== null && report.pricesDate !== null ? [`prices of ${report.pricesDate}`] : []),
  ];
}

function costOf(report: RunReport, { fraction }: Trend): string {
  const { cost, cached } = report;
  if (cost === null) return "cost unknown";
  const done = report.written + report.deadLettered + report.dropped;
  const asked = done - cached;
  // Records that needed no call come first in a run that goes on, and say nothing of the rest.
  const ahead = fraction === undefined || fraction <= 0 || asked <= 0 ? undefined : done / fraction - done;
  if (ahead === undefined || fraction === 1 || cost === 0) return `cost ${dollars(cost)}`;
  return `cost ${dollars(cost)}, about ${dollars(cost + (ahead * cost) / asked)} at the end`;
}
