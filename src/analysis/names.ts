/** Where an English text names something: runs of capitalised words that are not capitals of grammar. */

import { HEADING_WORDS, NO_NAMES, ORGANIZATION_WORDS, PARTICLES, PLACE_WORDS, TITLES } from "./name-words.ts";
import type { Sentence } from "./sentences.ts";
import { stopWordsOf } from "./stopwords.ts";
import { tagged } from "./tagger.ts";
import type { Word } from "./words.ts";

export interface Mention {
  readonly name: string;
  /** Whether titles such as Dr stood before it. */
  readonly titled: boolean;
  /** The words before it, lower case, the nearest last; at most two, none across a comma. */
  readonly before: readonly string[];
  /** The word before the comma that it follows, lower case: `its owner, Joost Verhoeven`. */
  readonly apposed: string | undefined;
  /** What follows, as it stands, up to `AFTER` characters; begins with `'s` after a possessive. */
  readonly after: string;
  /** A title in quotation marks. */
  readonly quoted: boolean;
  /** Begins a sentence, so that its capital may be the sentence's. */
  readonly initial: boolean;
}

/** Mentions read at most: enough for any article, and a bound on what a list of names can cost. */
const MOST_MENTIONS = 600;

/** Characters looked at behind a name. */
const AFTER = 48;

const CAPITAL = /^\p{Lu}/u;

interface Run {
  readonly sentence: Sentence;
  readonly words: readonly Word[];
  readonly initial: boolean;
}

export function mentionsOf(sentences: readonly Sentence[]): Mention[] {
  const common = new Set<string>();
  for (const { words } of sentences) for (const { text, lower } of words) if (text === lower) common.add(lower);
  const runs: Run[] = [];
  const quoted: Mention[] = [];
  for (const sentence of sentences) {
    if (runs.length > MOST_MENTIONS) break;
    if (isHeading(sentence)) continue;
    const titles = quotedTitles(sentence);
    quoted.push(...titles.map(({ mention }) => mention));
    runs.push(...runsOf(sentence, (word) => titles.some(({ from, to }) => word.start >= from && word.end <= to)));
  }
  return [...quoted, ...sure(runs, common).flatMap(mentionIn)];
}

/** Where most words are capitalised, a capital tells nothing. */
function isHeading({ words }: Sentence): boolean {
  const long = words.filter(({ text }) => text.length > 3);
  return long.length > 5 && long.filter(({ text }) => CAPITAL.test(text)).length > long.length * 0.7;
}

function runsOf(sentence: Sentence, inTitle: (word: Word) => boolean): Run[] {
  const { text, words } = sentence;
  const runs: Run[] = [];
  let open: Word[] = [];
  let initial = false;
  const close = () => {
    if (open.length > 0) runs.push({ sentence, words: open, initial });
    open = [];
  };
  words.forEach((word, at) => {
    if (!CAPITAL.test(word.text) || inTitle(word)) return;
    const joined = open.length > 0 ? bridge(text, words, { last: open.at(-1)!, at }) : undefined;
    if (joined === undefined) {
      close();
      initial = at === 0 || /["“„«:?!][\s(]*$/u.test(text.slice(0, word.start).slice(-4));
    } else open.push(...joined);
    open.push(word);
  });
  close();
  return runs;
}

/** The words between the run so far and the next capital, if all of it is one name. */
function bridge(text: string, words: readonly Word[], { last, at }: { last: Word; at: number }): Word[] | undefined {
  const next = words[at]!;
  const gap = text.slice(last.end, next.start);
  const place = (word: Word) => ORGANIZATION_WORDS.has(word.text) || PLACE_WORDS.has(word.text);
  if (/['’]s$/.test(last.text)) return gap === " " && place(next) ? [] : undefined;
  if (gap === " " || gap === " & ") return [];
  // The S of "U.S. Senate" is no initial.
  if (gap === ". " && text.charAt(last.start - 1) === ".") return undefined;
  if (gap === ". ") return /^(?:\p{Lu}|St|Mt|Dr|Mrs?|Ms|Prof)$/u.test(last.text) ? [] : undefined;
  if (!/^ [\p{Ll} ]{2,10} $/u.test(gap)) return undefined;
  const between = words.slice(Math.max(0, at - 2), at).filter(({ start }) => start > last.end);
  if (between.every(({ text: word }) => PARTICLES.has(word))) return between;
  return /^ (?:of|of the|for|for the) $/.test(gap) && place(last) ? between : undefined;
}

/** Takes off the first word of a sentence where its capital is only the sentence's. */
function sure(runs: readonly Run[], common: ReadonlySet<string>): Run[] {
  const stop = stopWordsOf("en");
  const inside = new Set(
    runs.flatMap(({ words, initial }) => words.slice(initial ? 1 : 0).map(({ text }) => bare(text))),
  );
  const doubtful = [...new Set(runs.filter(({ initial }) => initial).map(({ words }) => bare(words[0]!.text)))].filter(
    (word) => !inside.has(word) && !TITLES.has(word),
  );
  const tags = new Map(tagged(doubtful).map((of, at) => [doubtful[at]!, of[0]]));
  const lower = new Map(tagged(doubtful.map((word) => word.toLowerCase())).map((of, at) => [doubtful[at]!, of[0]]));
  const isName = (word: string, alone: boolean): boolean => {
    const plain = word.toLowerCase();
    if (stop.has(plain) || common.has(plain)) return false;
    if (inside.has(word) || TITLES.has(word)) return true;
    const known = ["City", "Country", "Place", "FirstName", "Region"].some((tag) => tags.get(word)?.has(tag));
    if (alone) return known;
    if (
      ["Verb", "Adverb", "Adjective", "Pronoun", "Conjunction", "Preposition", "Plural", "Actor", "Determiner"].some(
        (tag) => lower.get(word)?.has(tag),
      )
    )
      return known;
    return true;
  };
  return runs.flatMap((run) => {
    if (!run.initial) return [run];
    const [first, ...rest] = run.words;
    if (isName(bare(first!.text), rest.length === 0)) return [run];
    const from = rest.findIndex(({ text }) => CAPITAL.test(text));
    return from < 0 ? [] : [{ ...run, words: rest.slice(from), initial: false }];
  });
}

const bare = (text: string): string => text.replace(/['’]s?$/, "");

function mentionIn({ sentence: { text }, words, initial }: Run): Mention[] {
  if (words.slice(1).some((word) => HEADING_WORDS.has(word.text))) return [];
  let from = titlesBefore(words);
  const titled = from > 0;
  while (from < words.length && NO_NAMES.has(words[from]!.text) && words.length - from === 1) from++;
  const named = words.slice(from);
  const first = named[0];
  const last = named.at(-1);
  if (first === undefined || last === undefined) return [];
  // `The Hague` is the one that keeps its article.
  const start = first.text === "The" && !/^The Hague\b/.test(text.slice(first.start)) ? named[1]?.start : first.start;
  if (start === undefined) return [];
  const name = bare(text.slice(start, last.end)).replaceAll("’", "'");
  if (name.length < 2 || name.length > 80 || NO_NAMES.has(name)) return [];
  const before =
    text
      .slice(0, words[0]!.start)
      .split(/[,;:.!?()“”"]/)
      .at(-1) ?? "";
  const possessive = /['’]s?$/.exec(last.text)?.[0] ?? "";
  return [
    {
      name,
      titled,
      apposed: /([\p{L}-]+), $/u.exec(text.slice(0, words[0]!.start).slice(-40))?.[1]?.toLowerCase(),
      before: before.trim().toLowerCase().split(/\s+/).filter(Boolean).slice(-2),
      after: possessive + text.slice(last.end, last.end + AFTER),
      quoted: false,
      initial: initial && from === 0,
    },
  ];
}

/** How many of the words are titles or go before one: `Senate Majority Leader Chuck Schumer` is Chuck Schumer. */
function titlesBefore(words: readonly Word[]): number {
  const last = words.at(-1)?.text ?? "";
  // Prince Edward Island is no prince.
  if (words.length > 2 && (ORGANIZATION_WORDS.has(last) || PLACE_WORDS.has(last))) return 0;
  const title = words.findLastIndex(({ text }) => TITLES.has(text));
  const next = words[title + 1];
  // A title that names nobody leaves nothing.
  return next === undefined ? words.length : CAPITAL.test(next.text) ? title + 1 : 0;
}

/** Titles of works: in quotation marks, capitalised throughout, and not the end of what somebody said. */
function quotedTitles({ text }: Sentence): { mention: Mention; from: number; to: number }[] {
  return [...text.matchAll(/[“"]([^“”"]{3,80})[”"]/gu)].flatMap((match) => {
    const title = (match[1] ?? "").replace(/,$/, "");
    const words = title.split(/\s+/);
    const small = /^(?:a|an|and|as|at|by|de|for|from|in|la|le|of|on|or|the|to|with)$/;
    const capitalised = words.every((word, at) => CAPITAL.test(word) || (at > 0 && small.test(word)));
    if (!capitalised || words.length > 8 || /[.?!]$/.test(title)) return [];
    const behind = text.slice(match.index + match[0].length, match.index + match[0].length + AFTER);
    if (/^ (?:[\p{L}'’.-]+ ){0,3}(?:said|says|asked|asks|replied|added|told|wrote)\b/u.test(behind)) return [];
    const before = text.slice(0, match.index).trim().toLowerCase().split(/\s+/).slice(-2);
    if (
      words.length === 1 &&
      !before.some((word) => /^(?:called|titled|entitled|novel|film|album|song|play|book)$/.test(word))
    )
      return [];
    const name = title.replaceAll("’", "'");
    const from = match.index;
    return [
      {
        mention: { name, titled: false, apposed: undefined, before, after: "", quoted: true, initial: false },
        from,
        to: from + match[0].length,
      },
    ];
  });
}
