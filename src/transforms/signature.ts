/** Texts → signatures: of all of a text for equal ones, of its words for similar ones. */

import { hash } from "node:crypto";

/** Words of an exact signature: 128 bits of a SHA-256, so that two texts never have the same by chance. */
export const EXACT_WORDS = 4;

/** Words of a signature by MinHash: the share that is alike is known to ± 0.03 (one standard deviation, near 0.85). */
export const NEAR_WORDS = 128;

/** One form of the text for every way that Unicode has of writing it; white space of any kind and length is one blank. */
export const normalized = (text: string): string => text.normalize("NFC").replace(/\s+/gu, " ").trim();

export function exactSignature(text: string): Uint32Array {
  const digest = hash("sha256", text, "buffer");
  return Uint32Array.from({ length: EXACT_WORDS }, (_, at) => digest.readUInt32LE(4 * at));
}

/** Where words are not set apart by blanks, each character is one. */
const WORD = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}\p{M}]+/gu;

/** Constants of the hash functions, the same in every process: multipliers are odd. */
const MULTIPLIERS = new Uint32Array(NEAR_WORDS);
const ADDENDS = new Uint32Array(NEAR_WORDS);
for (let at = 0, state = 0x9e3779b9; at < NEAR_WORDS; at++) {
  state = mixed(state + at);
  MULTIPLIERS[at] = state | 1;
  state = mixed(state ^ 0x85ebca6b);
  ADDENDS[at] = state;
}

/** The finalizer of MurmurHash3: every bit of the input moves every bit of the output. */
function mixed(value: number): number {
  let hashed = value | 0;
  hashed = Math.imul(hashed ^ (hashed >>> 16), 0x85ebca6b);
  hashed = Math.imul(hashed ^ (hashed >>> 13), 0xc2b2ae35);
  return (hashed ^ (hashed >>> 16)) >>> 0;
}

/**
 * MinHash (Broder, On the resemblance and containment of documents, 1997) of the pairs of neighbouring words: two signatures
 * agree in about as large a share of their words as their texts do of their pairs. Case and punctuation do not count.
 */
export function nearSignature(text: string): Uint32Array {
  const least = new Uint32Array(NEAR_WORDS).fill(0xffffffff);
  for (const pair of pairsOf(text)) {
    for (let at = 0; at < NEAR_WORDS; at++) {
      const hashed = mixed(Math.imul(pair, MULTIPLIERS[at] as number) + (ADDENDS[at] as number));
      if (hashed < (least[at] as number)) least[at] = hashed;
    }
  }
  return least;
}

/** Hashes of the text's pairs of words, each once; of a text without two words, of all of it. */
function pairsOf(text: string): Set<number> {
  const words = text.normalize("NFKC").toLowerCase().match(WORD) ?? [];
  if (words.length < 2) return new Set([hashed(words[0] ?? text)]);
  const hashes = words.map(hashed);
  const pairs = new Set<number>();
  for (let at = 1; at < hashes.length; at++) {
    pairs.add(mixed(Math.imul(hashes[at - 1] as number, 31) + (hashes[at] as number)));
  }
  return pairs;
}

/** FNV-1a over the text's UTF-16 units. */
function hashed(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return mixed(value);
}

/**
 * How many bands to look in, so that at least 99 of 100 pairs at the threshold are found, and few others compared
 * (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4).
 */
export function bandsFor(threshold: number): number {
  for (let bands = 4; bands < NEAR_WORDS; bands *= 2) {
    if (1 - (1 - threshold ** (NEAR_WORDS / bands)) ** bands >= 0.99) return bands;
  }
  return NEAR_WORDS;
}
