/** A client in the shape that people know from SDKs: one object, one article or a list of them, answers back. */

import type { ArticleAnalysis } from "../analysis/analysis.ts";
import { clientsOf } from "../client/client.ts";
import type { Flight } from "../client/line.ts";
import { mostCalls } from "../client/open-files.ts";
import { CALL_NAMES, type CallName } from "../config/client-config.ts";
import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import { onAbort } from "../limits/on-abort.ts";
import { checkKeys, checkWhole } from "../options.ts";
import { pipeline } from "../pipeline.ts";
import type { Provider } from "../providers/provider.ts";
import { Analyze, WINDOW_PER_CALL } from "../transforms/analyze.ts";
import {
  type AnalyzeOptions,
  type AnalyzeResult,
  MOST_CONCURRENCY,
  normalised,
  type Settings,
} from "../transforms/analyze-options.ts";
import { type ArticleInput, type Articles, checkArticles, questionOf } from "./article.ts";
import { checkListeners, into, RUN_OPTIONS, type RunOptions, runArticles, runOne } from "./run.ts";

/** How a client makes its calls; the same names as `analyze()` has. */
export interface CallOptions extends Pick<AnalyzeOptions, CallName | "prices"> {
  /**
   * Calls in flight at most, of all that are made with the client: a number, or `auto` (the default): a few at first, then
   * as many as the provider carries. 1: one after the other.
   */
  readonly maxConcurrent?: number | "auto";
}

export const CALL_OPTIONS = [
  "maxConcurrent",
  ...CALL_NAMES,
  "prices",
] as const satisfies readonly (keyof CallOptions)[];

export interface BatchOptions extends RunOptions {
  /** Calls of this batch in flight at most, in place of the client's `maxConcurrent`. */
  readonly maxConcurrent?: number | "auto" | undefined;
}

/** Who a client asks. Never with a key. */
export interface ProviderInfo {
  readonly provider: string;
  readonly model: string;
  /** Undefined: the embedded analyser, which calls nobody. */
  readonly baseURL: string | undefined;
  /** Output tokens of one answer at most. */
  readonly maxOutputTokens: number;
  readonly maxConcurrent: number | "auto";
  /** A limit of one's own; undefined: none but what the provider tells. */
  readonly requestsPerMinute: number | undefined;
}

/** A test of the connection is not worth a longer wait, ms, nor more tries. */
const TEST_PATIENCE = { timeout: 30_000, maxWait: 30_000, maxRetries: 1 };

/** Asks for the built-in analysis of articles. All calls of one client share its connections, limits and bound. */
export class ArticleClient {
  readonly #provider: Provider;
  readonly #options: CallOptions;
  readonly #settings: Settings;
  readonly #flight: Flight = { calls: 0 };
  readonly #runs = new Set<AbortController>();
  #maxConcurrent: number | "auto" = "auto";
  #closed = false;

  /**
   * @param provider `anthropic()`, `openai()`, `lanes([…])` …, closed with the client
   * @throws `invalid_option`
   */
  constructor(provider: Provider, options: CallOptions = {}) {
    checkKeys(options, CALL_OPTIONS, "The client");
    const { maxConcurrent = "auto", store: _store, ...rest } = options;
    this.#provider = provider;
    this.#options = options;
    const output = (question: unknown, { value }: AnalyzeResult) => ({ question, analysis: value });
    this.#settings = normalised({ ...defined(rest), provider, ordered: false, output });
    this.maxConcurrent = maxConcurrent;
  }

  /** Calls in flight at most. It may be set at any time, and holds at once for runs under way. @throws `invalid_option` */
  get maxConcurrent(): number | "auto" {
    return this.#maxConcurrent;
  }

  set maxConcurrent(maxConcurrent: number | "auto") {
    this.#maxConcurrent = checkedMost(maxConcurrent);
    this.#flight.limit = limitOf(maxConcurrent);
    const room = { most: mostOf(maxConcurrent), auto: maxConcurrent === "auto", limits: this.#settings.limits };
    for (const client of clientsOf(this.#provider)) {
      client.allow(room);
      client.gate.pump();
    }
  }

  /**
   * The analysis of one article. Faults are retried and limits waited for, as in any run.
   *
   * @throws MillraceError why there is none, by its class or `code`: `missing_content`, `authentication_failed`, `refused` …
   */
  async analyzeArticle(
    article: ArticleInput,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ArticleAnalysis> {
    const question = questionOf(article);
    if (question instanceof Error) throw question;
    return this.#during(signal, (abort) => {
      const settings = { ...this.#settings, concurrency: this.#maxConcurrent };
      const stage = new Analyze(settings, { flight: this.#flight, width: 1 });
      return runOne(question, { stage, store: this.#options.store, abort });
    });
  }

  /**
   * The analyses of many articles, in their order; `null` for each that has failed, of which `onError` tells why. An empty
   * list gives an empty one.
   *
   * @throws MillraceError what is wrong for every article (bad key, unknown model, no credit …); `hopeless` when the first 20
   * (or all, if fewer) fail in the same way at the provider, or most of the last 200; `aborted`
   */
  async batchAnalyze(articles: Articles, options: BatchOptions = {}): Promise<(ArticleAnalysis | null)[]> {
    checkKeys(options, ["maxConcurrent", ...RUN_OPTIONS], "batchAnalyze()");
    checkListeners(options, "batchAnalyze()");
    checkArticles(articles, "batchAnalyze()");
    const own = options.maxConcurrent;
    const maxConcurrent = own === undefined ? this.#maxConcurrent : checkedMost(own);
    const flight = own === undefined ? this.#flight : { calls: 0, limit: limitOf(own) };
    const width = Math.max(mostCalls(), mostOf(maxConcurrent)) * WINDOW_PER_CALL;
    return this.#during(options.signal, (abort) => {
      const stage = new Analyze({ ...this.#settings, concurrency: maxConcurrent }, { flight, width });
      return runArticles(articles, { stage, store: this.#options.store, options, abort });
    });
  }

  /**
   * Whether the provider answers: one small call, which costs a few tokens. It waits 30 s at most.
   *
   * @param options `onError` hears why it does not
   */
  async testConnection(options: { readonly onError?: (error: MillraceError) => void } = {}): Promise<boolean> {
    const { provider, options: given } = { provider: this.#provider, options: this.#settings };
    const prompt = () => "This is a test of the connection. Answer with: OK";
    const asked = normalised({ provider, prompt, output: (record) => record, ...TEST_PATIENCE });
    try {
      await this.#during(undefined, async (abort) => {
        const settings = { ...asked, limits: given.limits, concurrency: this.#maxConcurrent };
        const stage = new Analyze(settings, { flight: this.#flight, width: 1 });
        await pipeline(
          [{}],
          stage,
          into(() => {}),
          { signal: abort.signal },
        );
      });
      return true;
    } catch (error) {
      if (!isMillraceError(error) || error.kind === "configuration" || error.code === "internal") throw error;
      // Whoever has something against the words of an answer has got one.
      if (error.kind === "content") return true;
      options.onError?.(error);
      return false;
    }
  }

  /** Whom the client asks, and how. */
  providerInfo(): ProviderInfo {
    const { name, model, baseURL, maxOutputTokens } = this.#provider;
    return {
      provider: name,
      model,
      baseURL,
      maxOutputTokens: this.#options.maxOutputTokens ?? maxOutputTokens,
      maxConcurrent: this.#maxConcurrent,
      requestsPerMinute: this.#options.requestsPerMinute,
    };
  }

  /** Closes its connections. Calls in flight are aborted and reject with `aborted`, as do later ones. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const abort of this.#runs) abort.abort(closed());
    await this.#provider.close();
  }

  /** One run, ended by the caller's signal or by the client's end. */
  async #during<T>(signal: AbortSignal | undefined, run: (abort: AbortController) => Promise<T>): Promise<T> {
    if (this.#closed) throw closed();
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw failure("invalid_option", "`signal` must be an AbortSignal.");
    }
    const abort = new AbortController();
    const aborted = () => abort.abort(failure("aborted", "The run was aborted.", { cause: signal?.reason }));
    if (signal?.aborted) aborted();
    const deafen = signal?.aborted === false ? onAbort(signal, aborted) : undefined;
    this.#runs.add(abort);
    try {
      return await run(abort);
    } finally {
      this.#runs.delete(abort);
      deafen?.();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const closed = (): MillraceError => failure("aborted", "The client is closed. Make a new one.");

const limitOf = (maxConcurrent: number | "auto"): number | undefined =>
  maxConcurrent === "auto" ? undefined : maxConcurrent;

const mostOf = (maxConcurrent: number | "auto"): number => limitOf(maxConcurrent) ?? mostCalls();

function checkedMost(maxConcurrent: number | "auto"): number | "auto" {
  if (maxConcurrent !== "auto") checkWhole("`maxConcurrent`", maxConcurrent, { least: 1, most: MOST_CONCURRENCY });
  return maxConcurrent;
}

/** What is undefined has not been given. */
const defined = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
