/**
 * One limit that the provider tells, as a bucket of our own: filled by its rate, emptied by what we send, set right by what
 * each answer says is left. Answers tell late and some round, so they lower at once and raise only together.
 */

import type { LimitKind } from "./amounts.ts";
import { Bucket } from "./bucket.ts";
import type { Told } from "./told.ts";

/** What was sent so far, of one kind and as we count. */
export interface Ledger {
  spent: number;
  /** Of that: what the provider will take only when the answers are complete. */
  late: number;
  /** By how much answers differed from what was expected of them, summed up. */
  corrected: number;
}

/** How things stood when a call had been started. */
export interface Mark {
  readonly at: number;
  readonly spent: number;
  /** Of the bucket; undefined when the limit was not known yet. */
  readonly level: number | undefined;
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

/** Answers are compared with our own count over so long at least, ms. */
const WINDOW = 300;
const LEAST_ANSWERS = 3;

/** Answers over which the provider's count and ours are compared. */
const LEAST_CALLS = 10;

/** Where the provider rounds: so many times the rounding must have been drawn. */
const LEAST_STEPS = 10;

/** A difference that may be one of rounding or of the moment, as a part. */
const TOLERANCE = 0.2;

/** How much of a later comparison is believed. */
const CALIBRATION = 0.5;

/** How wrong our count of a call may be found to be. */
const LEAST_FACTOR = 0.01;
const MOST_FACTOR = 10;

/** Below this part of the highest level seen, the provider's bucket is surely not full, so that nothing overflows. */
const SURELY_FILLING = 0.9;

/** Where a comparison of the provider's count with ours began. */
interface Anchor {
  readonly at: number;
  readonly remaining: number;
  readonly drawn: number;
  readonly corrected: number;
  readonly filling: boolean;
}

export class ToldLimit {
  readonly kind: LimitKind;
  readonly #bucket: Bucket;
  readonly #ledger: Ledger;
  /** What a unit of ours is in the provider's count. */
  #factor: number;
  #calibrations = 0;
  #window: number;
  #known = false;
  #least = Number.POSITIVE_INFINITY;
  #answers = 0;
  #since: number;
  #anchor: Anchor | undefined;
  #answersSinceAnchor = 0;
  readonly #learned: { readonly at: number; readonly spent: number };

  /**
   * @param keys other keys' lanes may draw on the same quota, until it shows that they do not: a call of ours then costs
   * as much as one of each of them
   */
  constructor(told: Told, { ledger, keys, now }: { ledger: Ledger; keys: number; now: number }) {
    this.#factor = keys;

    this.kind = told.kind;
    this.#ledger = ledger;
    this.#window = told.window;
    const perMinute = (told.limit * 60_000) / told.window;
    // Until it is known what is left: a second's worth.
    const first = Math.max(1, perMinute / 60);
    this.#bucket = new Bucket(perMinute, { capacity: first, level: first, now });
    this.#since = now;
    this.#learned = { at: now, spent: ledger.spent };
  }

  get perMinute(): number {
    return this.#bucket.perMinute;
  }

  /** How many times as much as we send is taken from the limit; undefined: not known yet. */
  get factor(): number | undefined {
    return this.#calibrations < 2 ? undefined : this.#factor;
  }

  use(now: number): LimitUse {
    const spent = (this.#ledger.spent - this.#learned.spent) * this.#factor;
    const { kind, perMinute } = this;
    return useOf({ kind, from: "provider", perMinute }, spent, now - this.#learned.at);
  }

  level(now: number): number {
    return this.#bucket.level(now);
  }

  wait(amount: number, now: number): number {
    return this.#bucket.wait(amount * this.#factor, now);
  }

  /** Takes an amount as we count it; a negative one gives back. */
  take(amount: number, now: number): void {
    this.#bucket.take(amount * this.#factor, now);
  }

  /** Takes in what an answer tells. @param mark how this limit stood when that call had been started */
  told(told: Told, mark: Mark, now: number): void {
    this.#window = Math.min(this.#window, told.window);
    const perMinute = (told.limit * 60_000) / this.#window;
    const { remaining } = told;
    const capacity = Math.max(this.#known ? this.#bucket.capacity : 0, remaining ?? 0, 1);
    if (perMinute !== this.perMinute || (remaining !== undefined && capacity !== this.#bucket.capacity)) {
      this.#bucket.tune(perMinute, remaining === undefined ? this.#bucket.capacity : capacity, now);
    }
    if (remaining === undefined) return;
    // Rounded to the nearest: half a step may not be there. What answers in flight will take is still to come.
    const left = remaining - (told.step > 1 ? told.step / 2 : 0) - this.#ledger.late * this.#factor;
    if (!this.#known) this.#first(left, mark, now);
    else if (mark.level !== undefined) this.#compare(left, { ...mark, level: mark.level }, { now, step: told.step });
    this.#calibrate(remaining, told.step, now);
  }

  #first(left: number, mark: Mark, now: number): void {
    this.#known = true;
    // Calls sent after this one may have been counted by then, or not.
    const since = (this.#ledger.spent - mark.spent) * this.#factor;
    const refilled = ((now - mark.at) * this.perMinute) / 60_000;
    this.#bucket.set(Math.min(left, left + refilled - since), now);
    this.#restart(now);
  }

  /** An answer may tell how it was when the call came, or when it left: only what holds for both is believed. */
  #compare(
    left: number,
    mark: { readonly at: number; readonly level: number },
    { now, step }: { now: number; step: number },
  ): void {
    const level = this.#bucket.level(now);
    const missing = Math.min(mark.level, level) - left;
    if (missing > step) {
      this.#bucket.set(level - missing, now);
      this.#restart(now);
      return;
    }
    // Calls from before the comparison began knew of none of it.
    if (mark.at < this.#since) return;
    this.#answers++;
    this.#least = Math.min(this.#least, left - step / 2 - Math.max(mark.level, level));
    if (this.#answers < LEAST_ANSWERS || now - this.#since < WINDOW) return;
    if (this.#least > 0) this.#bucket.set(level + this.#least, now);
    this.#restart(now);
  }

  #restart(now: number): void {
    this.#since = now;
    this.#answers = 0;
    this.#least = Number.POSITIVE_INFINITY;
  }

  /**
   * The provider's count over a while against ours. It may count other things than we do, or others may use the key: then
   * a call of ours costs more of what is left, and they get their share.
   */
  #calibrate(remaining: number, step: number, now: number): void {
    const filling = remaining < this.#bucket.capacity * SURELY_FILLING;
    const { spent, late, corrected } = this.#ledger;
    const drawn = spent - late;
    const from = this.#anchor;
    this.#answersSinceAnchor++;
    if (from !== undefined) {
      const enough = this.#answersSinceAnchor >= LEAST_CALLS && now - from.at >= WINDOW;
      // Rounding must not pass for a difference.
      if (!enough || (step > 1 && (drawn - from.drawn) * this.#factor < LEAST_STEPS * step)) return;
    }
    this.#anchor = { at: now, remaining, drawn, corrected, filling };
    this.#answersSinceAnchor = 0;
    if (from === undefined) return;
    const theirs = from.remaining - remaining + ((now - from.at) * this.perMinute) / 60_000;
    const ours = drawn - from.drawn;
    // While estimates are still being learned, the difference is theirs.
    if (ours <= 0 || theirs <= 0 || corrected - from.corrected > TOLERANCE * ours) return;
    const found = Math.min(MOST_FACTOR, Math.max(LEAST_FACTOR, theirs / ours));
    if (Math.abs(found - this.#factor) < TOLERANCE * this.#factor) {
      this.#calibrations++;
      return;
    }
    // Of a bucket that was full something ran over: it took less than that.
    if (!(filling && from.filling) && found > this.#factor) return;
    this.#factor += (found - this.#factor) * (this.#calibrations === 0 ? 1 : CALIBRATION);
    this.#calibrations++;
  }
}
