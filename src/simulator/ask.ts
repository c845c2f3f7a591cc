/** A request as the simulator sees it, whatever the vendor: what is asked, by which text, and how long it is. */

import { fingerprint } from "./hash.ts";

export type JsonObject = { readonly [key: string]: unknown };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What a vendor's reader takes out of a request body. */
export interface Wire {
  readonly model: string;
  readonly system: string;
  readonly turns: readonly { readonly role: string; readonly text: string }[];
  /** The JSON Schema that the answer must fit; undefined for free text. */
  readonly schema: JsonObject | undefined;
  /** The vendor was asked to hold the schema to its strict subset. */
  readonly strict: boolean;
  readonly maxTokens: number | undefined;
  readonly stream: boolean;
  /** Usage is wanted at the end of a stream (`stream_options.include_usage`). */
  readonly includeUsage: boolean;
}

export interface Ask extends Wire {
  /** Stands for the first user message: the same for every attempt, and for a re-ask that adds messages to it. */
  readonly text: string;
  /** What a test planted to find its record again, see `plantedId`. */
  readonly id: string | null;
  /** Every user message, for the markers that decide an outcome. */
  readonly userText: string;
  readonly inputTokens: number;
}

/** About four characters a token, as the vendors' own rules of thumb have it. */
export const tokensOf = (characters: number): number => Math.ceil(characters / 4);

/** The first `[[id:XYZ]]` of a text, or else its first `"id": "XYZ"` (or `"id": 12`). */
function plantedId(text: string): string | null {
  const found = /\[\[id:([^\]]{1,200})\]\]/.exec(text) ?? /"id"\s*:\s*(?:"([^"]{1,200})"|(-?\d{1,20}))/.exec(text);
  return found?.[1] ?? found?.[2] ?? null;
}

export function askOf(wire: Wire): Ask {
  const users = wire.turns.filter((turn) => turn.role === "user").map((turn) => turn.text);
  const characters = wire.turns.reduce((sum, turn) => sum + turn.text.length, wire.system.length);
  // The vendors put the schema before the model too, so it is paid for.
  const schema = wire.schema === undefined ? 0 : JSON.stringify(wire.schema).length;
  // The first message and not the last: a re-ask's last message says the same for every record.
  const first = users[0] ?? "";
  return {
    ...wire,
    text: fingerprint(first),
    id: plantedId(first),
    userText: users.length === 1 ? first : users.join("\n"),
    inputTokens: tokensOf(characters + schema) + 4 * wire.turns.length,
  };
}

/** A message's text: a string, or the text parts of an array. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: unknown) => (isObject(part) && typeof part.text === "string" ? part.text : "")).join("");
}

/** The turns of a `messages` array; undefined when it is not one. */
export function turnsOf(messages: unknown): { role: string; text: string }[] | undefined {
  if (!Array.isArray(messages) || messages.length === 0) return undefined;
  const turns: { role: string; text: string }[] = [];
  for (const message of messages as readonly unknown[]) {
    if (!isObject(message) || typeof message.role !== "string") return undefined;
    turns.push({ role: message.role, text: textOf(message.content) });
  }
  return turns;
}

/** Where JSON is asked for without a schema, any object will do. */
export const ANY_OBJECT: JsonObject = {
  type: "object",
  properties: { answer: { type: "string" } },
  required: ["answer"],
};

export const numberOr = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
