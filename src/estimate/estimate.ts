/** What a run will take, from what was found out about its input: pure. */

import type { Limits } from "../limits/amounts.ts";
import { costOf, PRICES_DATE, type Price } from "../providers/prices.ts";
import type { Range } from "./output.ts";

/** Whom a run will ask, and how often. */
interface Calls {
  readonly provider: string;
  readonly model: string;
  /** Records read, and of those: what a filter left out, and what cannot be asked about. */
  readonly records: number;
  readonly dropped: number;
  readonly unusable: number;
  /** Records whose answer is stored. */
  readonly stored: number;
  /** Calls to be made: one for each other record. */
  readonly requests: number;
}

/** What a look at the input and the store has found. */
export interface Findings extends Calls {
  /** Of all calls together. */
  readonly inputTokens: Range;
  /** Of one call. */
  readonly outputTokens: Range;
  /** How often calls are repeated besides is not known before. */
  readonly price: Price | undefined;
  /** For each key. */
  readonly limits: Limits;
  readonly keys: number;
}

/** What a run will take. Tokens and cost are ranges that hold in ordinary runs; neither is a bound. */
export interface Estimate extends Calls {
  /** Both of all calls together. */
  readonly inputTokens: Range;
  readonly outputTokens: Range;
  /** US dollars; null: the model's price is not known. */
  readonly cost: Range | null;
  /** The day of the price data; null: it rests on none. */
  readonly pricesDate: string | null;
  /** The least time that the given limits leave; null: none was given. */
  readonly atLeastMs: number | null;
  /** The limit that sets it. */
  readonly limitedBy: { readonly kind: keyof Limits; readonly perMinute: number } | null;
}

export function estimated(found: Findings): Estimate {
  const { provider, model, records, dropped, unusable, stored, requests, price } = found;
  const inputTokens = whole(found.inputTokens);
  const outputTokens = whole({
    low: requests * found.outputTokens.low,
    high: requests * found.outputTokens.high,
  });
  const facts = { provider, model, records, dropped, unusable, stored, requests, inputTokens, outputTokens };
  const cost = price && { low: costFor(found, price, "low"), high: costFor(found, price, "high") };
  const slowest = slowestOf(found, outputTokens);
  return {
    ...facts,
    cost: cost ?? null,
    pricesDate: price?.date === undefined ? null : PRICES_DATE,
    atLeastMs: slowest?.ms ?? null,
    limitedBy: slowest && { kind: slowest.kind, perMinute: slowest.perMinute },
  };
}

const whole = ({ low, high }: Range): Range => ({ low: Math.floor(low), high: Math.ceil(high) });

/** By the mean call, since prices may rise with a call's length. */
function costFor({ requests, inputTokens, outputTokens }: Findings, price: Price, end: "low" | "high"): number {
  if (requests === 0) return 0;
  const call = { inputTokens: inputTokens[end] / requests, outputTokens: outputTokens[end] };
  return Number((requests * costOf(price, call)).toFixed(9));
}

const MINUTE = 60_000;

/** So much of a given limit may be used at once, ms, and one request at least (`limits/own-limit.ts`). */
const BURST = 1_000;

function slowestOf({ requests, inputTokens, limits, keys }: Findings, output: Range) {
  const amounts = {
    requests,
    input: inputTokens.low,
    output: output.low,
    tokens: inputTokens.low + output.low,
  };
  let slowest: { readonly kind: keyof Limits; readonly perMinute: number; readonly ms: number } | null = null;
  for (const kind of ["requests", "input", "output", "tokens"] as const) {
    const each = limits[kind];
    if (each === undefined) continue;
    const perMinute = each * keys;
    const atOnce = kind === "requests" ? keys * Math.max(1, (each * BURST) / MINUTE) : (perMinute * BURST) / MINUTE;
    const ms = Math.max(0, Math.round(((amounts[kind] - atOnce) / perMinute) * MINUTE));
    if (slowest === null || ms > slowest.ms) slowest = { kind, perMinute, ms };
  }
  return slowest;
}
