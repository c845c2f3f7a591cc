/** Articles in, a table of summaries out, for a spreadsheet: give an output that ends in `.csv`. Runs offline too. */

import { type ArticleAnalysis, analyze, definePipeline, map } from "millrace";

interface Analysed {
  readonly id?: unknown;
  readonly title?: unknown;
  readonly url?: unknown;
  readonly analysis: ArticleAnalysis;
}

export default definePipeline({
  description: "A row for each article: title, language, tone, topics and a summary",
  stages: ({ provider, options }) => [
    analyze({ provider, ...options }),
    map(({ id, title, url, analysis }: Analysed) => ({
      id: id ?? "",
      title: title ?? analysis.title,
      url: url ?? "",
      language: analysis.language,
      tone: analysis.sentiment,
      topics: analysis.topics.join("; "),
      summary: analysis.summary,
    })),
  ],
});
