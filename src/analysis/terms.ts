/** Which words of an article tell what it is about, and how much each matters to it. */

import type { Sentence } from "./sentences.ts";
import { stopWordsOf } from "./stopwords.ts";
import type { Word } from "./words.ts";

/** Languages whose plural is told from the singular by a final s often enough to fold it away. */
const PLURAL_S = new Set(["en", "fr", "es", "pt", "nl"]);

const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;

/** What is longer is no word. */
const LONGEST = 40;

/**
 * The word as it is counted: case, possessive and simple plurals do not part two words. Undefined for what cannot tell
 * what a text is about: stop words, numbers, and what is too short or too long.
 *
 * @param lower in lower case, with straight apostrophes
 */
export function termOf(lower: string, language: string): string | undefined {
  const plain = lower.endsWith("'s") ? lower.slice(0, -2) : lower;
  if (plain.length > LONGEST || /^[\p{N}'-]/u.test(plain) || stopWordsOf(language).has(plain)) return undefined;
  // Particles of Japanese are short and in hiragana; a single Chinese character is rarely a subject.
  if (UNSPACED.test(plain)) return plain.length >= 2 && !/^\p{Script=Hiragana}+$/u.test(plain) ? plain : undefined;
  if (plain.length < 3) return undefined;
  return PLURAL_S.has(language) && plain.length > 3 && plain.endsWith("s") ? singular(plain, language) : plain;
}

function singular(word: string, language: string): string {
  if (language === "en" && word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (/(?:sses|shes|ches|xes)$/.test(word)) return word.slice(0, -2);
  return /[siu]s$/.test(word) ? word : word.slice(0, -1);
}

/** Weight of each term: grows with its count, and as if said twice more for a term of the title. */
export function weights(sentences: readonly Sentence[], title: readonly Word[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { words } of sentences) {
    for (const { term } of words) if (term !== undefined) counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  for (const { term } of title) {
    const count = term === undefined ? undefined : counts.get(term);
    if (term !== undefined && count !== undefined) counts.set(term, count + 2);
  }
  // The logarithm keeps one word that is on every line from deciding alone.
  return new Map([...counts].map(([term, count]) => [term, Math.log2(1 + count)]));
}
