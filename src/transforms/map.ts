/** A function as a stage. */

import type { Writable } from "node:stream";
import { checkKeys } from "../options.ts";
import type { Article } from "../record.ts";
import { Each, Outputs } from "./each.ts";
import { called, given } from "./functions.ts";

export interface FunctionStageOptions {
  /** Where failed records go when the stage runs outside our `pipeline()`. Whoever made it ends it. */
  readonly deadLetters?: Writable;
}

const KNOWN = ["deadLetters"] as const satisfies readonly (keyof FunctionStageOptions)[];

/**
 * One record in, one out, in order, one at a time; async functions are awaited. The function may return `drop`. One that
 * throws, or returns `undefined` or `null`, has failed for that record, which goes to the dead letters.
 */
export function map<Input = Article>(fn: (record: Input) => unknown, options: FunctionStageOptions = {}): Each {
  checkKeys(options, KNOWN, "map()");
  return new Each("map", (record) => called("map", fn, record as Input), options.deadLetters);
}

/** One record in, as many out as the generator function yields. It must end by itself; its records are held until then. */
export function flatMap<Input = Article>(
  fn: (record: Input) => Iterable<unknown>,
  options: FunctionStageOptions = {},
): Each {
  checkKeys(options, KNOWN, "flatMap()");
  const each = (record: unknown) =>
    new Outputs(called("flatMap", (input: Input) => Array.from(fn(input), given("flatMap")), record as Input));
  return new Each("flatMap", each, options.deadLetters);
}
