/** Where a store lies: a private file, kept out of version control, on a disk that can lock. */

import { chmodSync, closeSync, existsSync, openSync, renameSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { failure, type MillraceError } from "../errors.ts";
import { makeFolder } from "../folder.ts";
import { warn } from "../warn.ts";

/** SQLite's own files beside a database. */
const BESIDE = ["", "-wal", "-shm"];

/** Makes the file and its folder, for its owner only. @throws `invalid_option` when it cannot be written */
export async function preparePlace(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    const made = await makeFolder(folder, 0o700);
    if (existsSync(path) && statSync(path).isDirectory()) throw new Error("it is a directory");
    closeSync(openSync(path, "a+", 0o600));
    // SQLite gives its other files the mode of this one. Whose file it is not may not change it.
    if ((statSync(path).mode & 0o077) !== 0) attempt(() => chmodSync(path, 0o600));
    attempt(() => ignore(folder, made ? "*" : `/${basename(path)}*`));
  } catch (cause) {
    throw unwritable(path, cause);
  }
  warnOfNetwork(path);
}

export function unwritable(path: string, cause: unknown): MillraceError {
  return failure(
    "invalid_option",
    `The store ${path} cannot be written: ${(cause as Error).message}. It needs its folder writable as well. ` +
      "Give another place with --store (store), or do without: --no-store.",
    { cause },
  );
}

/** Answers are nobody else's business. A file that is there already is the user's. */
function ignore(folder: string, pattern: string): void {
  const file = join(folder, ".gitignore");
  if (!existsSync(file)) writeFileSync(file, `${basename(folder) === ".millrace" ? "*" : pattern}\n`, { flag: "wx" });
}

/** What would be good but is not needed. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {}
}

/** By statfs(2) and Linux's magic.h. macOS numbers its file systems anew at each boot, so that none is known there. */
const NETWORKS: Readonly<Record<number, string>> = {
  26985: "NFS",
  20859: "SMB",
  4266872130: "SMB",
  4283649346: "SMB",
  1702057286: "FUSE",
  16914839: "9P",
  12805120: "Ceph",
  1397113167: "AFS",
};

export const networkName = (type: number): string | undefined => NETWORKS[type];

function warnOfNetwork(path: string): void {
  const name = networkName(statfsSync(dirname(path)).type >>> 0);
  if (name === undefined) return;
  warn(
    `The store ${path} lies on a network file system (${name}), whose locks and syncs cannot be relied on: ` +
      "use it from one machine at a time, or put it on a local disk with --store (store).",
  );
}

/** Which file a path names now: it may be another one later. */
export function identityOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}

/** Moves a store and its log out of the way, under the name that is returned; undefined when it is gone already. */
export function setAside(path: string, identity: string | undefined): string | undefined {
  // Another run has met the same damage, and this is its new store.
  if (identityOf(path) !== identity) return undefined;
  const date = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  let aside = `${path}.damaged-${date}`;
  for (let count = 2; existsSync(aside); count++) aside = `${path}.damaged-${date}-${count}`;
  for (const ending of BESIDE) {
    if (existsSync(path + ending)) renameSync(path + ending, aside + ending);
  }
  return aside;
}
