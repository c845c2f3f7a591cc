/** Named pipes as outputs: opened and written so that a missing or stalled reader can be given up on. */

import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import type { Writable } from "node:stream";

/** How often to look for a reader, ms. */
const LOOK_AGAIN = 50;

/**
 * Waits for a reader, as a shell's redirection does, until `left()` says that nobody waits for it any more. An ordinary
 * open or write would wait in a thread that nothing can call back, not even the end of the process.
 */
export async function openPipe(path: string, left: () => boolean): Promise<Writable> {
  for (;;) {
    const descriptor = tryOpen(path);
    if (descriptor !== undefined) {
      if (!left()) return new Socket({ fd: descriptor, readable: false, writable: true });
      closeSync(descriptor);
    }
    if (left()) throw new Error("nobody read it");
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
  }
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENXIO") return undefined;
    throw error;
  }
}
