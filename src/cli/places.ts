/** Where a command reads and writes: checked before anything is sent. */

import { fstatSync } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { failure } from "../errors.ts";
import type { StageInput } from "../index.ts";
import { partialOf } from "../sinks/file.ts";
import { realPath } from "../sinks/output.ts";
import { Route } from "../sinks/route.ts";
import { RecordSink } from "../sinks/write.ts";
import { Analyze } from "../transforms/analyze.ts";

/** Endings that say a format, left out of the dead letters' name. */
const FORMAT_ENDINGS = /(\.(ndjson|jsonl|json|csv))?(\.(gz|zst))?$/i;

/** The output's name without its format endings; a place of their own where the output is no regular file. */
export async function deadLettersOf(output: string): Promise<string> {
  const found = output === "-" ? undefined : await stat(output).catch(() => undefined);
  const special = output === "-" || (found !== undefined && !found.isFile());
  return special ? "dead-letters.ndjson" : `${output.replace(FORMAT_ENDINGS, "")}.failed.ndjson`;
}

export interface Places {
  readonly input: string;
  /** The files that the run's sinks write; `-` is stdout. */
  readonly outputs: readonly string[];
  readonly deadLetters: string;
  readonly report: string | undefined;
  readonly store: string | undefined;
}

/** @throws ConfigurationError when a place cannot be read or written, or is named twice. */
export async function checkPlaces({ input, outputs, deadLetters, report, store }: Places): Promise<void> {
  if (input !== "-") await checkReadable(input);
  if (deadLetters === "-") {
    throw failure("invalid_option", "--dead-letters needs a file: stdout carries records only.");
  }
  // These are written late, when a fault would cost what the run has paid for.
  for (const path of [deadLetters, report]) if (path !== undefined) await checkWritable(path);
  const named = [
    ["The input", input],
    ...outputs.flatMap((output) => withPartial("the output", output)),
    ...withPartial("the dead letters", deadLetters),
    ["the report", report],
    ["the store", store],
  ] as const;
  if (outputs.includes("-") && input !== "-") await refuseOwnInput(input);
  const seen = new Map<string, string>();
  for (const [what, path] of named) {
    if (path === undefined || path === "-") continue;
    const real = await realPath(path);
    const device = await stat(real).then(
      (found) => !found.isFile(),
      () => false,
    );
    const other = device ? undefined : seen.get(real);
    if (other !== undefined) {
      throw failure("invalid_option", `${other} and ${what} are the same file: ${path}. Give another one.`);
    }
    seen.set(real, what);
  }
}

/** `millrace analyze x >> x` would read what it writes, for ever. */
async function refuseOwnInput(input: string): Promise<void> {
  const [read, written] = [await stat(input), fstatSync(1)];
  if (!written.isFile() || read.ino !== written.ino || read.dev !== written.dev) return;
  throw failure("invalid_option", `stdout is the input itself: ${input}. Write to another file.`);
}

/** A file has two names in its time. */
const withPartial = (what: string, path: string): [string, string][] =>
  path === "-"
    ? []
    : [
        [what, path],
        [`${what} in the making`, partialOf(path)],
      ];

/** The paths that a stage of a run will write. */
export function pathsOf(stage: StageInput | undefined): string[] {
  if (stage instanceof RecordSink) return stage.path === undefined ? [] : [stage.path];
  return stage instanceof Route ? stage.sinks.flatMap(pathsOf) : [];
}

async function checkReadable(input: string): Promise<void> {
  const found = await stat(input).catch(() => undefined);
  if (found === undefined) throw failure("invalid_option", `Cannot read ${input}: there is no such file.`);
  if (found.isDirectory()) throw failure("invalid_option", `Cannot read ${input}: it is a directory.`);
  await access(input, constants.R_OK).catch((cause) => {
    throw failure("invalid_option", `Cannot read ${input}: you may not read it.`, { cause });
  });
}

/** A folder that is not there yet will be made in the nearest one that is. */
async function checkWritable(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw failure("invalid_option", `Cannot write ${path}: it is a directory.`);
  let place = found === undefined ? dirname(resolve(path)) : resolve(path);
  while (place !== dirname(place) && !(await stat(place).catch(() => undefined))) place = dirname(place);
  await access(place, constants.W_OK).catch((cause) => {
    throw failure("invalid_option", `Cannot write ${path}: you may not write ${place}.`, { cause });
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
    const left = await stat(partialOf(await realPath(output))).catch(() => undefined);
    if (output === "-" || left === undefined || left.size === 0) continue;
    throw failure(
      "invalid_option",
      `${partialOf(output)} holds answers of a run that did not end, and this run would pay for them again. ` +
        "Move it away to keep it, or pass --fresh.",
    );
  }
}
