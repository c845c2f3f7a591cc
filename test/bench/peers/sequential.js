/** One call after the other, with the vendor's SDK. */

import { asker } from "./sdk.js";
import { articles, writeRows } from "./work.js";

async function* oneByOne(job) {
  const ask = asker(job);
  for await (const article of articles(job)) yield await ask(article);
}

export const run = (job) => writeRows(job.output, oneByOne(job));
