/** millrace with everything on: the schema checked, limits and concurrency admitted, every answer stored before it goes on. */

import schema from "./schema.json" with { type: "json" };
import { answered, KEY, MODEL, question } from "./work.js";

const paths = { anthropic: "/anthropic", openai: "/openai/v1", mistral: "/mistral" };

export async function run(job) {
  const { [job.vendor]: provider, analyze, pipeline, read, write } = await import(job.millrace);
  await pipeline(
    read(job.input),
    analyze({
      provider: provider({ apiKey: KEY, model: MODEL, baseURL: job.url + paths[job.vendor] }),
      prompt: question,
      schema,
      output: (article, { value }) => answered(article, value),
      concurrency: job.concurrency,
      ordered: job.ordered,
    }),
    write(job.output),
    { deadLetters: write(job.failed), store: job.store },
  );
}
