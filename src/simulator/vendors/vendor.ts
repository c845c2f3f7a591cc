/** The shape of a vendor: how it reads requests, words answers and problems, and tells its limits. */

import type { Answer } from "../answers/answer.ts";
import type { Ask, JsonObject, Wire } from "../ask.ts";
import type { Problem, ProblemReply } from "../problem.ts";
import type { Need, Quota } from "../traffic/quota.ts";

export type Vendor = "anthropic" | "openai" | "mistral";

/** Request headers, lower case, as node:http gives them. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What makes one call's answer differ from the next one's. */
export interface Stamp {
  /** The call's id, hexadecimal, 24 digits. */
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
}

/** One endpoint that answers questions. */
export interface Endpoint {
  read(body: JsonObject, headers: RequestHeaders): Wire | Problem;
  /** The whole answer as the body of a 200. */
  body(answer: Answer, stamp: Stamp): object;
  /** The answer as server-sent events, each ready to be written. */
  events(answer: Answer, ask: Ask, stamp: Stamp): string[];
  /** What a stream says when the server fails in the middle of it. */
  errorEvent(problem: Problem, stamp: Stamp): string;
}

export interface VendorFace {
  readonly vendor: Vendor;
  /** The key that came with the request. */
  key(headers: RequestHeaders): string | undefined;
  problem(problem: Problem, stamp: Stamp): ProblemReply;
  /** Headers that every answer carries. */
  idHeaders(stamp: Stamp): Record<string, string>;
  /** Headers that an answer of this status carries besides. */
  statusHeaders(status: number): Record<string, string>;
  /** Retry-After as this vendor sends it; `wait` in ms. */
  retryHeaders(wait: number): Record<string, string>;
  limitHeaders(quota: Quota, now: number, used: { readonly tokens: number }): Record<string, string>;
  /** What a call takes of the limits when it is admitted. */
  need(ask: Ask, cached: number): Need;
  /** What it takes of the limit on all tokens once its output is known. */
  settled(outputTokens: number): number;
  /** What is wrong with a schema in this vendor's strict subset; undefined when nothing is. */
  refuseSchema(ask: Wire): Problem | undefined;
  /** The body of `GET /v1/models`. */
  models(names: readonly string[]): object;
  /** One entry of it. */
  model(name: string): object;
  /** Listed when the simulator was given no models. */
  readonly defaultModels: readonly string[];
}

/** One server-sent event. */
export const event = (data: object | string, name?: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;

/** A text in pieces of about four tokens, never through the middle of a character. */
export const pieces = (text: string): string[] => text.match(/.{1,16}/gsu) ?? [];

/** The token of `Authorization: Bearer`. */
export function bearer(headers: RequestHeaders): string | undefined {
  const value = headers.authorization;
  return typeof value === "string" ? (/^Bearer\s+(.+)$/i.exec(value)?.[1] ?? undefined) : undefined;
}
