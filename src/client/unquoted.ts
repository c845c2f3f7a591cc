/** Providers may quote a request in what they say of it; our messages never repeat an article's text. */

import type { MillraceError } from "../errors.ts";
import type { ModelRequest } from "../providers/provider.ts";

/** So many characters alike are a quotation; fewer may be chance, or a name that the message needs. */
const QUOTED = 24;

/** The same error, with what its message quotes of the request's messages left out. */
export function unquoted(error: MillraceError, request: ModelRequest): MillraceError {
  const text = request.messages.map(({ content }) => content.replace(/\s+/g, " ")).join("\n");
  let kept = "";
  for (let at = 0; at < error.message.length; ) {
    const length = quotedAt(error.message, at, text);
    kept += length === 0 ? error.message[at] : "…";
    at += length || 1;
  }
  error.message = kept;
  return error;
}

function quotedAt(message: string, at: number, text: string): number {
  let length = QUOTED;
  if (at + length > message.length || !text.includes(message.slice(at, at + length))) return 0;
  while (at + length < message.length && text.includes(message.slice(at, at + length + 1))) length++;
  return length;
}
