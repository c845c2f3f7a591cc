/** The files that names and patterns come to, looked at before any is read. */

import { access, constants, glob, opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import { failure, type MillraceError } from "../errors.ts";
import { formatEnding } from "../formats.ts";
import { readFault } from "./input.ts";

/** What makes a name a pattern, where no file has that very name. */
const PATTERN = /[*?[\]{}]/;

export const mayBePattern = (name: string): boolean => PATTERN.test(name);

/**
 * The files in the order in which they are named, those of a pattern sorted; `-` stays. A pattern finds no folders, and
 * what it finds again is read once.
 *
 * @throws ConfigurationError for a file that is not there or may not be read, for a folder, for a pattern that finds
 * nothing, and for a file that is named twice
 */
export async function filesOf(names: readonly string[]): Promise<readonly string[]> {
  /** By what they are, not by what they are called: the names that were given, or nothing for what was found. */
  const known = new Map<string, string | undefined>();
  const files: string[] = [];
  for (const name of names) {
    const found = await foundBy(name);
    for (const { file, key } of found.files) {
      const before = known.get(key);
      if (before !== undefined && found.literal) throw twice(before, name);
      if (!known.has(key)) files.push(file);
      if (found.literal || !known.has(key)) known.set(key, found.literal ? name : undefined);
    }
  }
  return files;
}

interface Found {
  readonly files: readonly { readonly file: string; readonly key: string }[];
  /** Named, not found by a pattern. */
  readonly literal: boolean;
}

async function foundBy(name: string): Promise<Found> {
  if (name === "") throw failure("invalid_option", "An input has an empty name. Leave it out, or name a file.");
  if (name === "-") return { files: [{ file: name, key: name }], literal: true };
  const is = await stat(name).catch((error: unknown) => {
    if (mayBePattern(name)) return undefined;
    throw unreadable(name, error);
  });
  if (is === undefined) return { files: await matchesOf(name), literal: false };
  const file = await readable(name);
  if (file === undefined) throw await folder(name);
  return { files: [file], literal: true };
}

async function matchesOf(pattern: string): Promise<Found["files"]> {
  const names: string[] = [];
  for await (const name of glob(pattern)) names.push(name);
  const files = [];
  // By code units: the same order on every machine.
  for (const name of names.sort()) {
    const file = await readable(name);
    if (file !== undefined) files.push(file);
  }
  if (files.length > 0) return files;
  throw failure("invalid_option", `Cannot read ${pattern}: there is no such file, and as a pattern it matches none.`);
}

/** Undefined: it is a folder. */
async function readable(file: string): Promise<Found["files"][number] | undefined> {
  try {
    const is = await stat(file);
    if (is.isDirectory()) return undefined;
    await access(file, constants.R_OK);
    return { file, key: `${is.dev}:${is.ino}` };
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Whatever it is, it is found before anything is sent. */
function unreadable(name: string, error: unknown): MillraceError {
  const fault = readFault({ name, begun: false }, error);
  return fault.kind === "configuration" ? fault : failure("invalid_option", fault.message, { cause: error });
}

function twice(before: string, name: string): MillraceError {
  if (name === "-") return failure("invalid_option", "stdin (-) is named twice, but can be read once only.");
  const names = before === name ? name : `${before} and ${name}`;
  return failure("invalid_option", `Two inputs are the same file: ${names}. Name it once.`);
}

/** Entries of a folder that are looked at for a hint. */
const MOST_ENTRIES = 1_000;

async function folder(name: string): Promise<MillraceError> {
  let ending = ".ndjson";
  try {
    let count = 0;
    for await (const entry of await opendir(name)) {
      const own = formatEnding(entry.name);
      if (own !== undefined && !entry.isDirectory()) ending = own;
      if (own !== undefined || ++count === MOST_ENTRIES) break;
    }
  } catch {
    // It is only for the hint.
  }
  return failure(
    "invalid_option",
    `Cannot read ${name}: it is a directory. Name its files, as ${join(name, `*${ending}`)}.`,
  );
}
