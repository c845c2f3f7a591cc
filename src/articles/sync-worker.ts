/** The thread behind `processArticlesSync()`. */

import { writeSync } from "node:fs";
import { runAsWorker } from "synckit";
import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import type { RunReport } from "../report.ts";
import type { ArticleInput } from "./article.ts";
import { processArticles } from "./processor.ts";
import { progressLine } from "./progress.ts";
import { type SyncOutcome, type SyncTask, sent } from "./sync.ts";

runAsWorker(async ({ articles, options, environment }: SyncTask): Promise<SyncOutcome> => {
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  const { showProgress, ...rest } = options;
  const line = showProgress ? progressLine(toStderr) : undefined;
  const failed: { readonly index: number; readonly error: ReturnType<typeof sent> }[] = [];
  let report: RunReport | undefined;
  try {
    const results = await processArticles(articles as readonly ArticleInput[], {
      ...rest,
      onProgress: (progress) => line?.tell(progress),
      onError: (error, _article, index) => failed.push({ index, error: sent(error) }),
      onReport(ended) {
        report = ended;
      },
    });
    return { results, failed, report };
  } catch (error) {
    return { error: sent(typed(error)), failed };
  } finally {
    line?.end();
  }
});

const typed = (error: unknown): MillraceError =>
  isMillraceError(error) ? error : failure("internal", String(error), { cause: error });

/** A thread's own stderr is written by the thread that waits: only when all is done. */
function toStderr(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // A pipe that is full or closed: progress is not worth more.
  }
}
