/** How a command ends: its exit code, and the last lines it says. */

import { isMillraceError, type MillraceError } from "../errors.ts";

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

function withAdvice(error: MillraceError): string {
  const id = error.requestId === undefined ? "" : ` (request ${error.requestId})`;
  return `${error.message}${id}`;
}
