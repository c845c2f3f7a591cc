/** Which language a text is in. */

import { eld } from "eld/extrasmall";

/** Detection needs no more, in characters: it is exact from about a hundred on. */
const SAMPLE = 4_000;

/**
 * The language as a BCP 47 tag of two letters (one of the 60 that `eld` knows); `und` where a text is too short or too
 * odd to tell. Never a region: word statistics do not show one.
 */
export function languageOf(text: string): string {
  const sample = text.slice(0, SAMPLE);
  if (!/\p{L}/u.test(sample)) return "und";
  const found = eld.detect(sample);
  return found.language !== "" && found.isReliable() ? found.language : "und";
}
