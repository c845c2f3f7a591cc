/** What the headers of an answer tell of limits, in all the vendors' names and formats. What is not understood is left out. */

import type { LimitKind } from "./amounts.ts";

/** One limit as an answer's headers tell it. */
export interface Told {
  /** Its name in the headers: two limits of one kind are told apart by it. */
  readonly name: string;
  readonly kind: LimitKind;
  /** A window's worth. */
  readonly limit: number;
  readonly remaining: number | undefined;
  /** The window's length in ms. */
  readonly window: number;
  /** To which multiple `remaining` is rounded. */
  readonly step: number;
}

export type LimitHeaders = Readonly<Record<string, string>>;

const MINUTE = 60_000;
const WINDOWS: Readonly<Record<string, number>> = {
  second: 1_000,
  minute: MINUTE,
  hour: 60 * MINUTE,
  day: 24 * 60 * MINUTE,
};

/** Anthropic rounds the tokens that remain to thousands (docs, "Rate limits", response headers). */
const ANTHROPIC_STEP = 1_000;

const ANTHROPIC: Readonly<Record<string, LimitKind>> = {
  requests: "requests",
  "input-tokens": "input",
  "output-tokens": "output",
  tokens: "tokens",
};

/** OpenAI's, Azure's, Groq's, Mistral's and Kong's words between or behind `limit` and the window. */
const WORDS: Readonly<Record<string, LimitKind>> = {
  "": "requests",
  req: "requests",
  requests: "requests",
  "project-requests": "requests",
  tokens: "tokens",
  "project-tokens": "tokens",
  "input-tokens": "input",
  "output-tokens": "output",
};

const LIMIT_NAME = /^(anthropic-ratelimit-([a-z-]+)-limit|(?:x-)?ratelimit(bysize)?-limit(?:-([a-z-]+))?)$/;

/** @param now ms since the epoch */
export function readTold(headers: LimitHeaders, now: number): readonly Told[] {
  const told: Told[] = [];
  for (const name of Object.keys(headers)) {
    const [, , anthropic, bySize, words = ""] = LIMIT_NAME.exec(name) ?? [];
    if (!name.includes("ratelimit") || !LIMIT_NAME.test(name)) continue;
    const one = anthropic === undefined ? plain(name, bySize, words) : ofAnthropic(anthropic);
    if (one === undefined) continue;
    const limit = whole(headers[name]);
    const remaining = whole(headers[one.remaining]);
    if (limit === undefined || limit <= 0) continue;
    const reset = resetMs(headers[one.reset], now);
    told.push({
      name,
      kind: one.kind,
      limit,
      remaining,
      window: one.window ?? windowOf(limit, remaining, reset),
      step: one.step,
    });
  }
  // The combined set repeats whichever of the two is tighter; it is a limit of its own only where it stands alone.
  const split = told.some(({ kind }) => kind === "input" || kind === "output");
  return split ? told.filter(({ kind }) => kind !== "tokens") : told;
}

interface Named {
  readonly kind: LimitKind;
  readonly remaining: string;
  readonly reset: string;
  readonly window: number | undefined;
  readonly step: number;
}

function ofAnthropic(words: string): Named | undefined {
  if (!Object.hasOwn(ANTHROPIC, words)) return undefined;
  const kind = ANTHROPIC[words] as LimitKind;
  const of = (what: string) => `anthropic-ratelimit-${words}-${what}`;
  const step = kind === "requests" ? 1 : ANTHROPIC_STEP;
  return { kind, remaining: of("remaining"), reset: of("reset"), window: MINUTE, step };
}

function plain(name: string, bySize: string | undefined, words: string): Named | undefined {
  const parts = words === "" ? [] : words.split("-");
  const last = parts.at(-1) ?? "";
  // A month's or another window's limit is not for pacing: when it is used up, the refusals say so.
  if (last === "month" || last === "year") return undefined;
  const window = Object.hasOwn(WINDOWS, last) ? WINDOWS[last] : undefined;
  const what = (window === undefined ? parts : parts.slice(0, -1)).join("-");
  const kind = bySize === undefined ? (Object.hasOwn(WORDS, what) ? WORDS[what] : undefined) : "tokens";
  if (kind === undefined) return undefined;
  const of = (word: string) => name.replace("-limit", `-${word}`);
  return { kind, remaining: of("remaining"), reset: of("reset"), window, step: 1 };
}

/** The first number: drafts of the IETF's `RateLimit` fields put their policies behind it. */
function whole(text: string | undefined): number | undefined {
  const digits = /^\s*(\d{1,15})\s*(?:[,;]|$)/.exec(text ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits);
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: MINUTE, h: 60 * MINUTE, d: 24 * 60 * MINUTE };
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/;
const NUMBER = /^\d{1,15}(?:\.\d+)?$/;

/** A duration (`6m0s`, `120ms`), a date (RFC 3339), seconds from now, or seconds or ms since the epoch, by its size. */
export function resetMs(text: string | undefined, now: number): number | undefined {
  const given = text?.trim() ?? "";
  if (DURATION.test(given)) {
    const parts = given.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g);
    return [...parts].reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ""] ?? 0), 0);
  }
  if (DATE.test(given)) return Math.max(0, Date.parse(given) - now);
  if (!NUMBER.test(given)) return undefined;
  const value = Number(given);
  if (value < 1e9) return value * 1_000;
  return Math.max(0, value < 1e11 ? value * 1_000 - now : value - now);
}

/**
 * Limits are a minute's, but some are a day's under the same names (OpenAI's lower tiers, Groq): the time until a bucket
 * is full again tells them apart. A server that tells the end of its window instead looks longer at first, not later.
 */
function windowOf(limit: number, remaining: number | undefined, reset: number | undefined): number {
  if (remaining === undefined || reset === undefined || remaining >= limit) return MINUTE;
  const length = (reset * limit) / (limit - remaining);
  const longer = [WINDOWS.hour as number, WINDOWS.day as number];
  return longer.find((window) => length > window / 1.5 && length < window * 1.5) ?? MINUTE;
}
