/** One live run for one output: a lock file that holds the number of the process, and goes with it. */

import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { failure } from "../errors.ts";

/** Beside the output that it guards. */
const lockOf = (path: string): string => `${path}.lock`;

/** Those of this process. A lock with its number that is none of them was left by another one that had the same, as in a container. */
const ours = new Set<string>();

/**
 * Claims an output for this process; the returned function lets it go. The lock of a process that is gone (kill -9, power
 * cut) is taken over.
 *
 * @throws ConfigurationError when a live process holds it, this one included
 */
export async function claim(path: string): Promise<() => Promise<void>> {
  const lock = lockOf(path);
  for (;;) {
    try {
      await writeFile(lock, `${process.pid}\n`, { flag: "wx" });
      ours.add(lock);
      return async () => {
        ours.delete(lock);
        // One that cannot be removed will be taken over: no reason to fail what was written.
        await rm(lock, { force: true }).catch(() => {});
      };
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      const holder = await holderOf(lock);
      if (holds(holder, lock)) {
        throw failure(
          "invalid_option",
          `${path} is being written by ${holder === process.pid ? "another sink of this run" : `process ${holder}`}. ` +
            `Wait for it or choose another output. (If that process is not millrace, remove ${lock}.)`,
        );
      }
      await rm(lock, { force: true });
    }
  }
}

const holds = (holder: number, lock: string): boolean => (holder === process.pid ? ours.has(lock) : isAlive(holder));

/** Whether a live process, this one included, writes there now. */
export async function isClaimed(path: string): Promise<boolean> {
  const lock = lockOf(path);
  return existsSync(lock) && holds(await holderOf(lock), lock);
}

const shared = new Map<string, { users: number; readonly claimed: Promise<() => Promise<void>> }>();

/** As `claim`, but for sinks of this process that can write one file side by side: they hold it together. */
export async function shareClaim(path: string): Promise<() => Promise<void>> {
  const held = shared.get(path) ?? { users: 0, claimed: claim(path) };
  shared.set(path, held);
  held.users++;
  const leave = async () => {
    held.users--;
    if (held.users > 0) return;
    shared.delete(path);
    await (await held.claimed)();
  };
  await held.claimed.catch((error: unknown) => {
    held.users--;
    if (held.users === 0) shared.delete(path);
    throw error;
  });
  return leave;
}

/** Looks at a lock without a number, ms apart: its maker may be about to write it. */
const LOOKS = [10, 50, 200];

async function holderOf(lock: string): Promise<number> {
  for (const wait of LOOKS) {
    const pid = Number(await readFile(lock, "utf8").catch(() => ""));
    if (pid > 0) return pid;
    await sleep(wait);
  }
  return 0;
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is alive as well.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
