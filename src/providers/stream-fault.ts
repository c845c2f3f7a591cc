/** Errors that come inside a stream, after a 200: told apart by the same rules as those that come instead of an answer. */

import type { MillraceError } from "../errors.ts";
import type { AnswerHeaders } from "../http/answer.ts";
import { refused } from "./failure.ts";
import { readRefusal } from "./refusal.ts";
import type { Settings } from "./settings.ts";
import { type Fields, fieldsOf, isFields } from "./shape.ts";

export interface StreamEvent {
  /** The event's name, where it has one. */
  readonly name: string | undefined;
  readonly data: unknown;
  /** `data` before it was parsed. */
  readonly text: string;
}

/**
 * The status that the vendor's name for an error has elsewhere. Anthropic's and OpenAI's pages on errors, Mistral's error
 * glossary, 2026-11; the first that the error's type, code and status hold.
 */
const STATUS: readonly (readonly [RegExp, number])[] = [
  [/overloaded/, 529],
  [/insufficient_quota|rate_?limit|^requests$|^tokens$|too_many_requests/, 429],
  [/authentication|invalid_api_key|unauthorized/, 401],
  [/billing|payment/, 402],
  [/permission|forbidden/, 403],
  [/not_found/, 404],
  [/too_large/, 413],
  [/unavailable/, 503],
  [/invalid|context_length|content_|moderation|safety|unsupported/, 400],
];

/** A name that says nothing is a fault of the server's: it had taken the request. */
const FAULT_OF_THE_SERVER = 500;

/** The error that an event tells of, if it does. */
export function interruption(
  event: StreamEvent,
  headers: AnswerHeaders,
  settings: Settings,
): MillraceError | undefined {
  const error = errorIn(event);
  if (error === undefined) return undefined;
  const text = isFields(error) ? JSON.stringify({ error }) : event.text;
  return refused({ ...readRefusal(statusOf(fieldsOf(error)), headers, text), midway: true }, settings);
}

/**
 * `event: error`; Anthropic's and the gateways' `error`; Mistral's and vLLM's `object: "error"`; a failed response of
 * OpenAI's. True for an event that is an error without saying which.
 */
function errorIn({ name, data }: StreamEvent): Fields | true | undefined {
  const fields = fieldsOf(data);
  if (isFields(fields.error)) return fields.error;
  if (fields.type === "response.failed") {
    const { error } = fieldsOf(fields.response);
    return isFields(error) ? error : true;
  }
  if (fields.object === "error" || fields.type === "error") return fields;
  if (name === "error" || (typeof fields.error === "string" && fields.error !== "")) return true;
  return undefined;
}

function statusOf(error: Fields): number {
  const told = [error.raw_status_code, error.status_code, error.status, error.code].map(Number);
  const status = told.find((number) => Number.isInteger(number) && number >= 400 && number <= 599);
  if (status !== undefined) return status;
  const names = [error.code, error.type, error.status].filter((name) => typeof name === "string");
  const known = STATUS.find(([pattern]) => names.some((name) => pattern.test(name.toLowerCase())));
  return known?.[1] ?? FAULT_OF_THE_SERVER;
}
