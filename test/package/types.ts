/** What the compiler must find out by itself, and what it must refuse: compiled, never run. */

import {
  type AnalyzeResult,
  type ArticleAnalysis,
  analyze,
  ClaudeClient,
  createClient,
  type MillraceError,
  type Provider,
  pipeline,
  type processArticles,
  processArticlesSync,
  type RunReport,
  read,
  write,
} from "millrace";
import { z } from "zod";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_yes: Same<A, B>): void => {};

declare const provider: Provider;
const prompt = () => "question";

export const zod = analyze({
  provider,
  prompt,
  schema: z.object({ tone: z.enum(["good", "bad"]), score: z.number().optional() }),
  output: (article, result) => {
    same<typeof result, AnalyzeResult<{ tone: "good" | "bad"; score?: number | undefined }>>(true);
    same<typeof article.content, string>(true);
    return { id: article.id, tone: result.value.tone };
  },
});

export const jsonSchema = analyze({
  provider,
  prompt,
  schema: { type: "object", properties: { n: { type: "number" } } },
  output: (_article, { value }) => {
    same<typeof value, unknown>(true);
    // @ts-expect-error: plain JSON Schema says nothing to the compiler.
    return value.n;
  },
});

export const own = analyze({
  provider,
  prompt: (row: { readonly body: string }) => row.body,
  output: (row, { usage, model }) => {
    same<typeof row, { readonly body: string }>(true);
    same<typeof model, string>(true);
    return { tokens: usage.inputTokens + usage.outputTokens };
  },
});

// @ts-expect-error: there is no such option.
analyze({ provider, concurency: 3 });
// @ts-expect-error: without a provider there is nobody to ask.
analyze({ prompt });

export async function results(): Promise<void> {
  same<Awaited<ReturnType<typeof pipeline>>, RunReport>(true);
  await pipeline(read("a.ndjson"), (row: { id: number }) => row, write("b.ndjson"), { store: "answers.db" });
  await using client = new ClaudeClient({ apiKey: "k", maxConcurrent: "auto", temperature: 0 });
  const analysis = await client.analyzeArticle({ title: null, content: "text", url: undefined });
  same<typeof analysis, ArticleAnalysis>(true);
  same<typeof analysis.sentiment, "negative" | "neutral" | "positive" | "mixed">(true);
  const many = await client.batchAnalyze([{ content: "text", further: 1 }, null], {
    onError: (error, _article, index) => {
      same<typeof error, MillraceError>(true);
      same<typeof index, number>(true);
    },
  });
  same<typeof many, (ArticleAnalysis | null)[]>(true);
  same<Awaited<ReturnType<typeof processArticles>>, (ArticleAnalysis | null)[]>(true);
  same<ReturnType<typeof processArticlesSync>, (ArticleAnalysis | null)[]>(true);
  // @ts-expect-error: an article has a text.
  await client.analyzeArticle({ title: "t" });
  // @ts-expect-error: there is no such provider.
  createClient("nobody");
  // @ts-expect-error: a signal cannot cross to another thread.
  processArticlesSync([], { provider: "local", signal: new AbortController().signal });
}
