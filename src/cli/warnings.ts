/** What happens while a run goes on, said when it happens. */

import type { CallEvent, DeadLetterEvent, LaneEvent, RetryEvent } from "../events.ts";
import { listen } from "../telemetry/listen.ts";
import { onWarning } from "../warn.ts";
import type { Level, Log, Note } from "./log.ts";
import { cause, count, time } from "./words.ts";

/** Shorter pauses are the ordinary course of a run, ms. */
const WORTH_SAYING = 10_000;

/** @returns ends it */
export function sayWhatHappens(log: Log): () => void {
  const attempts = {
    call: (event: CallEvent) => log.tell(callNote(event)),
    retry: (event: RetryEvent) => log.tell(retryNote(event)),
  };
  const ends = [
    onWarning((message) => log.tell(warningOf(message))),
    processWarnings(log),
    listen({
      lane: (event) => log.tell(laneNote(event)),
      deadLetter: (event) => log.tell(deadLetterNote(event)),
      ...(log.hears("debug") ? attempts : {}),
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}

export const warningOf = (message: string): Note => ({
  level: "warn",
  event: "warning",
  text: `millrace: ${message}`,
  facts: { message },
});

/** Node would print them itself, in words of its own. */
export function processWarnings(log: Log): () => void {
  const before = process.listeners("warning");
  process.removeAllListeners("warning");
  const hear = ({ name, message }: Error) => {
    const text = name === "MillraceWarning" ? message : `${name}: ${message}`;
    log.tell(warningOf(text));
  };
  process.on("warning", hear);
  return () => {
    process.off("warning", hear);
    for (const listener of before) process.on("warning", listener);
  };
}

/** All of them are events; a person is told of those that change the course of the run, with `-v` of all. */
function laneNote(event: LaneEvent): Note {
  const { time: at, ...facts } = event;
  const said = warning(event);
  const level: Level = said === undefined ? "info" : "warn";
  const note = { level, event: "lane", facts: { at: new Date(at).toISOString(), ...facts } };
  return said === undefined
    ? { ...note, text: `${whoOf(event)}: ${decision(event)}`, textLevel: "debug" }
    : { ...note, text: said };
}

const whoOf = ({ provider, lane }: { readonly provider: string; readonly lane: number }): string =>
  lane === 1 ? provider : `${provider} (key ${lane})`;

/** Undefined for what is the ordinary course of a run. */
export function warning(event: LaneEvent): string | undefined {
  const who = whoOf(event);
  switch (event.type) {
    case "lane-closed":
      return `${event.provider} (key ${event.lane}) gets no more calls: ${event.reason} The others go on.`;
    case "outage":
      return `${who} is out of order: every call fails. It is tried again, until --max-wait is over at the latest.`;
    case "resumed":
      return `${who} answers again.`;
    case "pause":
      return event.ms < WORTH_SAYING ? undefined : `${who}: waiting ${time(event.ms)}, because ${event.reason}.`;
    default:
      return undefined;
  }
}

function decision(event: LaneEvent): string {
  switch (event.type) {
    case "limit-learned":
      return `${cause(event.kind)} is ${count(event.perMinute)} a minute, ${event.reason}`;
    case "concurrency":
      return `${count(event.to)} calls at once instead of ${count(event.from)}: ${event.reason}`;
    case "pace":
      return event.perMinute === undefined
        ? `no rate is kept any more: ${event.reason}`
        : `${count(Math.round(event.perMinute))} calls a minute: ${event.reason}`;
    case "pause":
      return `waits ${time(event.ms)}: ${event.reason}`;
    case "quota-shared":
      return `shares ${cause(event.kind)}: ${event.reason}`;
    default:
      return `${event.type}: ${event.reason}`;
  }
}

/** Without its message: that may quote what a function of the user's own said of the record. */
function deadLetterNote({ code, stage, status, attempts, source }: DeadLetterEvent): Note {
  const where = source === null ? "a record" : `${source.file}:${source.line}`;
  return {
    level: "info",
    event: "dead-letter",
    text: `${where}: ${code} in ${stage}, after ${attempts} ${attempts === 1 ? "call" : "calls"}`,
    textLevel: "debug",
    facts: { code, stage, status, attempts, source },
  };
}

function callNote({ time: at, record: _, ...call }: CallEvent): Note {
  const { attempt, durationMs, error, answer } = call;
  const failed = error?.code ?? (error === undefined ? undefined : "taken back by the stop");
  const { finishReason = "stop" } = answer ?? {};
  const how = failed ?? (finishReason === "stop" ? "answered" : `answered (${finishReason})`);
  const status = error?.status === undefined ? "" : ` (${error.status})`;
  return {
    level: "debug",
    event: "call",
    text: `${whoOf(call)}: attempt ${attempt} ${how}${status} after ${time(durationMs)}`,
    facts: { at: new Date(at).toISOString(), ...call, durationMs: Math.round(durationMs) },
  };
}

function retryNote({ time: at, ...retry }: RetryEvent): Note {
  const { action, code, attempt, delayMs } = retry;
  const why = action === "fail" ? "is the last" : `is followed by another in ${time(delayMs)}`;
  return {
    level: "debug",
    event: "retry",
    text: `${whoOf(retry)}: attempt ${attempt} (${code}) ${why}`,
    facts: { at: new Date(at).toISOString(), ...retry, delayMs: Math.round(delayMs) },
  };
}
