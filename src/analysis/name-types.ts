/** What kind of thing a name names, from the name itself and from the words around it. */

import type { Entity } from "./analysis.ts";
import {
  CALLINGS,
  CONCERNS,
  HOLDINGS,
  KNOWN_PLACES,
  MAKINGS,
  ORGANIZATION_WORDS,
  PLACE_NOUNS,
  PLACE_OPENERS,
  PLACE_PREPOSITIONS,
  PLACE_WORDS,
  SPEECH,
  WORK_WORDS,
} from "./name-words.ts";
import type { Mention } from "./names.ts";
import type { Tags } from "./tagger.ts";

export interface NamedThing {
  readonly name: string;
  readonly tags: Tags;
  readonly mentions: readonly Mention[];
}

/** Weight of the evidence for each type. Whole points are about as good as a word of the name itself. */
interface Evidence {
  person: number;
  organization: number;
  place: number;
  work: number;
}

/** Evidence from which a type is believed. */
const ENOUGH = 2;

/** After a name: a thing called after somebody. */
const THING_AFTER = /^ (?:telescope|prize|award|medal|trophy|effect|syndrome|law|scale|theorem|constant)\b/;

/** Undefined: too little is known to list it at all. */
export function typeOf(named: NamedThing): Entity["type"] | undefined {
  const { name, mentions } = named;
  const words = name.split(" ");
  if (mentions.some(({ quoted }) => quoted)) return "work";
  if (words.length === 1 && (ORGANIZATION_WORDS.has(name) || PLACE_WORDS.has(name))) return undefined;
  if (mentions.some(({ after }) => THING_AFTER.test(after))) return words.length > 1 ? "other" : undefined;
  const titled = mentions.some((mention) => mention.titled);
  const around = surroundings(mentions, words.length > 1);
  if (around.work > 0 && !titled) return "work";
  const own = words.length > 1 ? ofPhrase(named, words) : ofWord(named);
  const person = own.person + around.person + (titled ? 4 : 0);
  const organization = own.organization + around.organization;
  const place = own.place + around.place;
  if (own.work > Math.max(person, organization, place)) return "work";
  const best = Math.max(person, organization, place);
  if (best >= ENOUGH) return best === person ? "person" : best === place ? "place" : "organization";
  // A preposition alone makes a place of a name that has no other reading.
  if (best >= 1.5 && place === best) return "place";
  return words.length > 1 && !mentions.every(({ initial }) => initial) ? "other" : undefined;
}

const known = (tags: Tags, ...wanted: readonly string[]): boolean =>
  tags.some((of) => wanted.some((tag) => of.has(tag)));

function ofWord({ name, tags, mentions }: NamedThing): Evidence {
  const place = KNOWN_PLACES.has(name) || known(tags, "City", "Country", "Region") ? 3 : known(tags, "Place") ? 1 : 0;
  // Half of England's counties are first names too, so a single mention needs more than the lexicon.
  const person = known(tags, "FirstName") ? (mentions.length > 1 ? 2 : 1.5) : 0;
  return { person, organization: known(tags, "Organization") ? 1 : 0, place, work: 0 };
}

function ofPhrase({ name, tags, mentions }: NamedThing, words: readonly string[]): Evidence {
  const evidence = { person: 0, organization: 0, place: 0, work: 0 };
  const last = words.at(-1) ?? "";
  if (tags[0]?.has("FirstName")) evidence.person += 3;
  else if (tags.at(-1)?.has("LastName") && !tags[0]?.has("Value")) evidence.person += 1;
  // Initials, and given names as Korea writes them.
  if (/^(?:\p{Lu}\. )+\p{Lu}|^\p{Lu}\p{Ll}+ \p{Lu}\p{Ll}+-\p{Ll}+$/u.test(name)) evidence.person += 3;
  if (mentions.some((mention) => mention.name === last)) evidence.person += 2;
  if (words.some((word) => ORGANIZATION_WORDS.has(word))) evidence.organization += 5;
  if (/ & /.test(name)) evidence.organization += 3;
  // Football clubs are called so as often as towns.
  if (/^(?:Town|City)$/.test(last)) evidence.place += 1.5;
  else if (PLACE_WORDS.has(last) || (/ of /.test(name) && PLACE_WORDS.has(words[0] ?? ""))) evidence.place += 4.5;
  if (PLACE_OPENERS.has(words[0]?.replace(".", "") ?? "")) evidence.place += 2.5;
  if (known(tags, "City", "Country", "Region")) evidence.place += 1.5;
  if (WORK_WORDS.has(last)) evidence.work += 6;
  return evidence;
}

/** The strongest evidence of each kind counts, and a little for each further one. */
function surroundings(mentions: readonly Mention[], phrase: boolean): Evidence {
  const sum: Evidence = { person: 0, organization: 0, place: 0, work: 0 };
  const raise = (kind: keyof Evidence, by: number) => {
    if (by > 0) sum[kind] = Math.max(sum[kind], by) + (sum[kind] > 0 ? 0.25 : 0);
  };
  for (const mention of mentions) {
    raise("person", personAround(mention, phrase));
    raise("organization", organizationAround(mention));
    raise("place", placeAround(mention));
    const last = mention.before.at(-1) ?? "";
    if (MAKINGS.has(last) || (last === "the" && mention.before[0] === "called")) raise("work", 1);
  }
  return sum;
}

const nextOf = (after: string): string => /^(?:['’]s?)? ([\p{L}-]+)/u.exec(after)?.[1] ?? "";

const isPossessive = (after: string): boolean => /^['’]s/.test(after);

function personAround({ before, after, apposed }: Mention, phrase: boolean): number {
  const last = before.at(-1) ?? "";
  if (/^, \d{2}[,.]/.test(after)) return 4;
  if (CALLINGS.has(last) || (phrase && before.length === 0 && CALLINGS.has(apposed ?? ""))) return 2.5;
  const located = last in PLACE_PREPOSITIONS;
  if (!located && /^[,”"]* (?:said|says|told|wrote|added|wept|laughs?|admits)\b|^, whos?e?\b/.test(after)) return 2.5;
  if (phrase && /^ of \p{Lu}\p{L}+, who\b/u.test(after)) return 2.5;
  const introduced = /^, an? ([^,.;]+)/.exec(after)?.[1] ?? "";
  if (
    phrase &&
    introduced
      .split(" ")
      .slice(0, 4)
      .some((word) => CALLINGS.has(word))
  )
    return 2.5;
  if (phrase && !located && /^, /.test(after) && SPEECH.has(nextOf(after.slice(1)))) return 2;
  if (/^(?:said|says)$/.test(last)) return 2;
  if (isPossessive(after) && WORK_WORDS.has(/ (\p{Lu}\p{Ll}+)$/u.exec(after.split(/[,.;]/)[0] ?? "")?.[1] ?? ""))
    return 2;
  return !isPossessive(after) && SPEECH.has(nextOf(after)) ? 0.5 : 0;
}

function organizationAround({ before, after }: Mention): number {
  const last = before.at(-1) ?? "";
  if (last === "in" && before[0] === "shares") return 4;
  if (CONCERNS.has(last)) return 2.5;
  return isPossessive(after) && HOLDINGS.has(nextOf(after)) ? 2 : 0;
}

function placeAround({ before }: Mention): number {
  const last = before.at(-1) ?? "";
  if (last === "in" && before[0] === "shares") return 0;
  if (last === "of" && PLACE_NOUNS.has(before[0] ?? "")) return 3;
  return PLACE_PREPOSITIONS[last] ?? 0;
}
