/** One account's limits: admits a call or says which limit stands in its way. The clock (ms) is passed in. */

import type { Limits } from "../options.ts";
import { Bucket } from "./bucket.ts";

export type LimitName = "requests" | "input" | "output" | "tokens";

/** How much a call takes of each limit when it is admitted. */
export interface Need {
  readonly input: number;
  readonly tokens: number;
}

/** Why a call was not admitted. */
export interface Shortage {
  readonly limit: LimitName;
  readonly perMinute: number;
  readonly used: number;
  readonly requested: number;
  /** Milliseconds; Infinity when the call asks for more than a minute's limit. */
  readonly wait: number;
}

/** A limit as the headers tell it. */
export interface Level {
  readonly perMinute: number;
  readonly remaining: number;
  /** Milliseconds until it is full again. */
  readonly reset: number;
}

const OPTIONS = {
  requests: "requestsPerMinute",
  input: "inputTokensPerMinute",
  output: "outputTokensPerMinute",
  tokens: "tokensPerMinute",
} as const satisfies Record<LimitName, keyof Limits>;
const NAMES = Object.keys(OPTIONS) as LimitName[];

export class Quota {
  #buckets = new Map<LimitName, Bucket>();

  constructor(limits: Limits, now: number) {
    this.tune(limits, now);
  }

  /** Changes the limits. What is left in a bucket stays, up to its new capacity; a new one is full. */
  tune(limits: Limits, now: number): void {
    const before = this.#buckets;
    this.#buckets = new Map();
    for (const name of NAMES) {
      const perMinute = limits[OPTIONS[name]];
      if (perMinute === undefined) continue;
      const capacity = Math.max(1, perMinute * (limits.burst ?? 1));
      const level = before.get(name)?.level(now);
      this.#buckets.set(name, new Bucket(perMinute, capacity, level === undefined ? { now } : { now, level }));
    }
  }

  /** Takes what the call needs, or takes nothing and names the limit with the longest wait. */
  admit(need: Need, now: number): Shortage | undefined {
    // Output is taken when it is known, so a call only has to find that bucket out of debt.
    const amounts: Record<LimitName, number> = { requests: 1, input: need.input, output: 0, tokens: need.tokens };
    let worst: Shortage | undefined;
    for (const [limit, bucket] of this.#buckets) {
      const wait = bucket.wait(amounts[limit], now);
      if (wait === 0 || (worst && worst.wait >= wait)) continue;
      const used = Math.round(bucket.perMinute - Math.max(0, bucket.level(now)));
      worst = { limit, perMinute: bucket.perMinute, used, requested: amounts[limit], wait };
    }
    if (worst) return worst;
    for (const [limit, bucket] of this.#buckets) bucket.take(amounts[limit], now);
    return undefined;
  }

  /** Takes the output that a call really had. `tokens` is 0 where the vendor reserved it before. */
  settle(amounts: { readonly output: number; readonly tokens: number }, now: number): void {
    this.#buckets.get("output")?.take(amounts.output, now);
    this.#buckets.get("tokens")?.take(amounts.tokens, now);
  }

  level(name: LimitName, now: number): Level | undefined {
    const bucket = this.#buckets.get(name);
    if (!bucket) return undefined;
    const remaining = Math.max(0, Math.floor(bucket.level(now)));
    return { perMinute: bucket.perMinute, remaining, reset: bucket.untilFull(now) };
  }
}
