/** The embedded analyser: the built-in article analysis without a model, a key or a network. */

import type { ArticleAnalysis } from "./analysis.ts";
import { entitiesOf } from "./entities.ts";
import { languageOf } from "./language.ts";
import { NO_NAMES } from "./name-words.ts";
import { sentencesOf } from "./sentences.ts";
import { sentimentOf } from "./sentiment.ts";
import { extracts } from "./summary.ts";
import { weights } from "./terms.ts";
import { paragraphsOf, shortened } from "./text.ts";
import { topicsOf } from "./topics.ts";
import { wordsOf } from "./words.ts";

export interface LocalArticle {
  readonly title?: string | undefined;
  readonly content: string;
}

const NOT_TOPICS: ReadonlySet<string> = new Set([...NO_NAMES].map((word) => word.toLowerCase()));

/** Languages that put no space between sentences. */
const UNSPACED = new Set(["zh", "ja"]);

/** Characters of a title that was given, and of one made from the first sentence. */
const LONGEST_TITLE = 300;
const LONGEST_HEADLINE = 80;

/**
 * Extracts, it does not write: summary and key points are sentences of the article, topics are its own phrases. People,
 * organizations and places, and sentiment, are found in English only; other articles have `[]` and `neutral`. Reads the
 * first 100,000 characters (`MOST_TEXT`). The same article always gives the same analysis. Never throws.
 */
export function analyzeLocally({ title, content }: LocalArticle): ArticleAnalysis {
  const given = shortened(title ?? "", LONGEST_TITLE);
  const paragraphs = paragraphsOf(content);
  const language = languageOf(paragraphs.length > 0 ? paragraphs.join("\n") : given);
  const sentences = sentencesOf(paragraphs, language);
  const titleWords = wordsOf(given, language);
  const { summary, keyPoints } = extracts(sentences, weights(sentences, titleWords), language);
  const entities = entitiesOf(sentences, language);
  const never = language === "en" ? NOT_TOPICS : new Set<string>();
  const names = new Set([...never, ...entities.flatMap(({ name }) => name.toLowerCase().split(" "))]);
  return {
    title: given === "" ? shortened(sentences[0]?.text ?? "", LONGEST_HEADLINE) : given,
    summary: summary.map(({ text }) => text).join(UNSPACED.has(language) ? "" : " "),
    keyPoints: keyPoints.map(({ text }) => text),
    topics: topicsOf(sentences, { language, title: titleWords, names, never }),
    entities,
    sentiment: sentimentOf(sentences, { language, title: titleWords }),
    language,
  };
}

/** The free-text answer of the embedded analyser: the summary alone. */
export const summarizeLocally = (content: string): string => analyzeLocally({ content }).summary;
