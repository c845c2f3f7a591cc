/** What an English word can be: the lexicon and the suffix rules of `compromise`. */

import nlp from "compromise/two";

/** `compromise`'s tags of each word, such as `Noun`, `Verb`, `FirstName`, `City`. */
export type Tags = readonly ReadonlySet<string>[];

interface TaggedSentence {
  readonly terms: readonly { readonly tags: readonly string[] }[];
}

/**
 * Tags each phrase on its own. Only the lexicon and the suffix rules are run: the rules that look at neighbours take
 * nine times as long and have little to look at in a phrase. A phrase that the tokenizer takes apart has no tags.
 */
export function tagged(phrases: readonly string[]): Tags[] {
  if (phrases.length === 0) return [];
  const doc = nlp.tokenize(
    phrases.map((phrase) => phrase.replace(/[^\p{L}\p{N} '’-]/gu, " ").trim() || "x").join(".\n\n"),
  );
  doc.compute(["freeze", "lexicon", "preTagger"]);
  const sentences = doc.json({ text: false }) as TaggedSentence[];
  if (sentences.length !== phrases.length) return phrases.map(() => []);
  return sentences.map(({ terms }) => terms.map(({ tags }) => new Set(tags)));
}
