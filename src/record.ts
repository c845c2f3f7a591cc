/**
 * What flows: records (plain objects), where each came from, and what is written of those that failed.
 *
 * A record carries no envelope, so that any stream or function can handle it; its source is remembered beside it, by
 * identity, and forgotten with it.
 */

import type { ErrorCode } from "./errors.ts";

/** A record as it usually is here. Only the built-in analysis asks for `content`; other fields are the user's own. */
export interface Article {
  id?: string | number;
  title?: string;
  content: string;
  url?: string;
  language?: string;
  [field: string]: unknown;
}

/** Where a record stood in its input. */
export interface Source {
  /** The path as it was given; `-` for stdin. */
  readonly file: string;
  /** From 1: the line in which the record, a row of CSV or an item of a JSON array, begins. */
  readonly line: number;
  /** Of the line's first byte, from 0; in the decompressed text where the input is compressed. */
  readonly byteOffset: number;
}

/** One line of a dead-letter file. */
export interface DeadLetter {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly status: number | null;
    /** Calls made for the record. */
    readonly attempts: number;
  };
  /** The stage that gave up, by its name in the report. */
  readonly stage: string;
  readonly source: Source | null;
  /** As it reached the stage; null when it could not be read or written as JSON. */
  readonly record: unknown;
  /** The first 1,024 bytes of what could not be read. */
  readonly raw?: string;
}

/** Returned by a function stage: this record ends here, on purpose. It is counted as dropped. */
export const drop: unique symbol = Symbol.for("millrace.drop");

const sources = new WeakMap<object, Source | null>();

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

export const sourceOf = (record: unknown): Source | null => (isObject(record) ? (sources.get(record) ?? null) : null);

export function setSource(record: object, source: Source): void {
  sources.set(record, source);
}

/**
 * `to` was made of `from`, so it came from the same place. An object that stands for records of two places has none:
 * a position is exact or absent.
 */
export function carrySource(from: unknown, to: unknown): void {
  if (from === to || !isObject(to)) return;
  const source = sourceOf(from);
  const known = sources.get(to);
  if (known !== source) sources.set(to, known === undefined ? source : null);
}

/** Of an object that throws when looked at, none. */
function fieldsOf(value: object): unknown[] {
  try {
    return Object.values(value);
  } catch {
    return [];
  }
}

/** Nodes looked at by `sizeOf`: past this, what is not seen is taken to be like what was. */
const SIZE_NODES = 2_000;

/** About how many bytes of memory a JSON-like value holds: two bytes a character, 16 for every node. */
export function sizeOf(value: unknown): number {
  let bytes = 0;
  let nodes = 0;
  const left: unknown[] = [value];
  while (left.length > 0 && nodes < SIZE_NODES) {
    const next = left.pop();
    nodes++;
    bytes += 16;
    if (typeof next === "string") bytes += 2 * next.length;
    else if (ArrayBuffer.isView(next)) bytes += next.byteLength;
    else if (isObject(next)) for (const field of fieldsOf(next)) left.push(field);
  }
  return left.length === 0 ? bytes : Math.round(bytes * (1 + left.length / nodes));
}
