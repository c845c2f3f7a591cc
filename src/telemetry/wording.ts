/** What the page says of a decision: pure. */

import type { LaneEvent } from "../events.ts";

const number = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

const KINDS = { requests: "requests", input: "input tokens", output: "output tokens", tokens: "tokens" } as const;

/** How much a line matters to whoever looks. */
export type Weight = "note" | "good" | "warning" | "bad";

export interface LogLine {
  /** Ms since the epoch. */
  readonly time: number;
  /** Which provider, and which of its keys. */
  readonly who: string;
  readonly weight: Weight;
  readonly text: string;
}

export function logLine(event: LaneEvent): LogLine {
  const who = event.lane === 1 ? event.provider : `${event.provider}, key ${event.lane}`;
  return { time: event.time, who, ...said(event) };
}

function said(event: LaneEvent): Pick<LogLine, "weight" | "text"> {
  const { reason } = event;
  switch (event.type) {
    case "limit-learned": {
      const rate = `${number.format(event.perMinute)} ${KINDS[event.kind]} a minute`;
      return { weight: "note", text: `Limit learned: ${rate} (${reason})` };
    }
    case "concurrency": {
      const less = event.to < event.from;
      const change = `${event.from} → ${event.to} calls at once`;
      return { weight: less ? "warning" : "note", text: `${change} (${reason})` };
    }
    case "pace": {
      if (event.perMinute === undefined)
        return { weight: "note", text: "Pace given up: it was not for the rate that calls were refused" };
      return { weight: "warning", text: `Pace of ${number.format(event.perMinute)} calls a minute (${reason})` };
    }
    case "pause":
      return { weight: "warning", text: `Paused for ${(event.ms / 1_000).toFixed(1)} s (${reason})` };
    case "probe":
      return { weight: "note", text: `One call tries the way (${reason})` };
    case "quota-shared":
      return { weight: "note", text: `Limit on ${KINDS[event.kind]} is shared (${reason})` };
    case "outage":
      return { weight: "bad", text: `Out of order (${reason})` };
    case "resumed":
      return { weight: "good", text: `Back again (${reason})` };
    case "lane-closed":
      return { weight: "bad", text: `Gets no more calls: ${clipped(reason)}` };
  }
}

/** Characters of a message of others that are shown. */
const MOST_TEXT = 500;

/** A message may hold what a server or a file's name says, of any length. */
export const clipped = (text: string): string => (text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text);
