import { performance } from "node:perf_hooks";
import { expect, test } from "vitest";
import { ARTICLE_SCHEMA } from "../../src/analysis/analysis.ts";
import { analyzeLocally } from "../../src/analysis/local.ts";
import { local } from "../../src/providers/local.ts";
import { longArticles } from "../analysis/long.ts";
import { samples } from "../analysis/samples.ts";
import { TIMED } from "../support.ts";

const live = { signal: new AbortController().signal };
const article = {
  title: "Ferry saved",
  content: "The ferry was saved on Friday. The village of Arley cheered for an hour.",
};
const messages = [{ role: "user" as const, content: "The bridge was opened on Monday. A band played on the bridge." }];

test("the built-in schema is answered with the article's analysis, and nothing is billed", async () => {
  const completion = await local().complete({ messages, article, schema: ARTICLE_SCHEMA }, live);
  expect(JSON.parse(completion.text)).toEqual(analyzeLocally(article));
  expect(completion).toMatchObject({ finishReason: "stop", usage: { inputTokens: 0, outputTokens: 0 }, limits: {} });
});

test("a copy of the built-in schema is as good, and without an article the last message is analysed", async () => {
  const schema = structuredClone(ARTICLE_SCHEMA);
  const asked = [
    { role: "user" as const, content: "First." },
    { role: "assistant" as const, content: "No." },
    ...messages,
  ];
  const { text } = await local().complete({ messages: asked, schema }, live);
  expect(JSON.parse(text)).toEqual(analyzeLocally({ content: messages[0]!.content }));
});

test("without a schema the answer is a summary of the last message", async () => {
  const { text } = await local().complete({ messages, article }, live);
  expect(text).toBe("The bridge was opened on Monday. A band played on the bridge.");
});

test("any other schema stops the run and says who could answer it", async () => {
  const call = local().complete({ messages, article, schema: { type: "object" } }, live);
  await expect(call).rejects.toMatchObject({ code: "schema_rejected", scope: "run" });
  await expect(call).rejects.toThrow(
    /only gives the built-in article analysis.*--provider anthropic, openai or mistral/,
  );
});

test("it calls nobody and takes no options", () => {
  expect(local()).toMatchObject({ name: "local", model: "local-extractive-1", baseURL: undefined });
  expect(() => local({ model: "x" } as never)).toThrow(/takes no options.*"model"/);
});

test("an aborted call rejects with the signal's reason, before and during", async () => {
  const reason = new Error("enough");
  const request = { messages, article, schema: ARTICLE_SCHEMA };
  await expect(local().complete(request, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const stop = new AbortController();
  const call = local().complete(request, { signal: stop.signal });
  stop.abort(reason);
  await expect(call).rejects.toBe(reason);
});

test("timers get their turn between many calls made at once", TIMED, async () => {
  const provider = local();
  await provider.complete({ messages }, live);
  const articles = longArticles(samples, 40);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const from = performance.now();
  await Promise.all(articles.map((one) => provider.complete({ messages, article: one, schema: ARTICLE_SCHEMA }, live)));
  clearInterval(timer);
  expect(ticks, `in ${performance.now() - from} ms`).toBeGreaterThanOrEqual(20);
});
