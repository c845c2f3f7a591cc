/** LangChain.js: the `batch` of a model with structured output, which takes all articles at once. */

import { ChatOpenAI } from "@langchain/openai";
import { Analysis } from "./schema.js";
import { answered, articles, failed, KEY, MODEL, question, writeRows } from "./work.js";

export async function run(job) {
  const configuration = { baseURL: `${job.url}/openai/v1` };
  const chat = new ChatOpenAI({ model: MODEL, apiKey: KEY, configuration });
  const model = chat.withStructuredOutput(Analysis, { name: "analysis", method: "jsonSchema" });
  const all = await Array.fromAsync(articles(job));
  const answers = await model.batch(all.map(question), { maxConcurrency: job.concurrency }, { returnExceptions: true });
  const row = (answer, at) => (answer instanceof Error ? failed(all[at], answer) : answered(all[at], answer));
  await writeRows(job.output, answers.map(row));
}
