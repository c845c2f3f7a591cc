/** Stages of one's own around the analysis: filter → shorten → analyze → label → two files. Runs offline too. */

import { type ArticleAnalysis, analyze, definePipeline, filter, map, route, write } from "millrace";

/** Characters of an article that are enough to tell its tone. */
const ENOUGH = 20_000;

interface Labelled {
  readonly id: unknown;
  readonly title: unknown;
  readonly topics: readonly string[];
  readonly tone: ArticleAnalysis["sentiment"];
}

export default definePipeline({
  description: "English articles by tone: the critical ones to one file, the others to another",
  stages: ({ provider, options }) => [
    filter((article) => article.language === "en"),
    (article) => ({ ...article, content: article.content.slice(0, ENOUGH) }),
    analyze({ provider, ...options }),
    map(({ id, title, analysis }: { id: unknown; title: unknown; analysis: ArticleAnalysis }): Labelled => {
      return { id, title, topics: analysis.topics, tone: analysis.sentiment };
    }),
    route(({ tone }: Labelled) => (tone === "negative" || tone === "mixed" ? "critical" : "others"), {
      critical: write("out/critical.ndjson"),
      others: write("out/others.ndjson"),
    }),
  ],
});
