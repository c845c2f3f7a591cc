/** Articles in, analyses out: in one go or batch by batch, with a line of progress. */

import type { ArticleAnalysis } from "../analysis/analysis.ts";
import { failure } from "../errors.ts";
import { LONGEST_TIMER, sleep } from "../limits/sleep.ts";
import { checkKeys, checkWhole, nearest } from "../options.ts";
import type { Provider } from "../providers/provider.ts";
import { type ArticleInput, type Articles, checkArticles } from "./article.ts";
import { ArticleClient, type BatchOptions } from "./client.ts";
import { progressLine } from "./progress.ts";
import { checkListeners, type Progress, RUN_OPTIONS } from "./run.ts";
import { type ClientOptions, createClient, type ProviderName } from "./vendors.ts";

/** Whom to ask, and how. */
export interface ProcessorOptions extends ClientOptions {
  /** A name, or a provider object. */
  readonly provider: ProviderName | Provider;
}

export interface ProcessOptions extends BatchOptions {
  /** Shows how far it has come on stderr. Default false. */
  readonly showProgress?: boolean | undefined;
}

export interface BatchesOptions extends ProcessOptions {
  /** Articles of one batch: the next begins when all of one have ended. Default 10. */
  readonly batchSize?: number | undefined;
  /** Pause between two batches in ms. Default 0. Limits need none: they are kept anyway. */
  readonly delayBetweenBatches?: number | undefined;
}

type Results = (ArticleAnalysis | null)[];

const PROCESS_OPTIONS = ["maxConcurrent", "showProgress", ...RUN_OPTIONS];
const BATCHES_OPTIONS = [...PROCESS_OPTIONS, "batchSize", "delayBetweenBatches"];
const BATCH_SIZE = 10;

/** Analyses lists of articles with one client. */
export class ArticleProcessor {
  readonly client: ArticleClient;
  readonly #own: boolean;

  /**
   * @param client a client, which stays the caller's own to close; or whom to ask, `{ provider: "anthropic", … }`
   * @throws ConfigurationError `missing_key`, `invalid_option`
   */
  constructor(client: ArticleClient | ProcessorOptions) {
    this.#own = !(client instanceof ArticleClient);
    this.client = client instanceof ArticleClient ? client : clientFor(client);
  }

  /** All articles in one go: as `client.batchAnalyze`, which says what comes back and what is thrown. */
  async processArticles(articles: Articles, options: ProcessOptions = {}): Promise<Results> {
    checkKeys(options, PROCESS_OPTIONS, "processArticles()");
    checkListeners(options, "processArticles()");
    checkArticles(articles, "processArticles()");
    return this.#shown(options, (shown) => this.client.batchAnalyze(articles, shown));
  }

  /** The same batch by batch. It is one run all the same, so that what is hopeless is judged over all of them. */
  async processInBatches(articles: Articles, options: BatchesOptions = {}): Promise<Results> {
    checkKeys(options, BATCHES_OPTIONS, "processInBatches()");
    checkListeners(options, "processInBatches()");
    checkArticles(articles, "processInBatches()");
    const { batchSize = BATCH_SIZE, delayBetweenBatches: delay = 0, ...rest } = options;
    checkWhole("processInBatches(): `batchSize`", batchSize, { least: 1 });
    checkWhole("processInBatches(): `delayBetweenBatches`", delay, { least: 0, most: LONGEST_TIMER });
    const total = Array.isArray(articles) ? articles.length : undefined;
    const batches = new Batches(articles, { batchSize, delay });
    try {
      return await this.#shown(rest, ({ onProgress, ...shown }) => {
        const tell = (progress: Progress) => {
          batches.ended(progress.done);
          return onProgress?.({ ...progress, total: total ?? progress.total });
        };
        return this.client.batchAnalyze(batches.articles(), { ...shown, onProgress: tell });
      });
    } finally {
      batches.close();
    }
  }

  /** Closes the client, if it was made here. */
  async close(): Promise<void> {
    if (this.#own) await this.client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #shown(options: ProcessOptions, run: (options: BatchOptions) => Promise<Results>): Promise<Results> {
    const { showProgress = false, ...rest } = options;
    if (!showProgress) return run(rest);
    const line = progressLine((text) => process.stderr.write(text));
    try {
      return await run({
        ...rest,
        onProgress(progress) {
          line.tell(progress);
          return rest.onProgress?.(progress);
        },
      });
    } finally {
      line.end();
    }
  }
}

/** Gives articles batch by batch: none of the next before all of one have ended and the pause is over. */
class Batches {
  readonly #articles: Articles;
  readonly #pace: { readonly batchSize: number; readonly delay: number };
  readonly #over = new AbortController();
  #ended = 0;
  #wake = () => {};

  constructor(articles: Articles, pace: { readonly batchSize: number; readonly delay: number }) {
    this.#articles = articles;
    this.#pace = pace;
  }

  async *articles(): AsyncGenerator<ArticleInput | null | undefined> {
    const { batchSize, delay } = this.#pace;
    let given = 0;
    for await (const article of this.#articles) {
      if (given > 0 && given % batchSize === 0) {
        while (this.#ended < given) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
        await sleep(delay, this.#over.signal);
      }
      given++;
      yield article;
    }
  }

  ended(count: number): void {
    this.#ended = count;
    this.#wake();
  }

  /** A pause ends with the run. */
  close(): void {
    this.#over.abort();
  }
}

function clientFor(options: ProcessorOptions): ArticleClient {
  if (typeof options !== "object" || options === null || options.provider === undefined) {
    const slip = Object.keys(options ?? {}).find((name) => nearest(name, ["provider"]) !== undefined);
    const hint = slip === undefined ? "" : ` Did you mean "provider" by "${slip}"?`;
    throw failure("invalid_option", `Say whom to ask: a client, or options such as { provider: "anthropic" }.${hint}`);
  }
  const { provider, ...rest } = options;
  return createClient(provider, rest);
}

/**
 * Analyses articles with a client of its own: `processArticles(articles, { provider: "anthropic", maxConcurrent: 10 })`. With
 * `batchSize` or `delayBetweenBatches`, batch by batch.
 *
 * @throws MillraceError as `client.batchAnalyze` does; ConfigurationError `missing_key`, `invalid_option`
 */
export async function processArticles(
  articles: Articles,
  options: ProcessorOptions & BatchesOptions,
): Promise<Results> {
  checkArticles(articles, "processArticles()");
  const { run, client } = partedOptions(options);
  const processor = new ArticleProcessor(client);
  const batches = run.batchSize !== undefined || run.delayBetweenBatches !== undefined;
  try {
    return batches ? await processor.processInBatches(articles, run) : await processor.processArticles(articles, run);
  } finally {
    await processor.close();
  }
}

/** Those of the run apart from those of the client; `maxConcurrent` is the client's. */
function partedOptions(options: ProcessorOptions & BatchesOptions) {
  const isRun = ([name]: [string, unknown]) => name !== "maxConcurrent" && BATCHES_OPTIONS.includes(name);
  const entries = Object.entries(options ?? {});
  return {
    run: Object.fromEntries(entries.filter(isRun)) as BatchesOptions,
    client: Object.fromEntries(entries.filter((entry) => !isRun(entry))) as unknown as ProcessorOptions,
  };
}
