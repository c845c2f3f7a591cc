/** The words of a text, with their places in it. */

import { termOf } from "./terms.ts";

export interface Word {
  readonly text: string;
  /** In lower case, with straight apostrophes. */
  readonly lower: string;
  /** As it is counted, see `termOf`. */
  readonly term: string | undefined;
  readonly start: number;
  readonly end: number;
}

/** Scripts without spaces: the dictionary of the runtime finds their words. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Khmer}\p{Script=Lao}]/u;

/** Languages in which an apostrophe parts two words: `l'eau`, `dell'acqua`. */
const ELIDING = new Set(["fr", "it", "ca"]);

const segmenters = new Map<string, Intl.Segmenter>();

/** `Intl.Segmenter` costs more to make than to use. `language` is a tag that `languageOf` gave. */
export function segmenter(language: string, granularity: "word" | "sentence"): Intl.Segmenter {
  const key = `${language} ${granularity}`;
  let made = segmenters.get(key);
  if (made === undefined) {
    made = new Intl.Segmenter(language, { granularity });
    segmenters.set(key, made);
  }
  return made;
}

export function wordsOf(text: string, language: string): Word[] {
  if (UNSPACED.test(text)) {
    return [...segmenter(language, "word").segment(text)]
      .filter((part) => part.isWordLike)
      .map((part) => wordAt(part.segment, part.index, language));
  }
  const pattern = ELIDING.has(language)
    ? /[\p{L}\p{M}\p{N}]+(?:-[\p{L}\p{M}\p{N}]+)*/gu
    : /[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*/gu;
  return [...text.matchAll(pattern)].map((match) => wordAt(match[0], match.index, language));
}

function wordAt(text: string, start: number, language: string): Word {
  const lower = text.toLowerCase().replaceAll("’", "'");
  return { text, lower, term: termOf(lower, language), start, end: start + text.length };
}
