/** How a command ends: its exit code, and the last lines it says. */

import { isMillraceError, type MillraceError } from "../errors.ts";
import type { Log, Note } from "./log.ts";

export const EXIT = {
  finished: 0,
  tooManyFailures: 1,
  usage: 2,
  stopped: 3,
  bug: 70,
  interrupted: 130,
  terminated: 143,
} as const;

/** Whether an error is the reader of our output having left, as `| head` does. An EPIPE met elsewhere is a fault. */
export function readerLeft(error: unknown): boolean {
  if (!isMillraceError(error) || error.code !== "sink_failed") return false;
  return error.cause instanceof Error && "code" in error.cause && error.cause.code === "EPIPE";
}

/** Of an error that ended a run by itself; interruptions are told by their signal. */
export function exitCodeOf(error: unknown): number {
  if (readerLeft(error)) return EXIT.finished;
  if (!isMillraceError(error) || error.code === "internal") return EXIT.bug;
  return error.kind === "configuration" ? EXIT.usage : EXIT.stopped;
}

/** What the user is told of it; a bug shows its stack, so that it can be reported. */
export function messageOf(error: unknown): string {
  if (isMillraceError(error) && error.code !== "internal") return withAdvice(error);
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `This is a bug in millrace. Please report it with these lines:\n${shown}`;
}

/** Causes that are shown; a chain may bite its tail. */
const LONGEST_CHAIN = 8;

/** Where an error comes from, and what caused it: for whoever looks for the reason, not for whoever typed a wrong name. */
function traceOf(error: unknown): string {
  const shown: string[] = [];
  let next = error;
  while (next !== undefined && next !== null && shown.length < LONGEST_CHAIN) {
    shown.push(next instanceof Error ? (next.stack ?? `${next.name}: ${next.message}`) : String(next));
    next = typeof next === "object" && "cause" in next ? next.cause : undefined;
  }
  return shown.join("\ncaused by ");
}

/** An error that ends a command, to be told. */
export function errorNote(error: unknown, exitCode: number, log: Log): Note {
  const text = messageOf(error);
  const code = isMillraceError(error) ? error.code : "internal";
  const trace = log.hears("debug") ? traceOf(error) : undefined;
  const more = trace === undefined || (exitCode === EXIT.bug && code === "internal") ? "" : `\n${trace}`;
  const facts = { code, message: text, exitCode, ...(trace === undefined ? {} : { stack: trace }) };
  return { level: "error", event: "error", text: `millrace: ${text}${more}`, facts };
}

function withAdvice(error: MillraceError): string {
  const id = error.requestId === undefined ? "" : ` (request ${error.requestId})`;
  return `${error.message}${id}`;
}
