/** YAML text to a configuration that knows the line and column of everything in it. */

import type * as yaml from "yaml";
import { failure, type MillraceError } from "../errors.ts";
import { load } from "../load.ts";
import type { Configuration } from "./configuration.ts";

/** Mappings and lists within each other; a configuration has four. */
const DEEPEST = 16;

/** What the library's complaints mean to whoever wrote the file. Its own words may quote it. */
const FAULTS: Readonly<Record<string, string>> = {
  ALIAS_PROPS: "an alias stands where a value should",
  BAD_ALIAS: "an alias stands where a value should",
  BAD_INDENT: "the indentation fits nothing above it, or a bracket above is not closed",
  BLOCK_AS_IMPLICIT_KEY: "a second colon; a value with a colon in it goes into quotes",
  BLOCK_IN_FLOW: "this cannot stand within [ ] or { }",
  DUPLICATE_KEY: "this name stands here a second time",
  MISSING_CHAR: "something is missing here: a closing quote or bracket, a comma, a colon or a blank",
  MULTILINE_IMPLICIT_KEY: "a name goes over several lines; a colon is missing behind it",
  MULTIPLE_DOCS: "a second document begins here; there can be only one",
  NON_STRING_KEY: "a name must be a text",
  RESOURCE_EXHAUSTION: "this is nested too deep",
  TAB_AS_INDENT: "a tab indents this line; YAML takes only blanks",
  UNEXPECTED_TOKEN: "this does not belong here",
  TAG_RESOLVE_FAILED: "a tag (!…) stands here; a configuration has none",
};

/**
 * @param name the file, as messages call it
 * @throws ConfigurationError with file, line and column for what is no YAML, or more of it than a configuration needs
 */
export function parseYaml(text: string, name: string): Configuration {
  const { LineCounter, parseDocument } = load("yaml") as typeof yaml;
  const lineCounter = new LineCounter();
  const placeOf = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const wrong = (offset: number, message: string): MillraceError =>
    failure("invalid_option", `${placeOf(offset)}: ${message}.`);
  let document: yaml.Document.Parsed;
  try {
    document = parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      stringKeys: true,
      version: "1.2",
      logLevel: "error",
    });
  } catch (cause) {
    // Only nesting beyond the stack is thrown.
    throw failure("invalid_option", `${name} is nested too deep.`, { cause });
  }
  const [fault] = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  if (fault !== undefined) {
    throw wrong(fault.pos[0], `This is no valid YAML: ${FAULTS[fault.code] ?? "something does not belong here"}`);
  }
  refuseBombs(document, wrong);
  return { values: mappingOf(document, name), at: (path, part) => placeOf(offsetOf(document, path, part)) };
}

type Wrong = (offset: number, message: string) => MillraceError;

/** An alias can make a small file a huge value; and what nests without end is no configuration. */
function refuseBombs(document: yaml.Document.Parsed, wrong: Wrong): void {
  const { visit } = load("yaml") as typeof yaml;
  const start = (node: { range?: yaml.Range | null }) => node.range?.[0] ?? 0;
  visit(document, {
    Alias: (_, node) => {
      throw wrong(start(node), "an alias (*…) stands here; write out what it stands for");
    },
    Collection: (_, node, path) => {
      if (path.length > 2 * DEEPEST) throw wrong(start(node), "this is nested too deep");
    },
  });
}

function mappingOf(document: yaml.Document.Parsed, name: string): Configuration["values"] {
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  if (value === null || value === undefined) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Configuration["values"];
  throw failure("invalid_option", `${name} must hold options and their values, such as "model: claude-haiku-4-5".`);
}

/** Where a name or the value under it begins; what is missing is told at what holds it. */
function offsetOf(document: yaml.Document.Parsed, path: readonly string[], part: "name" | "value"): number {
  const { isMap, isNode, isScalar, isSeq } = load("yaml") as typeof yaml;
  let node: unknown = document.contents;
  let name: unknown;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
      if (pair === undefined) break;
      name = pair.key;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      name = undefined;
    } else break;
  }
  const asked = part === "name" ? [name, node] : [node, name];
  for (const one of asked) if (isNode(one) && one.range) return one.range[0];
  return 0;
}
