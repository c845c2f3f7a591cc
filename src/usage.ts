/** Tokens: what a call is billed by. */

/** Tokens billed. `inputTokens` is everything the model read, cached parts included. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Part of `inputTokens` read from the vendor's prompt cache. */
  readonly cacheReadTokens?: number;
  /** Part of `inputTokens` written to the vendor's prompt cache. */
  readonly cacheWriteTokens?: number;
}

/** All four numbers, always. */
export interface UsageTotal {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
}

export const noUsage = (): UsageTotal => ({ inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 });

/** The same usage with a number for each kind, so that all records that hold one have the same fields. */
export const wholeUsage = (usage: Usage): UsageTotal => {
  const total = noUsage();
  addUsage(total, usage);
  return total;
};

export function addUsage(total: UsageTotal, usage: Usage): void {
  total.inputTokens += usage.inputTokens;
  total.outputTokens += usage.outputTokens;
  total.cacheReadTokens += usage.cacheReadTokens ?? 0;
  total.cacheWriteTokens += usage.cacheWriteTokens ?? 0;
}

/** What a model costs, in US dollars for a million tokens. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
  /** Of input read from the vendor's prompt cache. Default: as `input`. */
  readonly cacheRead?: number;
  /** Of input written to the vendor's prompt cache. Default: as `input`. */
  readonly cacheWrite?: number;
}

/** Prices by the model's name; they go before those that are known. */
export type Prices = { readonly [model: string]: ModelPrice };

/** What calls have cost. */
export interface CostTally {
  /** By the usage that answers told, US dollars. */
  dollars: number;
  /** At most so much more: calls that ended without an answer (timed out, broken off) and may have been billed. */
  unheard: number;
  /** Calls that were, or may have been, billed at a price that is not known. */
  unpriced: number;
  /** The day of the price data that was used; undefined: none was. */
  pricesDate: string | undefined;
}

export const noCost = (): CostTally => ({ dollars: 0, unheard: 0, unpriced: 0, pricesDate: undefined });
