/** What an attempt takes of each limit, by each provider's own rules. */

import type { Usage } from "../usage.ts";
import type { Amounts } from "./amounts.ts";

/** An attempt before it is sent, in tokens. */
export interface Size {
  /** Of the input: an estimate. */
  readonly input: number;
  /** Of the output, as far as one can expect. */
  readonly output: number;
  /** The request's output limit. */
  readonly most: number;
}

export interface Need {
  readonly whole: Amounts;
  /** The part of `whole` that the provider takes only when the answer is complete. */
  readonly late: Amounts;
}

export interface Accounting {
  need(size: Size): Need;
  /** What an answered call has really taken. */
  taken(usage: Usage, need: Need): Amounts;
  /** Whether a refused call counts as a request. */
  readonly countsRefused: boolean;
}

const none: Amounts = { requests: 0, input: 0, output: 0, tokens: 0 };

/**
 * Anthropic: input that is not read from the cache when the call comes, output when it is known; the output limit of a
 * request counts nothing (docs, "Rate limits": "OTPM … max_tokens does not factor in").
 */
const anthropic: Accounting = {
  need: ({ input, output }) => ({
    whole: { requests: 1, input, output, tokens: input + output },
    late: { ...none, output, tokens: output },
  }),
  taken(usage) {
    const input = usage.inputTokens - (usage.cacheReadTokens ?? 0);
    return { requests: 1, input, output: usage.outputTokens, tokens: input + usage.outputTokens };
  },
  countsRefused: false,
};

/**
 * OpenAI: the larger of the output limit and the estimated input, when the call comes; unsuccessful requests count
 * (guide "Rate limits", "Reduce the max_tokens to match the size of your completions" and "Retrying").
 */
const openai: Accounting = {
  need: ({ input, output, most }) => ({
    whole: { requests: 1, input, output, tokens: Math.max(most, input) },
    late: { ...none, output },
  }),
  taken: (usage, { whole }) => ({
    requests: 1,
    input: usage.inputTokens,
    output: usage.outputTokens,
    tokens: Math.max(whole.tokens, usage.inputTokens),
  }),
  countsRefused: true,
};

/** Mistral, and whoever says nothing of it: input when the call comes, output when it is known, both together. */
const plain: Accounting = {
  need: ({ input, output }) => ({
    whole: { requests: 1, input, output, tokens: input + output },
    late: { ...none, output, tokens: output },
  }),
  taken: ({ inputTokens, outputTokens }) => ({
    requests: 1,
    input: inputTokens,
    output: outputTokens,
    tokens: inputTokens + outputTokens,
  }),
  countsRefused: false,
};

const BY_PROVIDER: Readonly<Record<string, Accounting>> = { anthropic, openai };

export const accountingOf = (provider: string): Accounting =>
  Object.hasOwn(BY_PROVIDER, provider) ? (BY_PROVIDER[provider] as Accounting) : plain;
