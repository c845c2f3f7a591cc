/** Leaves out records that repeat an earlier one. */

import type { Writable } from "node:stream";
import { failure } from "../errors.ts";
import { fieldAt } from "../fields.ts";
import { jsonFault } from "../json.ts";
import { checkKeys, checkWhole } from "../options.ts";
import { type Article, drop, type Source, sourceOf } from "../record.ts";
import { Each } from "./each.ts";
import { called, isPromise } from "./functions.ts";
import { Seen } from "./seen.ts";
import { bandsFor, EXACT_WORDS, exactSignature, NEAR_WORDS, nearSignature, normalized } from "./signature.ts";

export interface DedupeOptions<Input = Article> {
  /**
   * What makes records the same: a field by its path, or what a function makes of a record. A record without it repeats none.
   * Default: `content`, or all of a record that has none.
   */
  readonly by?: string | ((record: Input) => unknown);
  /** Similar texts count as the same too. Default false, or true where `threshold` is given. */
  readonly near?: boolean;
  /** From which share of their pairs of neighbouring words on texts are similar, from 0.5 to 1; an estimate, ± 0.03. Default 0.85. */
  readonly threshold?: number;
  /**
   * Records remembered at most; then the oldest is forgotten. Default 1,000,000 (some 90 MB when full), or 100,000 (some 70 MB) with `near`.
   */
  readonly maxEntries?: number;
  /** Hears of each record that is left out, and which one it repeats. */
  readonly onDuplicate?: (duplicate: Duplicate<Input>) => void;
  /** Where records go for which `by` or `onDuplicate` throws, when the stage runs outside our `pipeline()`. */
  readonly deadLetters?: Writable;
}

export interface Duplicate<Input = Article> {
  readonly record: Input;
  readonly source: Source | null;
  /** The earlier record: its number among those that reached the stage, from 1, and where it came from. */
  readonly of: { readonly number: number; readonly source: Source | null };
  /** How much of the texts is alike: 1, or with `near` an estimate. */
  readonly similarity: number;
}

const KNOWN = ["by", "near", "threshold", "maxEntries", "onDuplicate", "deadLetters"] as const;
const THRESHOLD = 0.85;
const MOST_EXACT = 1_000_000;
const MOST_NEAR = 100_000;

/**
 * Records that repeat an earlier one are dropped, and counted as that. Texts are the same when they are so after Unicode's
 * NFC and with every run of white space as one blank; case counts. Memory is constant: the latest `maxEntries` different
 * records are remembered by their hashes, for as long as the run lasts.
 *
 * @throws ConfigurationError for an option that cannot be
 */
export function dedupe<Input = Article>(options: DedupeOptions<Input> = {}): Each {
  checkKeys(options, KNOWN, "dedupe()");
  const { by, threshold, onDuplicate } = options;
  const near = options.near ?? threshold !== undefined;
  const maxEntries = options.maxEntries ?? (near ? MOST_NEAR : MOST_EXACT);
  checkDedupe(options, near);
  const least = near ? (threshold ?? THRESHOLD) : 1;
  const signature = near ? nearSignature : exactSignature;
  const seen = new Seen(
    near
      ? { most: maxEntries, words: NEAR_WORDS, bands: bandsFor(least) }
      : { most: maxEntries, words: EXACT_WORDS, bands: 1 },
  );
  const places = new Places();
  let number = 0;
  const judged = (record: Input, value: unknown) => {
    number++;
    const text = textOf(value);
    if (text === undefined) return record;
    const sign = signature(text);
    const match = seen.find(sign, least);
    if (match === undefined) {
      places.set(seen.add(sign), number, sourceOf(record));
      return record;
    }
    onDuplicate?.({ record, source: sourceOf(record), of: places.get(match.slot), similarity: match.share });
    return drop;
  };
  const step = (record: unknown) => {
    const value = keyOf(record as Input, by);
    return isPromise(value)
      ? value.then((known) => called("dedupe", judged, record as Input, known))
      : called("dedupe", judged, record as Input, value);
  };
  return new Each("dedupe", step, options.deadLetters);
}

function checkDedupe<Input>({ by, near, threshold, maxEntries }: DedupeOptions<Input>, similar: boolean): void {
  const refused = (why: string) => failure("invalid_option", `dedupe(): ${why}`);
  if (by !== undefined && typeof by !== "function" && (typeof by !== "string" || by === "")) {
    throw refused("`by` must be a field's path, as meta.url, or a function of the record.");
  }
  if (near !== undefined && typeof near !== "boolean") throw refused("`near` must be true or false.");
  if (threshold !== undefined && !similar) throw refused("`threshold` is for similar texts, and `near` is false.");
  if (threshold !== undefined && !(threshold >= 0.5 && threshold <= 1)) {
    throw refused(`\`threshold\` must be from 0.5 to 1, got ${String(threshold)}.`);
  }
  if (maxEntries !== undefined) checkWhole("dedupe(): `maxEntries`", maxEntries, { least: 1, most: 100_000_000 });
}

function keyOf<Input>(record: Input, by: DedupeOptions<Input>["by"]): unknown {
  if (typeof by === "string") return fieldAt(record, by);
  if (by === undefined) return fieldAt(record, "content") ?? record;
  // In a list, since of this function nothing is an answer too.
  return called("dedupe", (one: Input) => [by(one)], record)[0];
}

/** Equal values have equal texts, whatever the order of an object's fields; of no value, and of what JSON cannot hold, none. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return normalized(value);
  return jsonFault(value) === undefined ? JSON.stringify(value, sorted) : undefined;
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Where remembered records came from, in as little memory as that takes: the names of files are few. */
class Places {
  readonly #files: string[] = [];
  readonly #file: number[] = [];
  readonly #number: number[] = [];
  readonly #line: number[] = [];
  readonly #offset: number[] = [];

  set(slot: number, number: number, source: Source | null): void {
    let file = -1;
    if (source !== null) {
      file = this.#files.lastIndexOf(source.file);
      if (file === -1) file = this.#files.push(source.file) - 1;
    }
    this.#file[slot] = file;
    this.#number[slot] = number;
    this.#line[slot] = source?.line ?? 0;
    this.#offset[slot] = source?.byteOffset ?? 0;
  }

  get(slot: number): Duplicate["of"] {
    const file = this.#files[this.#file[slot] ?? -1];
    const [number = 0, line = 0, byteOffset = 0] = [this.#number[slot], this.#line[slot], this.#offset[slot]];
    return { number, source: file === undefined ? null : { file, line, byteOffset } };
  }
}
