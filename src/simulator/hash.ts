/** Chance without a clock: everything drawn is a hash of what it is drawn for, so it replays in any order of arrival. */

import { hash } from "node:crypto";

/** Twelve hex digits that stand for a text. */
export const fingerprint = (text: string): string => hash("sha1", text, "hex").slice(0, 12);

/** A number in [0, 1) that depends on the parts alone. FNV-1a, then MurmurHash3's finaliser to spread short inputs. */
export function roll(...parts: readonly (string | number)[]): number {
  let h = 0x811c9dc5;
  for (const part of parts) {
    const text = String(part);
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    // Keeps ("ab", "c") apart from ("a", "bc").
    h = Math.imul(h ^ 0x1f, 0x01000193);
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}
