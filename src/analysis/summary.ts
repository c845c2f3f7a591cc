/** An extractive summary: sentences of the article itself, unchanged and in its order. */

import type { Sentence } from "./sentences.ts";

export interface Extracts {
  /** Two to four sentences; fewer where the article has no more. */
  readonly summary: readonly Sentence[];
  /** Three to five further sentences; fewer where the article has no more. */
  readonly keyPoints: readonly Sentence[];
}

interface Ranked {
  readonly sentence: Sentence;
  readonly terms: ReadonlySet<string>;
  readonly score: number;
}

/** Characters of a sentence that reads well by itself; further ones cost score. */
const COMFORTABLE = { from: 45, to: 220 };

/** Languages that say as much in a third of the characters. */
const DENSE = new Set(["zh", "ja", "ko"]);

/** Words that lean on the sentence before. */
const LEANING: Readonly<Record<string, RegExp>> = {
  en: /^(?:And|But|Or|So|Yet|Still|Then|Instead|However|Nor|Also|He|She|It|They|We|I|You|His|Her|Its|Their|This|That|These|Those|Such|Both|Others?|Another|One of them|Each|Neither|Here|There|Twice|Because|Whether|Under it)\b/,
  de: /^(?:Und|Aber|Doch|Dann|Er|Sie|Es|Ihr|Sein|Seine|Ihre|Dies\p{L}*|Das|Davon|Dafür|Damit|Dazu|Deshalb|Trotzdem|Dort|Da|Eine von ihnen|Nun|Auch)(?!\p{L})/u,
  fr: /^(?:Et|Mais|Ou|Donc|Puis|Il|Elle|Ils|Elles|Son|Sa|Ses|Leur|Leurs|On|Cela|Ce|Cette|Ces|Celui|Celle|Eux|Ainsi)(?!\p{L})/u,
  es: /^(?:Y|Pero|O|Entonces|Él|Ella|Ellos|Ellas|Su|Sus|Esto|Eso|Este|Esta|Estos|Estas|Se trata|Las de|Los de|Al otro|También)(?!\p{L})/u,
  it: /^(?:E|Ma|O|Poi|Lui|Lei|Loro|Egli|Ella|Esso|Suo|Sua|Questo|Questa|Questi|Queste|Quello|Quella|Ne|Anche|Così)(?!\p{L})/u,
  pt: /^(?:E|Mas|Ou|Então|Ele|Ela|Eles|Elas|O seu|A sua|Isto|Isso|Este|Esta|Estes|Estas|É|Também|Já|Depois)(?!\p{L})/u,
  nl: /^(?:En|Maar|Of|Dan|Toen|Hij|Zij|Ze|Het|Zijn|Haar|Hun|Dit|Dat|Deze|Die|Ook|Er|Daarom)(?!\p{L})/u,
};

/** The same a few words in: `Above her were a tree and a roof`. */
const INNER_LEANING: Readonly<Record<string, RegExp>> = {
  en: /^(?:[^\s,]+ ){1,3}(?:he|she|they|it|him|them|her|this|that|these|those)\b/,
  de: /^(?:[^\s,]+ ){1,2}(?:er|sie|es|ihm|ihn|ihnen)\b/,
};

const SPOKEN = /^["“„«‘'「]|[?!？！]["”“»’'」]?$/u;

/** @param weight of each term, see `weights` */
export function extracts(
  sentences: readonly Sentence[],
  weight: ReadonlyMap<string, number>,
  language: string,
): Extracts {
  const ranked = distinct(sentences).map((sentence) => rank(sentence, sentences.length, { weight, language }));
  const wanted = sentences.length < 8 ? 2 : sentences.length < 30 ? 3 : 4;
  // What stands alone well is asked first; the rest only where there is nothing else.
  const good = ranked.filter(({ score }) => score > 0);
  const summary = pick(good.length > 0 ? good : ranked, wanted, []);
  const left = good.filter((one) => !summary.includes(one));
  const points = pick(left, Math.min(5, Math.max(3, Math.round(sentences.length / 7))), summary);
  return { summary: inOrder(summary), keyPoints: inOrder(points) };
}

/** Each sentence once, where it stands first; without those that hold no word. */
function distinct(sentences: readonly Sentence[]): Sentence[] {
  const seen = new Map<string, Sentence>();
  for (const one of sentences) if (one.words.length > 0 && !seen.has(one.text)) seen.set(one.text, one);
  return [...seen.values()];
}

const inOrder = (picked: readonly Ranked[]): Sentence[] =>
  picked.map(({ sentence }) => sentence).sort((a, b) => a.index - b.index);

interface Context {
  readonly weight: ReadonlyMap<string, number>;
  readonly language: string;
}

function rank(sentence: Sentence, count: number, { weight, language }: Context): Ranked {
  const terms = new Set(sentence.words.flatMap(({ term }) => term ?? []));
  let sum = 0;
  for (const term of terms) sum += weight.get(term) ?? 0;
  // Between the sum, which is for the longest, and the mean, which is for the shortest.
  let score = sum / Math.sqrt(terms.size + 4);
  const length = sentence.text.length * (DENSE.has(language) ? 3 : 1);
  if (length < COMFORTABLE.from) score *= 0.4;
  if (length > COMFORTABLE.to) score *= COMFORTABLE.to / length;
  score *= placeFactor(sentence, count);
  if (SPOKEN.test(sentence.text)) score *= 0.45;
  if (!sentence.first && LEANING[language]?.test(sentence.text)) score *= 0.5;
  else if (LEANING[language]?.test(sentence.text)) score *= 0.7;
  else if (INNER_LEANING[language]?.test(sentence.text)) score *= 0.75;
  if (/\p{N}/u.test(sentence.text)) score *= 1.1;
  if (!balanced(sentence.text)) score = 0;
  if (!sentence.whole) score *= 0.2;
  return { sentence, terms, score };
}

/** News says first what matters; each paragraph says first what it is about. */
function placeFactor({ index, first, paragraph }: Sentence, count: number): number {
  const lead = index === 0 ? 1.7 : paragraph === 0 ? 1.35 : 1 + 0.25 * (1 - index / count);
  return first ? lead * 1.15 : lead;
}

/** A sentence that opens or closes a quotation begun elsewhere would put words into the wrong mouth. */
function balanced(text: string): boolean {
  const count = (mark: RegExp) => text.match(mark)?.length ?? 0;
  if (count(/"/g) % 2 !== 0) return false;
  if (count(/«/g) !== count(/»/g) || count(/\(/g) !== count(/\)/g)) return false;
  // German closes with the mark that English opens with.
  return text.includes("„") ? count(/„/g) === count(/[“”]/g) : count(/“/g) === count(/”/g);
}

/** The best ones, each judged again by how much it repeats of those taken before it. */
function pick(from: readonly Ranked[], most: number, taken: readonly Ranked[]): Ranked[] {
  const picked: Ranked[] = [];
  const rest = new Set(from);
  while (picked.length < most && rest.size > 0) {
    let best: Ranked | undefined;
    let highest = -1;
    for (const one of rest) {
      const score = one.score * (1 - overlap(one, [...taken, ...picked]));
      if (score > highest) {
        best = one;
        highest = score;
      }
    }
    if (best === undefined) break;
    rest.delete(best);
    picked.push(best);
  }
  return picked;
}

/** 0 to 1: the largest share of terms that one of the others has too. */
function overlap({ terms }: Ranked, others: readonly Ranked[]): number {
  let most = 0;
  for (const other of others) {
    let shared = 0;
    for (const term of terms) if (other.terms.has(term)) shared++;
    most = Math.max(most, shared / Math.max(1, Math.min(terms.size, other.terms.size)));
  }
  return most;
}
