/** The JSON in a text that was only asked to be JSON: models wrap it in prose, fences and thoughts, and slip in commas. */

import { jsonrepair } from "jsonrepair";

/** So many places where a value may begin are tried; a text with more is prose. */
const MOST_STARTS = 32;

/**
 * The JSON text in `text`, or `text` itself when there is none, for the reader's check to refuse. Objects go before
 * arrays, which may be footnotes ("[1]"); and of several the longest is the answer.
 */
export function jsonText(text: string): string {
  const bare = withoutThoughts(text).trim();
  const whole = [bare, unfenced(bare)].find(parses);
  if (whole !== undefined) return whole;
  const found = values(bare).sort((a, b) => b.length - a.length);
  const objects = found.filter((value) => value.startsWith("{"));
  return objects.find(parses) ?? first(objects, repaired) ?? found.find(parses) ?? text;
}

function first<T>(list: readonly string[], read: (value: string) => T | undefined): T | undefined {
  for (const each of list) {
    const value = read(each);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Reasoning models served without a parser think aloud first. */
const withoutThoughts = (text: string): string => text.replace(/^\s*<think(?:ing)?>[\s\S]*?<\/think(?:ing)?>/, "");

/** What a text holds that is one fence from end to end. */
const unfenced = (text: string): string => /^```\w*\s([\s\S]*)```$/.exec(text)?.[1]?.trim() ?? text;

/** What lies between a bracket and the one that closes it, outermost ones only; to the end for one that never closes. */
function values(text: string): string[] {
  const found: string[] = [];
  const bracket = /[{[]/g;
  for (let at = bracket.exec(text); at !== null && found.length < MOST_STARTS; at = bracket.exec(text)) {
    const end = closing(text, at.index);
    found.push(text.slice(at.index, end));
    // A bracket that never closes may be prose: what it seems to hold is looked at as well.
    if (end < text.length) bracket.lastIndex = end;
  }
  return found;
}

function closing(text: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const letter = text[at];
    if (quoted) {
      if (letter === "\\") at++;
      else if (letter === '"') quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === "{" || letter === "[") depth++;
    else if ((letter === "}" || letter === "]") && --depth === 0) return at + 1;
  }
  return text.length;
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function repaired(text: string): string | undefined {
  try {
    return jsonrepair(text);
  } catch {
    return undefined;
  }
}
