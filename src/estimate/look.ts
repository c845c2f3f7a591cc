/** Looks at each record of a run to come: what would be asked, how long it is, whether it is answered already. */

import { keyOf } from "../client/key.ts";
import type { AnswerCheck } from "../client/schema.ts";
import type { ModelRequest, Provider } from "../providers/provider.ts";
import type { Peek } from "../store/peek.ts";
import { outputBefore, outputOf, type Range } from "./output.ts";
import { Sample } from "./sample.ts";
import type { TokenCounter } from "./tokens.ts";

interface LookOptions {
  /** Who is asked, each once; the first one's tokens are counted. */
  readonly providers: readonly Provider[];
  readonly counter: TokenCounter;
  /** Count the tokens of every record. */
  readonly full: boolean;
  readonly store: Peek | undefined;
}

/** Answers of the past that are looked at. */
const PAST = 500;

/**
 * Tokens of thinking that a reasoning model may add to an answer, at its medium effort; they are billed as output. A range
 * seen in use, by no means a bound.
 */
const THINKING = 1_500;
const THINKS = /^(?:o\d|gpt-[5-9]|magistral)/;

export class Look {
  readonly #options: LookOptions;
  readonly #sample: Sample;
  readonly #constant = new Map<string, number>();
  /** Tokens that are the same for all, or nearly so: of systems, schemas and what is around. */
  #steady = 0;
  requests = 0;
  stored = 0;
  first: ModelRequest | undefined;

  constructor(options: LookOptions) {
    this.#options = options;
    this.#sample = new Sample({ whole: options.full });
  }

  add(request: ModelRequest): void {
    const { providers, counter, store } = this.#options;
    this.first ??= request;
    const limit = (provider: Provider) => request.maxOutputTokens ?? provider.maxOutputTokens;
    if (providers.some((one) => store?.answers(keyOf(one, request), limit(one)))) {
      this.stored++;
      return;
    }
    this.requests++;
    const { around } = counter;
    this.#steady += around.request + around.message * request.messages.length;
    if (request.schema !== undefined) this.#steady += this.#once(JSON.stringify(request.schema));
    if (request.system !== undefined) this.#steady += this.#once(request.system);
    const text = request.messages.map(({ content }) => content).join("\n");
    this.#sample.add(text.length, () => counter.count(text));
  }

  /** Systems are few; where each record has its own, it is counted each time. */
  #once(text: string): number {
    let tokens = this.#constant.get(text);
    if (tokens === undefined) {
      tokens = this.#options.counter.count(text);
      if (this.#constant.size < 8) this.#constant.set(text, tokens);
    }
    return tokens;
  }

  /** Of all calls together. */
  get inputTokens(): Range {
    const { tokens, error } = this.#sample.total;
    const total = tokens + this.#steady;
    const off = 2 * error + total * this.#options.counter.slack;
    return { low: Math.max(0, total - off), high: total + off };
  }

  /** Records whose tokens were counted. */
  get counted(): number {
    return this.#sample.total.counted;
  }

  /** Of one call, and whether answers of the past say so. */
  async outputTokens(check: AnswerCheck | undefined): Promise<Range & { readonly fromPast: boolean }> {
    const [{ name: provider, model, maxOutputTokens }] = this.#options.providers as [Provider];
    const limit = this.first?.maxOutputTokens ?? maxOutputTokens;
    const past = this.#options.store?.past({ provider, model, most: PAST }) ?? [];
    const fits = await Promise.all(past.map(({ text }) => answersSo(text, check)));
    const before = past.filter((_, at) => fits[at]).map(({ outputTokens }) => outputTokens);
    const learned = outputBefore(before, this.requests);
    if (learned !== undefined) return { ...within(learned, limit), fromPast: true };
    const { low, high } = outputOf(check?.jsonSchema);
    return { ...within({ low, high: high + (THINKS.test(model) ? THINKING : 0) }, limit), fromPast: false };
  }
}

const within = ({ low, high }: Range, limit: number): Range => ({
  low: Math.min(low, limit),
  high: Math.min(high, limit),
});

/** Answers to another question say nothing of this one's. */
async function answersSo(text: string, check: AnswerCheck | undefined): Promise<boolean> {
  return check === undefined ? !/^\s*[[{]/.test(text) : "value" in (await check.check(text));
}
