/** What JSON can hold: checked before anything is written, since what it cannot hold it drops or changes in silence. */

import { types } from "node:util";

/**
 * JSON.parse, but an integer whose digits a double would change becomes a string of them: rounded, an id would be
 * another one. Text without 16 digits in a row costs nothing more.
 *
 * @throws SyntaxError as JSON.parse does
 */
export function parseJson(text: string): unknown {
  return hasManyDigits(text) ? JSON.parse(text, exactInteger as Reviver) : JSON.parse(text);
}

/** A number of so many digits, and a string that holds them, are all that the slower way is taken for. */
const MANY_DIGITS = 16;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/** So many in a row cover one of every so many places: looking at those only, this takes a tenth of a regular expression's time. */
function hasManyDigits(text: string): boolean {
  for (let at = MANY_DIGITS - 1; at < text.length; at += MANY_DIGITS) {
    if (!isDigit(text.charCodeAt(at))) continue;
    let first = at;
    while (at - first < MANY_DIGITS && isDigit(text.charCodeAt(first - 1))) first--;
    let end = at + 1;
    while (end - first < MANY_DIGITS && isDigit(text.charCodeAt(end))) end++;
    if (end - first >= MANY_DIGITS) return true;
  }
  return false;
}

type Reviver = Parameters<typeof JSON.parse>[1];

const INTEGER = /^-?\d{16,}$/;

/** `source` is the literal as it stood in the text, of numbers, strings, booleans and null. */
function exactInteger(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  if (source === undefined || !INTEGER.test(source)) return value;
  // What prints as it stood is not lost, so that what JSON.stringify wrote comes back as it was.
  return String(value) === source ? value : source;
}

/** Deepest nesting read or written. JSON.stringify overflows the stack at some 4,000 levels, other readers far earlier. */
export const MAX_DEPTH = 512;

/**
 * Why `value` would not survive being written as JSON, with the path to the fault; undefined when it would. Properties
 * that are undefined are left out by JSON, as everyone expects, and are no fault.
 */
export function jsonFault(value: unknown, maxDepth = MAX_DEPTH): string | undefined {
  try {
    const found = fault(value, maxDepth);
    return found === undefined || found.length <= LONGEST_FAULT ? found : `…${found.slice(-LONGEST_FAULT)}`;
  } catch {
    return ": throws when it is read";
  }
}

/** Of one that holds itself, the path would be as deep as we look. */
const LONGEST_FAULT = 200;

function fault(value: unknown, levels: number): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : `: is ${value}, which JSON has no number for`;
    case "object":
      return value === null ? undefined : objectFault(value, levels);
    case "bigint":
      return ": is a BigInt; write it as a string of its digits";
    default:
      return `: is ${typeof value === "undefined" ? "undefined" : `a ${typeof value}`}`;
  }
}

function objectFault(value: object, levels: number): string | undefined {
  if (levels === 0) return ": is nested too deep, or holds itself";
  if (types.isDate(value) && Number.isNaN(value.getTime())) return ": is an invalid Date";
  if ("toJSON" in value && typeof value.toJSON === "function") return fault(value.toJSON(), levels - 1);
  if (types.isMap(value) || types.isSet(value) || types.isPromise(value)) {
    return `: is a ${value.constructor.name}, of which JSON keeps nothing`;
  }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const found = fault(value[index], levels - 1);
      if (found !== undefined) return `/${index}${found}`;
    }
    return undefined;
  }
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key];
    if (field === undefined || !Object.hasOwn(value, key)) continue;
    const found = fault(field, levels - 1);
    if (found !== undefined) return `/${key}${found}`;
  }
  return undefined;
}

/**
 * Whether JSON text could be nested deeper than `maxDepth`. Exact, but in the usual case as cheap as counting: text with
 * no more opening brackets than that cannot be.
 */
export function nestedTooDeep(bytes: Buffer, maxDepth: number): boolean {
  return bytes.length > maxDepth && manyBrackets(bytes, maxDepth) && depthOf(bytes, maxDepth) > maxDepth;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const isOpening = (byte: number): boolean => byte === 0x5b || byte === 0x7b;
const isClosing = (byte: number): boolean => byte === 0x5d || byte === 0x7d;

function manyBrackets(bytes: Buffer, most: number): boolean {
  let found = 0;
  for (const bracket of [0x5b, 0x7b]) {
    for (let at = bytes.indexOf(bracket); at !== -1; at = bytes.indexOf(bracket, at + 1)) {
      if (++found > most) return true;
    }
  }
  return false;
}

function depthOf(bytes: Buffer, most: number): number {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length && depth <= most; at++) {
    const byte = bytes[at] as number;
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (isOpening(byte)) depth++;
    else if (isClosing(byte)) depth--;
  }
  return depth;
}
