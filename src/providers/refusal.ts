/** An answer that is no 2xx, read: what the vendor called it and what it said. */

import type { AnswerHeaders } from "../http/answer.ts";
import { retryAfterMs } from "../limits/retry-after.ts";
import { fieldsOf, isFields, listOf, textOf } from "./shape.ts";

export interface Refusal {
  /** Of one that came midway: what it would have been. */
  readonly status: number;
  /** It came inside a stream that had begun with a 200. */
  readonly midway?: boolean;
  readonly headers: AnswerHeaders;
  /** The vendor's name for the error, such as `rate_limit_error`. */
  readonly type: string | undefined;
  /** The vendor's sentence, whole; "" when it said none. */
  readonly message: string;
  /** Type, code, parameter and message in lower case, for the rules of `verdict.ts` to search. */
  readonly words: string;
  /** ms, from when the answer arrived. */
  readonly retryAfter: number | undefined;
}

/** So much of a body is read for its words; more is no error message. */
const LONGEST_READ = 20_000;

export function readRefusal(status: number, headers: AnswerHeaders, body: string): Refusal {
  const fields = parse(body);
  // Anthropic and OpenAI nest the error, Mistral does not; the gateways follow one or the other.
  const error = isFields(fields.error) ? fields.error : fields;
  const message = textOf(fields.error) ?? sentence(error) ?? (Object.keys(fields).length === 0 ? plain(body) : "");
  const type = [error.type, error.code, error.status]
    .map(textOf)
    .find((name) => name !== undefined && name !== "error");
  // A gateway's own message is "Provider returned error"; what the provider said is in `raw`.
  const said = [error.type, error.code, error.param, message, fieldsOf(error.metadata).raw];
  const words = said.filter((word) => typeof word === "string" || typeof word === "number").join(" ");
  return {
    status,
    headers,
    type,
    message,
    words: words.slice(0, LONGEST_READ).toLowerCase(),
    retryAfter: retryAfterMs(headers, Date.now()),
  };
}

function parse(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return { ...fieldsOf(Array.isArray(value) ? value[0] : value) };
  } catch {
    return {};
  }
}

function sentence(error: Record<string, unknown> | { readonly [key: string]: unknown }): string | undefined {
  return (
    textOf(error.message) ?? details(fieldsOf(error.message).detail) ?? textOf(error.detail) ?? details(error.detail)
  );
}

/** FastAPI's list of what is wrong. Its `input` is left out: it quotes the request. */
function details(detail: unknown): string | undefined {
  const said = listOf(detail).map((item) => {
    const { loc, msg } = fieldsOf(item);
    return `${listOf(loc).join(".")}: ${textOf(msg) ?? "not valid"}`;
  });
  return said.length === 0 ? undefined : said.join("; ");
}

/** What a page of a proxy says, without its markup. */
function plain(body: string): string {
  const head = body.slice(0, LONGEST_READ);
  return head.replace(/<(script|style)\b[\s\S]*?<\/\1>/gi, " ").replace(/<[^>]*>/g, " ");
}
