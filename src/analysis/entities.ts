/** The people, organizations, places and works that an English article names. */

import type { Entity } from "./analysis.ts";
import { typeOf } from "./name-types.ts";
import { LEGAL_FORMS, ORGANIZATION_WORDS, PLACE_WORDS } from "./name-words.ts";
import { type Mention, mentionsOf } from "./names.ts";
import type { Sentence } from "./sentences.ts";
import { type Tags, tagged } from "./tagger.ts";

/** Entities listed at most, those named most often first. */
const MOST = 30;

/** Names examined at most, the first in the article. */
const MOST_NAMES = 150;

interface Named {
  readonly name: string;
  readonly tags: Tags;
  readonly mentions: Mention[];
}

/**
 * What is named, most often named first. Only English is read: in other languages capitals mean other things (German
 * nouns) or the lexicon knows too few names, and a wrong list is worse than none.
 */
export function entitiesOf(sentences: readonly Sentence[], language: string): Entity[] {
  if (language !== "en") return [];
  return united(namesIn(sentences))
    .flatMap((named, at) => {
      const type = typeOf(named);
      return type === undefined ? [] : [{ name: named.name, type, count: named.mentions.length, at }];
    })
    .sort((a, b) => b.count - a.count || a.at - b.at)
    .slice(0, MOST)
    .map(({ name, type }) => ({ name, type }));
}

function namesIn(sentences: readonly Sentence[]): Named[] {
  const names = new Map<string, Mention[]>();
  for (const mention of mentionsOf(sentences)) {
    const key = mention.name.toLowerCase();
    const known = names.get(key);
    if (known !== undefined) known.push(mention);
    else if (names.size < MOST_NAMES) names.set(key, [mention]);
  }
  const all = [...names.values()];
  const tags = tagged(all.map((mentions) => mentions[0]!.name));
  return all.map((mentions, at) => ({ name: mentions[0]!.name, tags: tags[at] ?? [], mentions }));
}

/** One entry a name: a surname, a first name or an initial counts for the full name that has it. */
function united(all: readonly Named[]): Named[] {
  const gone = new Set<Named>();
  for (const short of all) {
    const long = all.find((one) => one !== short && !gone.has(one) && standsFor(short, one));
    if (long === undefined) continue;
    long.mentions.push(...short.mentions);
    gone.add(short);
  }
  return all.filter((one) => !gone.has(one));
}

function standsFor(short: Named, long: Named): boolean {
  // Most pairs have nothing in common, and there may be twenty thousand of them.
  if (!long.name.startsWith(short.name.slice(0, 1)) && !long.name.endsWith(short.name)) return false;
  const words = long.name.split(" ");
  const last = words.at(-1);
  if (words.length < 2 || long.mentions.some(({ quoted }) => quoted)) return false;
  const initial = /^(\p{Lu})\. (\S+)$/u.exec(short.name);
  if (initial !== null) return words[0]?.startsWith(initial[1]!) === true && last === initial[2];
  // A town is not short for the club that bears its name, but "the Harriers" are the Tynemouth Harriers.
  if (/^(?:Town|City)$/.test(last ?? "") && words.length === 2 && words[0] === short.name)
    return typeOf(short) === "organization";
  if (words.length === 2 && LEGAL_FORMS.has(last ?? "")) return words[0] === short.name;
  if (short.name.includes(" ") || words.some((word) => PLACE_WORDS.has(word))) return false;
  if (last === short.name) return true;
  if (words.some((word) => ORGANIZATION_WORDS.has(word))) return false;
  return words[0] === short.name && (typeOf(long) === "person" || typeOf(short) === "person");
}
