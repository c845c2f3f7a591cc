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

/** A running sum. */
export interface UsageTotal {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
}

export const noUsage = (): UsageTotal => ({ inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 });

export function addUsage(total: UsageTotal, usage: Usage): void {
  total.inputTokens += usage.inputTokens;
  total.outputTokens += usage.outputTokens;
  total.cacheReadTokens += usage.cacheReadTokens ?? 0;
  total.cacheWriteTokens += usage.cacheWriteTokens ?? 0;
}
