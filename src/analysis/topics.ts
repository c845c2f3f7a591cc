/** What an article is about, in its own words. */

import type { Sentence } from "./sentences.ts";
import { tagged } from "./tagger.ts";
import type { Word } from "./words.ts";

const FEWEST = 3;
const MOST = 6;

/** Words of one topic at most. */
const LONGEST = 3;

/** Candidates examined closely, the best first. */
const SHORTLIST = 40;

const CAPITAL = /^\p{Lu}/u;

/** Words that stand before nouns. */
const NOUN_CUES: Readonly<Record<string, ReadonlySet<string>>> = {
  en: new Set("the a an this these that those his her its their our your my of".split(" ")),
  fr: new Set("le la les l un une des du de d au aux ce cette ces son sa ses leur leurs".split(" ")),
  es: new Set("el la los las un una unos unas del de al su sus este esta ese esa".split(" ")),
  it: new Set(
    "il lo la i gli le l un uno una del dello della dei degli delle di al alla nel nella dal dalla sul sulla dell all nell".split(
      " ",
    ),
  ),
  pt: new Set("o a os as um uma uns umas do da dos das de no na nos nas ao à pelo pela num numa".split(" ")),
  nl: new Set("de het een van der den in op".split(" ")),
};

interface Candidate {
  readonly key: string;
  readonly forms: Map<string, number>;
  readonly size: number;
  count: number;
  cued: number;
  capitals: number;
  /** Mentions that do not open a sentence: there, a capital means something. */
  inner: number;
  readonly first: number;
  inTitle: boolean;
}

interface Options {
  readonly language: string;
  readonly title: readonly Word[];
  /** Capitalised words that are no topics, lower case: parts of names, which are listed apart. */
  readonly names: ReadonlySet<string>;
  /** The same of words that are not even names. */
  readonly never: ReadonlySet<string>;
}

/** Three to six phrases, the weightiest first; fewer where the article is too short to have them. */
export function topicsOf(sentences: readonly Sentence[], options: Options): string[] {
  const found = ranking(sentences, options, 2);
  if (found.length >= FEWEST) return found;
  // Where only names recur, they are the subjects; where nothing does, what was said once has to do.
  const withNames = ranking(sentences, { ...options, names: options.never }, 2);
  return withNames.length >= FEWEST ? withNames : ranking(sentences, options, 1);
}

/** @param least how often a phrase must have been said */
function ranking(sentences: readonly Sentence[], options: Options, least: number): string[] {
  const ranked = [...candidates(sentences, options).values()]
    .map((one) => ({ one, score: score(one, options.language, least) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.one.first - b.one.first || (a.one.key < b.one.key ? -1 : 1))
    .slice(0, SHORTLIST)
    .map(({ one }) => one);
  const nouns = options.language === "en" ? englishNouns(ranked) : ranked;
  return distinct(nouns).map((one) => shown(one, options.language));
}

function candidates(sentences: readonly Sentence[], { language, title, names }: Options): Map<string, Candidate> {
  const titleTerms = new Set(title.map(({ term }) => term));
  const cue = NOUN_CUES[language];
  const found = new Map<string, Candidate>();
  let place = 0;
  for (const { words, text } of sentences) {
    for (let from = 0; from < words.length; from++, place++) {
      for (const terms of phrasesAt(words, { from, text, names })) {
        const key = terms.join(" ");
        const one = found.get(key) ?? fresh(key, terms.length, place);
        found.set(key, one);
        const form = text.slice(words[from]!.start, words[from + terms.length - 1]!.end);
        one.forms.set(form, (one.forms.get(form) ?? 0) + 1);
        one.count++;
        if (terms.every((term) => titleTerms.has(term))) one.inTitle = true;
        if (from === 0) continue;
        one.inner++;
        if (cue?.has(words[from - 1]!.lower)) one.cued++;
        if (CAPITAL.test(form)) one.capitals++;
      }
    }
  }
  return found;
}

interface Spot {
  readonly from: number;
  readonly text: string;
  readonly names: ReadonlySet<string>;
}

/** The phrases of one to three telling words that begin at a word, with nothing but spaces between them. */
function phrasesAt(words: readonly Word[], { from, text, names }: Spot): string[][] {
  const phrases: string[][] = [];
  for (let to = from; to < Math.min(words.length, from + LONGEST); to++) {
    const word = words[to]!;
    if (word.term === undefined) break;
    // "The lighthouse" is a subject; the Lighthouse of the Lighthouse Board is a name.
    if (CAPITAL.test(word.text) && names.has(word.lower.replace(/'s$/, ""))) break;
    if (to > from && text.slice(words[to - 1]!.end, word.start) !== " ") break;
    phrases.push([...(phrases.at(-1) ?? []), word.term]);
  }
  return phrases;
}

const fresh = (key: string, size: number, first: number): Candidate => ({
  ...{ key, size, first, forms: new Map(), count: 0, cued: 0, capitals: 0, inner: 0, inTitle: false },
});

function score(one: Candidate, language: string, least: number): number {
  const { count, size, inTitle, inner } = one;
  // A phrase said once is chance, unless the title has it too or an article before it makes it a thing.
  if (count < least && !inTitle) return 0;
  if (count < 2 && !inTitle && (size > 2 || (language in NOUN_CUES && language !== "de" && one.cued === 0))) return 0;
  let value = Math.log2(1 + count) * (size === 1 ? 1 : size === 2 ? 1.7 : 1.9);
  if (inTitle) value *= 1.5;
  if (language === "de" && (inner === 0 || one.capitals < inner)) return 0;
  // Two words that met by chance: without a tagger, only being repeated tells a phrase from them.
  if (size > 1 && language !== "en" && count < 3 && !inTitle) return 0;
  if (language in NOUN_CUES && language !== "en") value *= 0.2 + (inner === 0 ? 0.5 : one.cued / inner);
  // Names begin with capitals; in the languages whose names are not found otherwise they are still subjects.
  return value;
}

/** Keeps what ends in a noun and holds neither verb nor adverb, as far as the lexicon knows the words. */
function englishNouns(ranked: readonly Candidate[]): Candidate[] {
  const tags = tagged(ranked.map(({ key }) => key));
  return ranked.filter(({ inTitle, cued, inner }, at) => {
    const words = tags[at] ?? [];
    const last = words.at(-1);
    if (last === undefined) return inTitle;
    if (words.some((of) => WRONG.some((tag) => of.has(tag)))) return false;
    // "Buying milk" is an action, "the opening chords" are not.
    if (words[0]?.has("Gerund")) return words.length > 1 && last.has("Noun") && cued > 0;
    // The lexicon knows "strike" and "light" by their other uses; an article before them decides.
    return last.has("Noun") || (cued > 1 && cued >= inner / 2);
  });
}

const WRONG = ["Adverb", "PastTense", "Value", "Date", "Pronoun", "Preposition"];

/** Takes no topic whose words another has already. */
function distinct(ranked: readonly Candidate[]): Candidate[] {
  const taken: Candidate[] = [];
  const used = new Set<string>();
  for (const ranks of ranked) {
    const one = fuller(ranks, ranked);
    const terms = one.key.split(" ");
    if (terms.some((term) => used.has(term))) continue;
    taken.push(one);
    for (const term of terms) used.add(term);
    if (taken.length === MOST) break;
  }
  return taken;
}

/** A word that the title has in a phrase is better shown as the phrase: "leaf blower" for "blower". */
function fuller(one: Candidate, ranked: readonly Candidate[]): Candidate {
  if (one.size > 1) return one;
  return ranked.find(({ key, size, inTitle }) => size === 2 && inTitle && key.split(" ").includes(one.key)) ?? one;
}

/** The form met most often; in lower case, unless it is always written with a capital. */
function shown({ forms, capitals, inner }: Candidate, language: string): string {
  const form = [...forms].reduce((best, one) => (one[1] > best[1] ? one : best))[0].replace(/['’]s$/, "");
  return language === "de" || (inner > 0 && capitals === inner) || /\S\p{Lu}/u.test(form) ? form : form.toLowerCase();
}
