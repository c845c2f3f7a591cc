/** What a format of text is to a sink. */

import { failure } from "../errors.ts";
import { jsonFault } from "../json.ts";

/** One document in the making: records go in, its text comes out piece by piece. */
export interface TextFormat {
  /**
   * The record's text, behind that of all records held before it; "" holds the record until a later one or the end.
   *
   * @throws `unserializable` for a record that the format cannot hold; the document goes on without it.
   */
  encode(record: unknown): string;
  /** What is still held, and what closes the document. */
  end(): string;
  /** Set by the sink: takes what the user should know though nothing has failed. */
  notify?: (message: string) => void;
}

/** @throws `unserializable` for what JSON, and so every format of text here, would drop or change in silence. */
export function checkJson(record: unknown, format: string): void {
  const fault = jsonFault(record);
  if (fault === undefined) return;
  throw failure("unserializable", `The record cannot be written as ${format}: ${fault.replace(/^: /, "it ")}.`);
}
