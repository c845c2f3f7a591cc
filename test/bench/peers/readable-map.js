/** The vendor's SDK and the `map` of Node's own streams, which keeps the order. */

import { Readable } from "node:stream";
import { asker } from "./sdk.js";
import { articles, writeRows } from "./work.js";

export async function run(job) {
  const rows = Readable.from(articles(job)).map(asker(job), { concurrency: job.concurrency });
  await writeRows(job.output, rows);
}
