/** What the tests of sources, transforms and sinks share. */

import { spawn } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import { type Readable, Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { type DeadLetter, type Source, sourceOf } from "../src/record.ts";
import type { Input } from "../src/sources/input.ts";
import { type ReadOptions, read } from "../src/sources/read.ts";
import { type Ended, endOf, ROOT } from "./support.ts";
import { collector } from "./transforms/own-provider.ts";

export { caught, collector, numbered } from "./transforms/own-provider.ts";

export async function gathered(stream: Readable): Promise<unknown[]> {
  const records: unknown[] = [];
  for await (const record of stream) records.push(record);
  return records;
}

/** A sink for dead letters that keeps them. */
export function letterBox() {
  const { records, stream } = collector();
  return { letters: records as DeadLetter[], stream };
}

export interface Taken {
  readonly records: unknown[];
  readonly sources: (Source | null)[];
  readonly letters: DeadLetter[];
}

/** Text in pieces, as an iterable gives it: an array of strings would be a list of paths. */
export const texts = (pieces: Iterable<string>): Iterable<string> => ({
  [Symbol.iterator]: () => pieces[Symbol.iterator](),
});

const isText = (input: Input): input is readonly string[] =>
  Array.isArray(input) && input.every((item) => typeof item === "string");

/** Everything that reading an input comes to; an array of strings is text. */
export async function taken(input: Input, options: ReadOptions = {}): Promise<Taken> {
  const { letters, stream } = letterBox();
  const records = await gathered(read(isText(input) ? texts(input) : input, { ...options, deadLetters: stream }));
  return { records, sources: records.map(sourceOf), letters };
}

/** Takes one record and never another. */
export function stalled() {
  const records: unknown[] = [];
  const stream = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write: (record) => void records.push(record),
  });
  return { records, stream };
}

export async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await turn();
}

/** How often this process has a file open. */
export function timesOpen(path: string): number {
  const links = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  return links.filter((link) => link === path).length;
}

interface ScriptOptions {
  readonly args?: readonly string[];
  readonly flags?: readonly string[];
  /** A shell line that runs before Node takes the shell's place. */
  readonly first?: string;
}

/** Starts a process that runs the lines of a module which may import from `./src`. */
export function startScript(lines: string, { args = [], flags = [], first = ":" }: ScriptOptions = {}) {
  const node = [
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    ...flags,
    "--input-type=module",
    "-e",
    lines,
  ];
  const child = spawn("sh", ["-c", `${first}; exec "$@"`, "sh", ...node, ...args], { cwd: ROOT });
  child.stdin.on("error", () => {});
  return { child, ended: endOf(child) as Promise<Ended> };
}

export function script(lines: string, options: ScriptOptions = {}): Promise<Ended> {
  const { child, ended } = startScript(lines, options);
  child.stdin.end();
  return ended;
}
