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
