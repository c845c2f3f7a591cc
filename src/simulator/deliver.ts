/** Puts a reply on the wire, whole or in one of the ways in which it may go wrong. */

import type { ServerResponse } from "node:http";

/**
 * `reset`, `cut`: after half of it, see the faults of those names. `drip`: whole, in small pieces. `never`: nothing,
 * until the client leaves. `stall`: half of it and then nothing, until the client leaves. `resetFirst`: the connection is
 * reset before anything is sent.
 */
export type Manner = "whole" | "reset" | "cut" | "drip" | "never" | "stall" | "resetFirst";

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** One part with a length, or several as they come (a stream of events). */
  readonly body: string | readonly string[];
}

export interface Pace {
  readonly manner: Manner;
  /** Between two parts, ms. */
  readonly interval: number;
}

/** Pieces of a plain body that drips. */
const DRIPS = 20;

/** Calls `next` after `ms`, at once for 0, never if the response has closed by then. */
export function after(response: ServerResponse, ms: number, next: () => void): void {
  if (response.destroyed) return;
  if (ms <= 0) {
    next();
    return;
  }
  const cancel = () => clearTimeout(timer);
  const timer = setTimeout(() => {
    response.off("close", cancel);
    next();
  }, ms);
  response.once("close", cancel);
}

export function deliver(response: ServerResponse, reply: Reply, pace: Pace): void {
  if (pace.manner === "never") return;
  if (pace.manner === "resetFirst") {
    response.socket?.resetAndDestroy();
    return;
  }
  const plain = typeof reply.body === "string";
  const bytes = plain ? Buffer.from(reply.body as string) : undefined;
  const length = bytes ? { "content-length": String(bytes.length) } : {};
  response.writeHead(reply.status, { ...reply.headers, ...length });
  if (bytes && pace.manner === "whole") {
    response.end(bytes);
    return;
  }
  const parts = bytes ? slices(bytes, pace.manner === "drip" ? DRIPS : 2) : (reply.body as readonly string[]);
  const isCut = pace.manner === "reset" || pace.manner === "cut" || pace.manner === "stall";
  send(response, isCut ? parts.slice(0, Math.ceil(parts.length / 2)) : parts, pace);
}

function slices(bytes: Buffer, count: number): Buffer[] {
  const size = Math.max(1, Math.ceil(bytes.length / count));
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

function send(response: ServerResponse, parts: readonly (string | Buffer)[], pace: Pace, at = 0): void {
  let next = at;
  while (next < parts.length) {
    response.write(parts[next++]!);
    if (pace.interval > 0 && next < parts.length) {
      after(response, pace.interval, () => send(response, parts, pace, next));
      return;
    }
  }
  if (pace.manner === "stall") return;
  if (pace.manner === "whole" || pace.manner === "drip") response.end();
  // Broken off only when all of it has been handed to the kernel.
  else response.socket?.write("", () => setImmediate(breakOff, response, pace.manner));
}

function breakOff(response: ServerResponse, manner: Manner): void {
  if (manner === "reset") response.socket?.resetAndDestroy();
  else response.socket?.destroySoon();
}
