/** A limit that whoever runs this has set. */

import type { LimitKind } from "./amounts.ts";
import { Bucket } from "./bucket.ts";
import { type Ledger, type LimitUse, useOf } from "./ledger.ts";

/** So many ms' worth may start at once. */
const BURST = 1_000;

export class OwnLimit extends Bucket {
  readonly kind: LimitKind;
  readonly #ledger: Ledger;
  readonly #set: { readonly at: number; readonly spent: number };

  constructor(kind: LimitKind, perMinute: number, { ledger, now }: { ledger: Ledger; now: number }) {
    const capacity = Math.max(1, (perMinute * BURST) / 60_000);
    super(perMinute, { capacity, level: capacity, now });
    this.kind = kind;
    this.#ledger = ledger;
    this.#set = { at: now, spent: ledger.spent };
  }

  use(now: number): LimitUse {
    const { kind, perMinute } = this;
    return useOf({ kind, from: "own", perMinute }, this.#ledger.spent - this.#set.spent, now - this.#set.at);
  }
}
