/** Vercel's AI SDK and p-limit. */

import { createOpenAI } from "@ai-sdk/openai";
import { generateText, Output } from "ai";
import pLimit from "p-limit";
import { Analysis } from "./schema.js";
import { answered, articles, failed, KEY, MODEL, question, writeRows } from "./work.js";

export async function run(job) {
  const model = createOpenAI({ apiKey: KEY, baseURL: `${job.url}/openai/v1` }).chat(MODEL);
  const ask = async (article) => {
    try {
      const { output } = await generateText({
        model,
        prompt: question(article),
        output: Output.object({ schema: Analysis }),
      });
      return answered(article, output);
    } catch (error) {
      return failed(article, error);
    }
  };
  const limit = pLimit(job.concurrency);
  const all = await Array.fromAsync(articles(job));
  await writeRows(job.output, await limit.map(all, ask));
}
