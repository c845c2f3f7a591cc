/** What the model says: free text or JSON that fits the schema, its end, and what it costs. */

import type { Ask } from "../ask.ts";
import { tokensOf } from "../ask.ts";
import { growValue } from "./grow.ts";
import { spoil } from "./spoil.ts";
import { markOf, prose } from "./strings.ts";

/** `filter`: cut by the vendor's content filter. */
export type Finish = "stop" | "length" | "refusal" | "filter";

export interface Answer {
  readonly text: string;
  readonly finish: Finish;
  readonly model: string;
  readonly usage: { readonly input: number; readonly cached: number; readonly output: number };
}

/** How an answer is to go wrong; undefined: not at all. */
export type Twist = "wrongSchema" | "maxTokensCut" | "refusal" | "filter" | undefined;

export interface AnswerOptions {
  /** Output tokens at least. */
  readonly outputTokens: number;
  /** Input tokens read from the cache at most. */
  readonly cachedTokens: number;
  readonly twist: Twist;
}

/** Characters of a free-text answer when no length is asked for. */
const PROSE = 160;

/** The answer that this request always gets, but for its twist. */
export function answerTo(ask: Ask, { outputTokens, cachedTokens, twist }: AnswerOptions): Answer {
  const said = say(ask, outputTokens, twist);
  const most = ask.maxTokens ?? Number.POSITIVE_INFINITY;
  const needed = Math.max(tokensOf(said.text.length), twist === "refusal" ? 0 : outputTokens, 1);
  const cut = twist === "maxTokensCut" || needed > most;
  // Half of the text at most: a JSON text cut there is never whole.
  const text = cut ? said.text.slice(0, Math.min(said.text.length >> 1, most * 4)) : said.text;
  const output = cut ? Math.min(most, Math.max(1, needed >> (needed > most ? 0 : 1))) : needed;
  return {
    text,
    finish: cut ? "length" : said.finish,
    model: ask.model,
    usage: { input: ask.inputTokens, cached: Math.min(cachedTokens, ask.inputTokens), output },
  };
}

function say(ask: Ask, outputTokens: number, twist: Twist): { text: string; finish: Finish } {
  if (twist === "refusal") return { text: `I'm sorry, I can't help with that. ${markOf(ask)}`, finish: "refusal" };
  if (twist === "filter") return { text: "", finish: "filter" };
  if (ask.schema === undefined) return { text: prose(ask, "", Math.max(PROSE, outputTokens * 4)), finish: "stop" };
  const value = growValue(ask.schema, ask);
  const spoiled = twist === "wrongSchema" ? spoil(value, ask.schema, ask) : undefined;
  return { text: JSON.stringify(spoiled ?? value), finish: "stop" };
}

/** Whether `wrongSchema` has something to break. */
export function canSpoil(ask: Ask): boolean {
  return ask.schema !== undefined && spoil(growValue(ask.schema, ask), ask.schema, ask) !== undefined;
}
