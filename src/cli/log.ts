/** What is said on stderr: sentences for a person, or with `--json` one JSON object a line. Never a key. */

import type { RunFlags } from "../config/options.ts";
import { failure } from "../errors.ts";

/** From few words to many. */
const LEVELS = ["error", "warn", "info", "debug"] as const;

export type Level = (typeof LEVELS)[number];

/** Something to be said. */
export interface Note {
  readonly level: Level;
  /** What it is called as a JSON event. */
  readonly event: string;
  /** For a person; left out: it is for machines only. */
  readonly text?: string;
  /** Where a person is told at another level than a machine. */
  readonly textLevel?: Level;
  /** Of the JSON event. */
  readonly facts?: object;
}

export interface LogOptions {
  readonly level: Level;
  readonly json: boolean;
  /** Texts that must appear nowhere. */
  readonly secrets: readonly string[];
  readonly write: (line: string) => void;
  /** Ms since the epoch. */
  readonly now?: () => number;
}

export class Log {
  readonly level: Level;
  readonly json: boolean;
  readonly #options: LogOptions;

  constructor(options: LogOptions) {
    this.level = options.level;
    this.json = options.json;
    this.#options = options;
  }

  hears(level: Level): boolean {
    return LEVELS.indexOf(level) <= LEVELS.indexOf(this.level);
  }

  tell({ level, event, text, textLevel = level, facts = {} }: Note): void {
    if (this.json) {
      if (!this.hears(level)) return;
      const time = new Date(this.#options.now?.() ?? Date.now()).toISOString();
      this.#say(JSON.stringify({ event, time, level, ...facts }));
    } else if (text !== undefined && this.hears(textLevel)) this.#say(text);
  }

  #say(line: string): void {
    let shown = line;
    // No message holds one; this is for what others put into theirs.
    for (const secret of this.#options.secrets) shown = shown.replaceAll(secret, "[secret]");
    this.#options.write(`${shown}\n`);
  }
}

/** @throws ConfigurationError when the options contradict one another. */
function levelOf({ quiet, verbose, logLevel }: Pick<RunFlags, "quiet" | "verbose" | "logLevel">): Level {
  const asked = new Map<Level, string>();
  if (quiet) asked.set("error", "--quiet");
  if (verbose) asked.set("debug", "--verbose");
  if (logLevel !== undefined && !asked.has(logLevel)) asked.set(logLevel, `--log-level ${logLevel}`);
  if (asked.size < 2) return asked.keys().next().value ?? "info";
  throw failure("invalid_option", `${[...asked.values()].join(" and ")} contradict each other. Give one of them.`);
}

/** Shorter ones would be found in words that are none. */
const LEAST_SECRET = 8;

/** The keys and passwords that the environment holds. A password that is a word of the command line (`postgres`) is none. */
function secretsOf(env: NodeJS.ProcessEnv, argv: readonly string[] = process.argv): readonly string[] {
  const secret = (name: string, value = "") =>
    name.endsWith("_API_KEY") || (name === "PGPASSWORD" && !argv.some((word) => word.includes(value)));
  const named = Object.entries(env).filter(([name, value]) => secret(name, value));
  const secrets = named.flatMap(([, value = ""]) => value.split(",").map((part) => part.trim()));
  return secrets.filter((secret) => secret.length >= LEAST_SECRET);
}

const write = (line: string): void => void process.stderr.write(line);

export const logOf = (flags: Pick<RunFlags, "quiet" | "verbose" | "logLevel" | "json">): Log =>
  new Log({ level: levelOf(flags), json: flags.json === true, secrets: secretsOf(process.env), write });

/**
 * The log of a command line that may not even be understood: as far as its words show. Only a run's `--json` is about
 * stderr; other commands' is about what they print.
 */
export function earlyLog(argv: readonly string[]): Log {
  const end = argv.indexOf("--");
  const words = end === -1 ? argv : argv.slice(0, end);
  const command = words.slice(2).find((word) => !word.startsWith("-"));
  const json = (command === "analyze" || command === "run") && words.includes("--json");
  const verbose = words.includes("-v") || words.includes("--verbose");
  return new Log({ level: verbose ? "debug" : "info", json, secrets: secretsOf(process.env), write });
}
