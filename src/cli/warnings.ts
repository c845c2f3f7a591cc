/** What an operator should know while a run goes on: said once, when it happens. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { LANE_CHANNEL, type LaneEvent } from "../events.ts";
import { time } from "./summary.ts";

/** Shorter pauses are the ordinary course of a run, ms. */
const WORTH_SAYING = 10_000;

/** @returns ends it */
export function sayWarnings(say: (line: string) => void): () => void {
  const hear = (message: unknown) => {
    const line = warning(message as LaneEvent);
    if (line !== undefined) say(line);
  };
  subscribe(LANE_CHANNEL, hear);
  return () => unsubscribe(LANE_CHANNEL, hear);
}

export function warning(event: LaneEvent): string | undefined {
  const who = event.lane === 1 ? event.provider : `${event.provider} (key ${event.lane})`;
  switch (event.type) {
    case "lane-closed":
      return `${who} gets no more calls: ${event.reason} The others go on.`;
    case "outage":
      return `${who} is out of order: every call fails. It is tried again until it answers or --max-wait is over.`;
    case "resumed":
      return `${who} answers again.`;
    case "pause":
      return event.ms < WORTH_SAYING ? undefined : `${who}: waiting ${time(event.ms)}, because ${event.reason}.`;
    default:
      return undefined;
  }
}
