/** The vendor's SDK and p-map, which takes the articles as they are read. */

import pMap from "p-map";
import { asker } from "./sdk.js";
import { articles, writeRows } from "./work.js";

export async function run(job) {
  const rows = await pMap(articles(job), asker(job), { concurrency: job.concurrency });
  await writeRows(job.output, rows);
}
