/** What a format makes of bytes: this is all that `read()` knows of it. */

import type { MillraceError } from "../errors.ts";
import type { Source } from "../record.ts";

/** A record with the place where it stood, or why there is none. */
export type Found =
  | { readonly fault?: undefined; readonly record: object; readonly source: Source | null }
  | {
      readonly fault: MillraceError;
      /** What was read instead, or null; `raw` then begins as the text did. */
      readonly record: unknown;
      readonly raw?: string;
      readonly source: Source | null;
    };

/**
 * Takes the chunks of one input in order. What is found may be worked out as it is asked for; all of it is taken before
 * the next chunk comes. An iterator that throws ends the source once what came before is taken.
 */
export interface RecordParser {
  push(chunk: Buffer): Iterator<Found, void, undefined>;
  end(): Iterator<Found, void, undefined> | Promise<Iterator<Found, void, undefined>>;
  /** In place of `end` where the input breaks off: what is complete but was still looked at. */
  broken?(): Promise<Iterator<Found, void, undefined>>;
}

export interface ParserLimits {
  readonly maxLineBytes: number;
  readonly maxDepth: number;
}

/** As many bytes as a dead letter shows. */
export const SHOWN_BYTES = 1_024;
