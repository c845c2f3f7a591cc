/** What was sent, and how far limits were used by it. */

import type { LimitKind } from "./amounts.ts";

/** What was sent so far, of one kind and as we count. */
export interface Ledger {
  spent: number;
  /** Of that: what the provider will take only when the answers are complete. */
  late: number;
  /** By how much answers differed from what was expected of them, summed up. */
  corrected: number;
}

/** A limit, and how far it was used since it became known. */
export interface LimitUse {
  readonly kind: LimitKind;
  /** `provider`: as it tells it. `own`: one of ours. */
  readonly from: "provider" | "own";
  readonly perMinute: number;
  /** Taken of it since, as the provider counts. */
  readonly spent: number;
  /** 1: to the brim. */
  readonly used: number;
}

/** What was taken of a limit in so many ms. */
export function useOf(limit: Pick<LimitUse, "kind" | "from" | "perMinute">, spent: number, ms: number): LimitUse {
  const { kind, from, perMinute } = limit;
  const allowed = (ms * perMinute) / 60_000;
  const used = allowed <= 0 ? 0 : Math.round((spent / allowed) * 1_000) / 1_000;
  return { kind, from, perMinute: Math.round(perMinute), spent: Math.round(spent), used };
}
