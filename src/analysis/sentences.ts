/** The sentences of an article. */

import { segmenter, type Word, wordsOf } from "./words.ts";

export interface Sentence {
  readonly text: string;
  readonly words: readonly Word[];
  /** Place in the article, from 0. */
  readonly index: number;
  /** The paragraph it stands in, from 0. */
  readonly paragraph: number;
  /** Whether it opens its paragraph. */
  readonly first: boolean;
  /** False for a piece of something too long to be a sentence. */
  readonly whole: boolean;
}

/** What is longer is no sentence; it is cut into pieces of at most this many characters. */
const LONGEST = 600;

/** A full stop after one of these, or after a single capital, ends no sentence. */
const ABBREVIATION =
  /(?:^|[\s("“„«'‘])(?:\p{Lu}|Dr|Mrs?|Ms|Prof|St|Ste|Sr|Jr|Rev|Hon|Gen|Col|Capt|Lt|Sgt|vs|[Nn]o|Nr|Co|Inc|Ltd|Mt|Ft|approx|etc|ca|e\.g|i\.e|U\.S|z\.\s?B|d\.\s?h|u\.\s?a|bzw|usw|Hr|Fr|Hrn|Mme|Mlle|Sra?|Dña|D|Sig|Jan|Feb|Aug|Sept?|Oct|Nov|Dec|p|pp|vol|fig|art|núm|av|nº)\.\s*$/u;

/** Languages that write ordinals with a full stop: `am 12. März`. */
const STOPPED_ORDINALS = new Set(["de", "da", "no", "nb", "fi", "cs", "sk", "hu", "sl", "hr", "is", "et", "lv"]);

export function sentencesOf(paragraphs: readonly string[], language: string): Sentence[] {
  const sentences: Sentence[] = [];
  paragraphs.forEach((text, paragraph) => {
    let first = true;
    for (const raw of split(text, language)) {
      const whole = raw.length <= LONGEST;
      for (const piece of whole ? [raw] : pieces(raw)) {
        sentences.push({
          text: piece,
          words: wordsOf(piece, language),
          index: sentences.length,
          paragraph,
          first,
          whole,
        });
        first = false;
      }
    }
  });
  return sentences;
}

function split(text: string, language: string): string[] {
  const parts: string[] = [];
  let open = "";
  for (const { segment } of segmenter(language, "sentence").segment(text)) {
    if (open !== "" && !goesOn(open, segment, language)) {
      parts.push(open.trim());
      open = "";
    }
    open += segment;
  }
  if (open.trim() !== "") parts.push(open.trim());
  return parts.filter((part) => part !== "");
}

function goesOn(before: string, after: string, language: string): boolean {
  // Looking at the end only: `before` may be most of the article.
  const end = before.slice(-24);
  if (/^\p{Ll}/u.test(after)) return true;
  if (STOPPED_ORDINALS.has(language) && /(?:^|\s)\d{1,2}\.\s*$/.test(end)) return true;
  return ABBREVIATION.test(end);
}

function pieces(text: string): string[] {
  const out: string[] = [];
  for (let from = 0; from < text.length; ) {
    let to = Math.min(from + LONGEST, text.length);
    if (to < text.length) {
      const space = text.lastIndexOf(" ", to);
      if (space > from) to = space;
      // Between the halves of a surrogate pair is no place to cut.
      else if (/[\ud800-\udbff]/.test(text.charAt(to - 1))) to--;
    }
    const piece = text.slice(from, to).trim();
    if (piece !== "") out.push(piece);
    from = to;
  }
  return out;
}
