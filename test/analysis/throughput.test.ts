import { expect, test } from "vitest";
import { analyzeLocally } from "../../src/analysis/local.ts";
import { TIMED } from "../support.ts";
import { longArticles } from "./long.ts";
import { samples } from "./samples.ts";

test("at least 25 articles of 2,000 words are analysed in a second of one core", TIMED, () => {
  const articles = longArticles(samples, 110);
  // The first ones load the lexicon and warm the compiler up.
  for (const article of articles.splice(0, 10)) analyzeLocally(article);
  const before = process.threadCpuUsage();
  for (const article of articles) analyzeLocally(article);
  const { user, system } = process.threadCpuUsage(before);
  const perSecond = articles.length / ((user + system) / 1_000_000);
  expect(perSecond).toBeGreaterThan(25);
  // For whoever wants the figure: npx vitest run test/analysis/throughput.test.ts
  console.log(`analyzeLocally: ${perSecond.toFixed(0)} articles of 2,000 words a second of CPU time`);
});
