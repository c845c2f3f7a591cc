/**
 * Texts that can be told apart: every one carries the mark of its record, as far as the schema leaves room for it.
 */

import type { JsonObject } from "../ask.ts";
import { roll } from "../hash.ts";
import { samplePattern } from "./pattern.ts";

/** Whose answer it is. */
export interface Mark {
  /** Hash of the first user message. */
  readonly text: string;
  /** What a test planted there. */
  readonly id: string | null;
}

const WORDS =
  "river stone market council harbour engine garden signal winter bridge reform energy museum border science council harvest railway station report city island".split(
    " ",
  );

/** Samples of a pattern tried before the schema is given up on. */
const TRIES = 40;

/** `sim-0123456789ab`, and the planted id after it if there is one. */
export const markOf = (mark: Mark): string => (mark.id === null ? `sim-${mark.text}` : `sim-${mark.text} ${mark.id}`);

/** The mark and some words after it, `characters` long at least. */
export function prose(mark: Mark, path: string, characters: number): string {
  let text = markOf(mark);
  for (let i = 0; text.length < characters; i++) {
    text += ` ${WORDS[Math.floor(roll(mark.text, path, "word", i) * WORDS.length)]}`;
  }
  return text;
}

/** A value of each format that ajv-formats and zod check. */
function formatted(format: string, mark: Mark, place: number): string | undefined {
  const hex = mark.text.padEnd(12, "0").slice(0, 12);
  const label = `sim-${hex}`;
  const two = (n: number) => String(1 + Math.floor(place * n)).padStart(2, "0");
  const date = `2025-${two(12)}-${two(28)}`;
  const time = `${two(22)}:${two(58)}:${two(58)}Z`;
  const byFormat: Readonly<Record<string, string>> = {
    date,
    time,
    "date-time": `${date}T${time}`,
    duration: "PT1H",
    email: `${label}@example.com`,
    hostname: `${label}.example.com`,
    uri: `https://example.com/${label}${mark.id === null ? "" : `/${encodeURIComponent(mark.id)}`}`,
    url: `https://example.com/${label}`,
    "uri-reference": `/${label}`,
    uuid: `${hex.slice(0, 8)}-${hex.slice(8)}-4000-8000-${hex}`,
    ipv4: `10.0.${Math.floor(place * 256)}.${two(250).replace(/^0/, "")}`,
    ipv6: `fd00::${hex.slice(0, 4)}`,
  };
  return byFormat[format];
}

/** JSON Schema's patterns are Unicode ones; some only make sense without, and some not at all. */
function patternOf(schema: JsonObject): RegExp | undefined {
  if (typeof schema.pattern !== "string") return undefined;
  for (const flags of ["u", ""]) {
    try {
      return new RegExp(schema.pattern, flags);
    } catch {
      // The other flags may take it; a pattern that nobody can read is as good as none.
    }
  }
  return undefined;
}

/** A text that the schema accepts. `path` makes each place's text its own. */
export function growString(schema: JsonObject, mark: Mark, path: string): string {
  const least = typeof schema.minLength === "number" ? schema.minLength : 0;
  const most = typeof schema.maxLength === "number" ? schema.maxLength : Number.POSITIVE_INFINITY;
  const pattern = patternOf(schema);
  const fits = (text: string) => {
    const length = Array.from(text).length;
    return length >= least && length <= most && (pattern?.test(text) ?? true);
  };
  const place = roll(mark.text, path, "string");
  const known = typeof schema.format === "string" ? formatted(schema.format, mark, place) : undefined;
  if (known !== undefined && fits(known)) return known;
  const wanted = Math.max(least, Math.min(most, 40 + Math.floor(place * 40)));
  const plain = Array.from(prose(mark, path, wanted))
    .slice(0, Math.min(most, 4096 + least))
    .join("");
  if (fits(plain)) return plain;
  for (let i = 0; pattern && i < TRIES; i++) {
    let draws = 0;
    const sample = samplePattern(pattern.source, () => roll(mark.text, path, i, draws++));
    if (fits(sample)) return sample;
  }
  return plain;
}
