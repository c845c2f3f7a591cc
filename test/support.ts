/** What the tests of whole runs share: a folder of their own, the command line, articles, a simulator in its own process. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { spawnSimulator } from "../src/simulator/process.ts";
import type { SimulatorOptions } from "../src/simulator/simulator.ts";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const KEY = "sk-secret-0123456789-marker";

/** For a test that measures time: something else on the machine may disturb it, but hardly four times over. */
export const TIMED = { retry: 3 } as const;

/** A folder that goes with the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "millrace-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A simulator in a process of its own, closed with the test. */
export async function simulator(options: SimulatorOptions = {}) {
  const running = await spawnSimulator(options);
  onTestFinished(() => running.close());
  return running;
}

export const VENDOR_NAMES = ["anthropic", "openai", "mistral"] as const;
export type VendorName = (typeof VENDOR_NAMES)[number];

/** The base URL under which a simulator speaks a vendor's protocol. */
export const baseURL = (url: string, vendor: VendorName): string =>
  ({ anthropic: `${url}/anthropic`, openai: `${url}/openai/v1`, mistral: `${url}/mistral` })[vendor];

/** The environment that points a vendor's key and server at a simulator. */
export function environment(url: string, vendor: VendorName): Record<string, string> {
  const name = vendor.toUpperCase();
  return { [`${name}_API_KEY`]: KEY, [`${name}_BASE_URL`]: baseURL(url, vendor) };
}

/** An article whose answers the simulator marks with its id. */
export const article = (id: string, words = 40) => ({
  id,
  title: `About ${id}`,
  url: `https://example.org/${id}`,
  content: `[[id:${id}]] ${"several plain words of text ".repeat(Math.ceil(words / 5))}`.trim(),
});

export const articles = (count: number, words?: number) =>
  Array.from({ length: count }, (_, index) => article(`a${index}`, words));

/** A configuration under which a command tries again at once: for what comes of retries, not how long they wait. */
export const retriesAtOnce = (cwd: string): string => writeLines(join(cwd, "millrace.yaml"), ["retryBaseDelay: 20ms"]);

export function writeLines(path: string, lines: readonly (string | object)[]): string {
  writeFileSync(path, lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
  return path;
}

/** A line of an output or dead-letter file, loosely typed: the tests say what they expect of it. */
export interface Row {
  readonly id: string;
  readonly line?: number;
  readonly analysis: { readonly title: string; readonly summary: string };
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly attempts: number;
    readonly status: number | null;
  };
  readonly source: { readonly file: string; readonly line: number; readonly byteOffset: number } | null;
  readonly stage: string;
  readonly record: { readonly id: string } | null;
  readonly raw?: string;
}

export const rows = (text: string): Row[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row);

export const readRows = (path: string): Row[] => rows(readFileSync(path, "utf8"));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface CliOptions {
  readonly cwd: string;
  readonly env?: Record<string, string>;
  readonly input?: string;
}

/** Starts the command line; keys of the machine that runs the tests stay out. */
export function startCli(args: readonly string[], { cwd, env = {}, input }: CliOptions) {
  const child = spawn(process.execPath, [join(ROOT, "src/cli/millrace.js"), ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: cwd, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => {});
  if (input !== undefined) child.stdin.end(input);
  return { child, ended: endOf(child) };
}

export const cli = (args: readonly string[], options: CliOptions): Promise<Ended> =>
  startCli(args, { input: "", ...options }).ended;

export function endOf(child: ChildProcess): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr })));
}
