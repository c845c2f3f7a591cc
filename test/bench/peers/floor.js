/** The floor: undici.request and nothing else. No SDK, no check, no retry, no order. */

import { request } from "undici";
import schema from "./schema.json" with { type: "json" };
import { answered, articles, failed, KEY, MODEL, question, writeRows } from "./work.js";

const headers = { "content-type": "application/json", authorization: `Bearer ${KEY}` };
const response_format = { type: "json_schema", json_schema: { name: "analysis", schema, strict: true } };

async function ask(url, article) {
  const messages = [{ role: "user", content: question(article) }];
  const body = JSON.stringify({ model: MODEL, messages, response_format });
  const response = await request(`${url}/openai/v1/chat/completions`, { method: "POST", headers, body });
  const answer = await response.body.json();
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
  return answered(article, JSON.parse(answer.choices[0].message.content));
}

/** So many workers take one article after the other. */
async function* worked(job) {
  const left = articles(job);
  const done = [];
  let wake = () => {};
  const work = async () => {
    for await (const article of left) {
      done.push(await ask(job.url, article).catch((error) => failed(article, error)));
      wake();
    }
  };
  let over = false;
  const all = Promise.all(Array.from({ length: job.concurrency }, work)).then(() => {
    over = true;
    wake();
  });
  while (!over || done.length > 0) {
    if (done.length > 0) yield* done.splice(0);
    else await new Promise((resolve) => (wake = resolve));
  }
  await all;
}

export const run = (job) => writeRows(job.output, worked(job));
