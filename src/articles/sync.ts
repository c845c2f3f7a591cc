/** The blocking way: for a script without async and await. The work is done in a thread of its own. */

import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { ArticleAnalysis } from "../analysis/analysis.ts";
import { type ErrorCode, failure, type MillraceError } from "../errors.ts";
import { load } from "../load.ts";
import { VENDORS } from "../providers/models.ts";
import type { RunReport } from "../report.ts";
import { type ArticleInput, checkArticles, questionOf } from "./article.ts";
import type { BatchesOptions, ProcessorOptions } from "./processor.ts";
import { checkListeners } from "./run.ts";
import type { ProviderName } from "./vendors.ts";

/** Everything in it crosses to another thread: no provider objects, no signal. `processArticles()` has the rest. */
export interface SyncOptions
  extends Omit<ProcessorOptions & BatchesOptions, "provider" | "signal" | "onProgress" | "onResult"> {
  readonly provider: ProviderName;
}

/** An error on its way between two threads, which keep no classes. */
interface SentError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly status: number | undefined;
  readonly attempts: number;
  readonly retryAfter: number | undefined;
  readonly requestId: string | undefined;
}

/** What the thread is asked. */
export interface SyncTask {
  readonly articles: readonly unknown[];
  readonly options: Omit<SyncOptions, "onError" | "onReport">;
  /** Keys and servers as the environment has them now: the thread has its own, from when it was started. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What it says. */
export type SyncOutcome = {
  readonly failed: readonly { readonly index: number; readonly error: SentError }[];
} & (
  | { readonly results: readonly (ArticleAnalysis | null)[]; readonly report: RunReport | undefined }
  | { readonly error: SentError }
);

export const sent = ({ code, message, status, attempts, retryAfter, requestId }: MillraceError): SentError => ({
  code,
  message,
  status,
  attempts,
  retryAfter,
  requestId,
});

const received = ({ code, message, ...facts }: SentError): MillraceError => failure(code, message, facts);

type Worker = (task: SyncTask) => Promise<SyncOutcome>;

let work: ((task: SyncTask) => SyncOutcome) | undefined;

/** Made once: the thread stays for the next call, and keeps no process alive. */
function worker(): (task: SyncTask) => SyncOutcome {
  if (work !== undefined) return work;
  // Sources run as they are, built files beside each other: the neighbour has this file's ending.
  const path = fileURLToPath(new URL(`./sync-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url));
  const { createSyncFn } = load("synckit") as typeof import("synckit");
  work = createSyncFn<Worker>(path);
  return work;
}

const VARIABLES = Object.values(VENDORS).flatMap(({ keyVariable, baseURLVariable }) => [keyVariable, baseURLVariable]);

/**
 * `processArticles()` for a program without async and await: blocks until all is done. Nothing else of the program runs
 * meanwhile, not even timers; in a server that is never what is wanted.
 *
 * @param articles an array or another iterable; it is read to its end first
 * @param options `onError` and `onReport` are called when all is done
 * @returns the analyses in the articles' order, `null` for each that has failed
 * @throws MillraceError as `processArticles()` does, with the same classes and codes
 */
export function processArticlesSync(
  articles: Iterable<ArticleInput | null | undefined>,
  options: SyncOptions,
): (ArticleAnalysis | null)[] {
  checkArticles(articles, "processArticlesSync()");
  if (!(Symbol.iterator in articles)) throw wrong("takes a list that can be read without waiting, such as an array.");
  const { onError, onReport, ...rest } = options ?? {};
  checkCrossing(rest);
  checkListeners({ onError, onReport }, "processArticlesSync()");
  const given = [...articles];
  const environment = Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]]));
  const outcome = worker()({ articles: given.map(crossing), options: rest, environment });
  for (const { index, error } of outcome.failed) onError?.(received(error), given[index], index);
  if ("error" in outcome) throw received(outcome.error);
  if (outcome.report !== undefined) onReport?.(outcome.report);
  return [...outcome.results];
}

/** Of an article only what is asked about; of what is none, as much as can cross, so that the thread can say what it is. */
function crossing(article: unknown): unknown {
  const question = questionOf(article);
  if (!(question instanceof Error)) return question;
  try {
    return structuredClone(article);
  } catch {
    return typeof article === "object" ? {} : null;
  }
}

function checkCrossing(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const whole = name === "provider" && typeof value === "object";
    if (!whole && name !== "signal" && typeof value !== "function") continue;
    const instead = name === "onProgress" ? " Take `showProgress`, or processArticles()." : " Take processArticles().";
    throw wrong(`cannot take ${whole ? "a provider object" : `\`${name}\``}: it works in another thread.${instead}`);
  }
}

const wrong = (message: string): MillraceError => failure("invalid_option", `processArticlesSync() ${message}`);
