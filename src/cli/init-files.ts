/** What `millrace init` writes: a pipeline, articles to try it on, a configuration, and the configuration's schema. */

import { readFileSync } from "node:fs";
import { editorSchema } from "../config/editor-schema.ts";

/** Articles of the samples, which are as short as they are varied at the beginning. */
const ARTICLES = 8;

const PIPELINE = `/** A row for each English article: what it is about, and in which tone. Try: millrace run pipeline.ts articles.ndjson */

import { type ArticleAnalysis, analyze, definePipeline, filter, map } from "millrace";

interface Analysed {
  readonly id?: unknown;
  readonly title?: unknown;
  readonly analysis: ArticleAnalysis;
}

export default definePipeline({
  description: "Title, tone, topics and a summary of each English article",
  stages: ({ provider, options }) => [
    // Any function of a record is a stage; so is any Node Transform.
    filter((article) => article.language === "en"),
    // The built-in analysis. A question of your own: analyze({ provider, ...options, prompt, schema, output }).
    analyze({ provider, ...options }),
    map(({ id, title, analysis }: Analysed) => ({
      id,
      title: title ?? analysis.title,
      tone: analysis.sentiment,
      topics: analysis.topics,
      summary: analysis.summary,
    })),
  ],
});
`;

const CONFIGURATION = `# yaml-language-server: $schema=./millrace.schema.json
# Options of millrace, under their names in the library. Flags and MILLRACE_ variables go before them.
# What counts, and why: millrace analyze --print-config

# The embedded analyser: no key, no network. Then anthropic, openai or mistral, with the key in the environment
# (ANTHROPIC_API_KEY, OPENAI_API_KEY, MISTRAL_API_KEY), never here.
provider: local
# model: claude-haiku-4-5

# Limits are learned from the provider's answers. These only lower them.
# concurrency: 16
# requestsPerMinute: 500
# inputTokensPerMinute: 400000

# Where the built-in analysis finds its fields, when they have other names.
# map: { content: body, title: meta.headline, id: guid }

# US$ per million tokens, where millrace does not know the model's prices.
# prices:
#   my-model: { input: 1, output: 5 }
`;

/** By name, in the order in which they are told. */
export function initFiles(): ReadonlyMap<string, string> {
  return new Map([
    ["pipeline.ts", PIPELINE],
    ["articles.ndjson", sample()],
    ["millrace.yaml", CONFIGURATION],
    ["millrace.schema.json", `${JSON.stringify(editorSchema(), null, 2)}\n`],
  ]);
}

/** The first of the package's own samples. */
function sample(): string {
  const lines = readFileSync(new URL("../../samples/articles.ndjson", import.meta.url), "utf8").split("\n");
  return `${lines.slice(0, ARTICLES).join("\n")}\n`;
}
