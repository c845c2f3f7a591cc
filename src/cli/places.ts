/** Where a command reads and writes: checked before anything is sent. */

import { existsSync, fstatSync, realpathSync, statSync } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { failure } from "../errors.ts";
import { databaseOf } from "../formats.ts";
import type { StageInput } from "../index.ts";
import { isClaimed } from "../sinks/claim.ts";
import { DatabaseSink } from "../sinks/database.ts";
import { partialOf } from "../sinks/file.ts";
import { realPath } from "../sinks/output.ts";
import { Route } from "../sinks/route.ts";
import { mayBeSqlite } from "../sinks/sqlite.ts";
import { RecordSink } from "../sinks/write.ts";
import { Analyze } from "../transforms/analyze.ts";

/** Endings that say a format, left out of the dead letters' name. */
const FORMAT_ENDINGS = /(\.(ndjson|jsonl|json|csv|db|sqlite3?))?(\.(gz|zst))?$/i;

/**
 * The output's name without its format endings; a place of their own where the output is no regular file. Runs that stand
 * side by side in a folder each have one: `dead-letters.2.ndjson` while another run has the first.
 */
export async function deadLettersOf(output: string): Promise<string> {
  const nowhere = output === "-" || databaseOf(output) === "postgres";
  const found = nowhere ? undefined : await stat(output).catch(() => undefined);
  const special = nowhere || (found !== undefined && !found.isFile());
  return special ? await freeLetters() : `${output.replace(FORMAT_ENDINGS, "")}.failed.ndjson`;
}

async function freeLetters(): Promise<string> {
  for (let number = 1; ; number++) {
    const path = number === 1 ? "dead-letters.ndjson" : `dead-letters.${number}.ndjson`;
    if (!(await isClaimed(path))) return path;
  }
}

export interface Places {
  /** Files that were found, or `-`. */
  readonly inputs: readonly string[];
  /** The files that the run's sinks write; `-` is stdout. */
  readonly outputs: readonly string[];
  readonly deadLetters: string;
  readonly report: string | undefined;
  readonly store: string | undefined;
}

/** @throws ConfigurationError when a place cannot be written, or is named twice. */
export async function checkPlaces({ inputs, outputs, deadLetters, report, store }: Places): Promise<void> {
  if (deadLetters === "-") {
    throw failure("invalid_option", "--dead-letters needs a file: stdout carries records only.");
  }
  const files = outputs.filter((output) => output !== "-" && databaseOf(output) !== "postgres");
  // The last two are written late, when a fault would cost what the run has paid for.
  for (const path of [...files, deadLetters, report]) if (path !== undefined) await checkWritable(path);
  if (store !== undefined) await refuseForeign(store);
  const named = [
    ...inputs.map((input) => ["The input", input] as const),
    ...outputs.flatMap((output) => withPartial("the output", output)),
    ...withPartial("the dead letters", deadLetters),
    ["the report", report],
    ["the store", store],
  ] as const;
  if (outputs.includes("-")) for (const input of inputs) if (input !== "-") await refuseOwnInput(input);
  const seen = new Map<string, string>();
  for (const [what, path] of named) {
    if (path === undefined || path === "-") continue;
    const real = await realPath(path).catch((cause: Error) => {
      throw failure("invalid_option", `Cannot write ${path}: ${cause.message}.`, { cause });
    });
    const found = await stat(real).catch(() => undefined);
    if (found !== undefined && !found.isFile()) continue;
    // By what it is: a file may have several names.
    const key = found === undefined ? real : `${found.dev}:${found.ino}`;
    const other = seen.get(key);
    if (other !== undefined) {
      const both = `${other} and ${what}`.replace(/^the/, "The");
      throw failure("invalid_option", `${both} are the same file: ${path}. Give another one.`);
    }
    seen.set(key, what);
  }
}

/** A store that is damaged is set aside and mended; what only stands where one was looked for is not even touched. */
async function refuseForeign(store: string): Promise<void> {
  const named = databaseOf(store) === "sqlite" || !(await stat(store).catch(() => undefined))?.isFile();
  if (named || (await mayBeSqlite(store))) return;
  throw failure("invalid_option", `The store ${store} is a file of another kind. Give another place with --store.`);
}

/** `millrace analyze x >> x` would read what it writes, for ever. */
async function refuseOwnInput(input: string): Promise<void> {
  const [read, written] = [await stat(input), fstatSync(1)];
  if (!written.isFile() || read.ino !== written.ino || read.dev !== written.dev) return;
  throw failure("invalid_option", `stdout is the input itself: ${input}. Write to another file.`);
}

/** A file has two names in its time; a database has its own, and one on a server none. */
function withPartial(what: string, path: string): [string, string][] {
  const database = databaseOf(path);
  if (path === "-" || database === "postgres") return [];
  return database === undefined
    ? [
        [what, path],
        [`${what} in the making`, partialOf(path)],
      ]
    : [[what, path]];
}

/** Where what a run that did not end has written to a path lies: under its partial name. What is no file was written directly. */
export function leftOf(path: string): string | undefined {
  if (existsSync(partialOf(path))) return partialOf(path);
  try {
    // A link's partial file lies beside what it leads to.
    const real = realpathSync(path);
    if (existsSync(partialOf(real))) return partialOf(real);
    return statSync(real).isFile() ? undefined : path;
  } catch {
    return undefined;
  }
}

/** The paths that a stage of a run will write. */
export function pathsOf(stage: StageInput | undefined): string[] {
  if (stage instanceof RecordSink || stage instanceof DatabaseSink) return stage.path === undefined ? [] : [stage.path];
  return stage instanceof Route ? stage.sinks.flatMap(pathsOf) : [];
}

/** A folder that is not there yet will be made in the nearest one that is. */
async function checkWritable(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw failure("invalid_option", `Cannot write ${path}: it is a directory.`);
  let place = found === undefined ? dirname(resolve(path)) : resolve(path);
  let standing = await stat(place).catch(() => undefined);
  while (standing === undefined && place !== dirname(place)) {
    place = dirname(place);
    standing = await stat(place).catch(() => undefined);
  }
  if (found === undefined && standing?.isFile()) {
    throw failure("invalid_option", `Cannot write ${path}: ${place} is a file, not a folder.`);
  }
  await access(place, constants.W_OK).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === "EACCES" ? `you may not write ${place} (EACCES)` : cause.message;
    throw failure("invalid_option", `Cannot write ${path}: ${why}.`, { cause });
  });
}

/**
 * What a run that did not end has left was paid for; without a store another run would pay again and overwrite it, so it
 * asks first. What costs nothing needs no question.
 */
export async function refuseUnfinished(outputs: readonly string[], stages: readonly StageInput[]): Promise<void> {
  const paid = stages.some((stage) => stage instanceof Analyze && stage.provider.baseURL !== undefined);
  if (!paid) return;
  for (const output of outputs) {
    if (output === "-" || databaseOf(output) !== undefined) continue;
    const real = await realPath(output).catch(() => output);
    const left = await stat(partialOf(real)).catch(() => undefined);
    if (left === undefined || left.size === 0) continue;
    throw failure(
      "invalid_option",
      `${partialOf(output)} holds answers of a run that did not end, and this run would pay for them again. ` +
        "Move it away to keep it, or pass --fresh.",
    );
  }
}
