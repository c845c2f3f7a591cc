/** One run over articles, on the same streams as any other: its results by their place in the list. */

import { Writable } from "node:stream";
import type { ArticleAnalysis } from "../analysis/analysis.ts";
import { failure, type MillraceError } from "../errors.ts";
import { type PipelineOptions, pipeline } from "../pipeline.ts";
import type { DeadLetter } from "../record.ts";
import type { RunReport } from "../report.ts";
import type { Analyze } from "../transforms/analyze.ts";
import { told } from "../transforms/functions.ts";
import { type ArticleInput, type Articles, type Question, questionOf } from "./article.ts";

/** How far a run over articles has come. */
export interface Progress {
  /** `succeeded + failed`. */
  readonly done: number;
  /** Undefined while the list has not told its length: a generator, a stream. */
  readonly total: number | undefined;
  readonly succeeded: number;
  readonly failed: number;
}

/** What a run can be told, and whom it tells. A listener that throws ends the run with `stage_failed`. */
export interface RunOptions {
  /** Called after each article, in the order in which they end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Called with each analysis as it comes, so that nothing paid for is lost when the run is stopped later. */
  readonly onResult?: ((analysis: ArticleAnalysis, article: ArticleInput, index: number) => void) | undefined;
  /** Called for each article that has failed for good, whose result is `null`: why, which one, and its place from 0. */
  readonly onError?: ((error: MillraceError, article: unknown, index: number) => void) | undefined;
  /** Called once, when the run has ended well, with what it took: requests, retries, waits, tokens. */
  readonly onReport?: ((report: RunReport) => void) | undefined;
  /**
   * US dollars that the run may cost: it stops with `cost_cap_reached` before they are passed; `onResult` has heard what was
   * done. Needs known prices. Default: no cap.
   */
  readonly maxCost?: number | undefined;
  /** Ends the run at once when aborted, the calls in flight too: it rejects with `aborted`. */
  readonly signal?: AbortSignal | undefined;
}

export const RUN_OPTIONS = [
  "onProgress",
  "onResult",
  "onError",
  "onReport",
  "maxCost",
  "signal",
] as const satisfies readonly (keyof RunOptions)[];

/** Those of a run that are called. */
const LISTENERS = ["onProgress", "onResult", "onError", "onReport"] as const;

/** What cannot be called would be met when the first article is paid for. @param where the call as the user wrote it @throws `invalid_option` */
export function checkListeners(options: RunOptions, where: string): void {
  for (const name of LISTENERS) {
    const given: unknown = options[name];
    if (given === undefined || typeof given === "function") continue;
    throw failure("invalid_option", `${where}: \`${name}\` must be a function.`);
  }
}

interface RunSetup {
  readonly stage: Analyze;
  readonly store: PipelineOptions["store"];
  readonly abort: AbortController;
}

/** What the client's stages give for a question. */
export interface Answer {
  readonly question: object;
  readonly analysis: ArticleAnalysis;
}

type Results = (ArticleAnalysis | null)[];

/** So many first articles without content, and nothing is asked: they hold it under another name. */
const FIRST = 20;

class Run {
  readonly results: Results = [];
  readonly #places = new Map<object, { readonly index: number; readonly article: ArticleInput }>();
  readonly #articles: Articles;
  readonly #options: RunOptions;
  #succeeded = 0;
  #failed = 0;
  /** Articles taken from the list. */
  #taken = 0;
  /** Only articles without content have come so far. */
  #lacking = true;
  #total: number | undefined;

  constructor(articles: Articles, options: RunOptions) {
    this.#articles = articles;
    this.#options = options;
    this.#total = Array.isArray(articles) ? articles.length : undefined;
  }

  async *questions(): AsyncGenerator<Question> {
    for await (const article of this.#articles) {
      const index = this.#taken;
      this.#taken++;
      this.results.push(null);
      const question = questionOf(article);
      if (question instanceof Error) {
        await this.#fail(question, article, index);
        continue;
      }
      this.#lacking = false;
      this.#places.set(question, { index, article: article as ArticleInput });
      yield question;
    }
    this.#total ??= this.#taken;
  }

  async succeed({ question, analysis }: Answer): Promise<void> {
    const { index, article } = this.#leave(question);
    const { onResult } = this.#options;
    this.results[index] = analysis;
    this.#succeeded++;
    if (onResult !== undefined) await told("onResult", onResult, analysis, article, index);
    await this.#tell();
  }

  async lose({ error, record }: DeadLetter): Promise<void> {
    const { index, article } = this.#leave(record as object);
    const { code, message, status, attempts } = error;
    await this.#fail(failure(code, message, { status: status ?? undefined, attempts }), article, index);
  }

  async #fail(error: MillraceError, article: unknown, index: number): Promise<void> {
    const { onError } = this.#options;
    this.#failed++;
    if (onError !== undefined) await told("onError", onError, error, article, index);
    await this.#tell();
    if (error.code !== "missing_content" || !this.#lacking || this.#taken < FIRST) return;
    const none = `Of the first ${FIRST} articles none can be asked about, the last because: ${error.message}`;
    throw failure("invalid_option", none);
  }

  #leave(question: object) {
    const place = this.#places.get(question);
    if (place === undefined) throw failure("internal", "An answer came that no article had asked for.");
    this.#places.delete(question);
    return place;
  }

  async #tell(): Promise<void> {
    const { onProgress } = this.#options;
    const [succeeded, failed] = [this.#succeeded, this.#failed];
    if (onProgress !== undefined) {
      await told("onProgress", onProgress, { done: succeeded + failed, total: this.#total, succeeded, failed });
    }
  }
}

/** A sink for objects: what `take` throws fails the run. */
export const into = <T>(take: (item: T) => Promise<void> | void): Writable =>
  new Writable({
    objectMode: true,
    write(item: T, _encoding, callback) {
      Promise.resolve(take(item)).then(() => callback(), callback);
    },
  });

/**
 * Resolves with a result for each article, in their order.
 *
 * @throws MillraceError what is wrong for every article, `hopeless`, `aborted`
 */
export async function runArticles(
  articles: Articles,
  { stage, store, abort, options }: RunSetup & { readonly options: RunOptions },
): Promise<Results> {
  const run = new Run(articles, options);
  let fault: unknown;
  /** What is thrown here is no fault of a sink, and told as what it is. */
  const heard = <T>(take: (item: T) => Promise<void>) =>
    into<T>((item) =>
      take(item).catch((error: unknown) => {
        fault ??= error;
        throw error;
      }),
    );
  const given = { ...stored(store), ...(options.maxCost === undefined ? {} : { maxCost: options.maxCost }) };
  const report = await pipeline(
    run.questions(),
    stage,
    heard<Answer>((answer) => run.succeed(answer)),
    { deadLetters: heard<DeadLetter>((letter) => run.lose(letter)), signal: abort.signal, ...given },
  ).catch((error: unknown) => Promise.reject(fault ?? error));
  if (options.onReport !== undefined) await told("onReport", options.onReport, report);
  return run.results;
}

const stored = (store: PipelineOptions["store"]) => (store === undefined ? {} : { store });

/** The analysis of one. @throws MillraceError why there is none */
export async function runOne(question: Question, { stage, store, abort }: RunSetup): Promise<ArticleAnalysis> {
  let analysis: ArticleAnalysis | undefined;
  const take = into<Answer>((answer) => {
    analysis = answer.analysis;
  });
  await pipeline([question], stage, take, { signal: abort.signal, ...stored(store) });
  if (analysis === undefined) throw failure("internal", "A run over one article gave neither an answer nor an error.");
  return analysis;
}
