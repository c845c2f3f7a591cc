/**
 * One limit that the provider tells, as a bucket of our own: filled by its rate, emptied by what we send, set right by what
 * each answer says is left. Answers tell late and some round, so they lower at once and raise only together.
 */

import type { LimitKind } from "./amounts.ts";
import { Bucket } from "./bucket.ts";
import { Calibration } from "./calibration.ts";
import { type Ledger, type LimitUse, useOf } from "./ledger.ts";
import type { Told } from "./told.ts";

/** How things stood when a call had been started. */
export interface Mark {
  readonly at: number;
  readonly spent: number;
  /** Of the bucket; undefined when the limit was not known yet. */
  readonly level: number | undefined;
}

/** Answers are compared with our own count over so long at least, ms. */
const WINDOW = 300;
const LEAST_ANSWERS = 3;

/** Below this part of the highest level seen, the provider's bucket is surely not full, so that nothing overflows. */
const SURELY_FILLING = 0.9;
/** A provider's bucket holds what comes in so many ms at least, though it may never have been seen with so much. */
const HOLDS_MS = 100;

/** What is sent in so many ms is on its way: an answer's headers may not know of it. */
const UNDER_WAY = 100;

/**
 * So many calls' worth is left in it, and no more than comes back in so many ms: of an empty bucket the headers do not tell
 * how far it is below what we think.
 */
const SPARE_CALLS = 2;
const SPARE_MS = 100;

/** Where a refusal tells nothing, a limit is taken to be empty with so many calls' worth in it, by our count. */
const BY_OUR_COUNT = SPARE_CALLS + 2;

/** Refusals that take no longer, ms, speak of the moment when their call came. */
const AT_ONCE = 250;

/**
 * So many refusals in a row that a limit explains although it was set right after the one before, and no call that started
 * after the first of them is answered in so many times the time that answers take: something else refuses.
 */
const IN_VAIN = 4;
const LATE = 1.5;

/** What is empty time and again is left alone for so long at most, ms. */
const LONGEST_DEBT = 2_000;

export class ToldLimit {
  readonly kind: LimitKind;
  readonly #bucket: Bucket;
  readonly #ledger: Ledger;
  readonly #calibration: Calibration;
  #window: number;
  #known = false;
  #least = Number.POSITIVE_INFINITY;
  #answers = 0;
  #since: number;
  /** The highest levels of the last moments and of those before, and when the last ones began. */
  #high = Number.NEGATIVE_INFINITY;
  #highBefore = Number.NEGATIVE_INFINITY;
  #highSince = Number.NEGATIVE_INFINITY;
  #loweredAt = Number.NEGATIVE_INFINITY;
  /** Refusals in a row that it explained, and since when; how long the last answer took. */
  #inVain = 0;
  #vainSince = 0;
  #took = 0;
  readonly #learned: { readonly at: number; readonly spent: number };

  /**
   * @param keys other keys' lanes may draw on the same quota, until it shows that they do not: a call of ours then costs
   * as much as one of each of them
   */
  constructor(told: Told, { ledger, keys, now }: { ledger: Ledger; keys: number; now: number }) {
    this.#calibration = new Calibration(keys);
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
    return this.#calibration.sure ? this.#factor : undefined;
  }

  get #factor(): number {
    return this.#calibration.factor;
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
    const cost = amount * this.#factor;
    return this.#bucket.wait(cost + Math.min(SPARE_CALLS * cost, (SPARE_MS * this.perMinute) / 60_000), now);
  }

  /** Takes an amount as we count it; a negative one gives back. */
  take(amount: number, now: number): void {
    if (amount > 0) {
      if (now - this.#highSince > UNDER_WAY) {
        this.#highBefore = this.#high;
        this.#high = Number.NEGATIVE_INFINITY;
        this.#highSince = now;
      }
      this.#high = Math.max(this.#high, this.#bucket.level(now));
    }
    this.#bucket.take(amount * this.#factor, now);
  }

  /** The level before what is still on its way was sent. */
  #before(now: number): number {
    const level = this.#bucket.level(now);
    const ms = now - this.#highSince;
    if (ms > 2 * UNDER_WAY) return level;
    return Math.max(level, this.#high, ms > UNDER_WAY ? level : this.#highBefore);
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
    else this.#compare(left, mark, { now, step: told.step });
    // What was on its way when it was learned is not known.
    if (now - this.#learned.at <= UNDER_WAY) return;
    const holds = Math.max(this.#bucket.capacity, (HOLDS_MS * perMinute) / 60_000);
    const filling = remaining < holds * SURELY_FILLING;
    const underWay = this.#before(now) - this.#bucket.level(now);
    this.#calibration.compare({ remaining, perMinute, step: told.step, filling, underWay }, this.#ledger, now);
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
  #compare(left: number, { at, level: began }: Mark, { now, step }: { now: number; step: number }): void {
    if (began === undefined) return;
    const level = this.#bucket.level(now);
    const missing = Math.min(began, level) - left;
    if (missing > step) {
      this.#bucket.set(level - missing, now);
      this.#loweredAt = now;
      this.#restart(now);
      return;
    }
    // Calls from before the comparison began knew of none of it.
    if (at < this.#since) return;
    this.#answers++;
    this.#least = Math.min(this.#least, left - step / 2 - Math.max(began, this.#before(now)));
    if (this.#answers < LEAST_ANSWERS || now - this.#since < WINDOW) return;
    if (this.#least > 0) this.#bucket.set(level + this.#least, now);
    this.#restart(now);
  }

  #restart(now: number): void {
    this.#since = now;
    this.#answers = 0;
    this.#least = Number.POSITIVE_INFINITY;
  }

  /** A call that started then was answered. */
  answered(at: number, now: number): void {
    this.#took = now - at;
    if (at >= this.#vainSince) this.#inVain = 0;
  }

  /**
   * Whether it is for this limit that a call was refused: nothing was left for it, by the refusal's own headers, or by our
   * count where they say nothing. Then our count is set right.
   *
   * @param call.needs of this limit, as we count @param call.told what the refusal tells of it
   */
  emptied(call: { readonly needs: number; readonly told: Told | undefined }, mark: Mark, now: number): boolean {
    const { needs, told } = call;
    const cost = needs * this.#factor;
    // What it had started with: it took nothing.
    const level = mark.level === undefined ? undefined : mark.level + cost;
    const left = told?.remaining === undefined ? undefined : told.remaining - told.step / 2;
    if (left === undefined ? level === undefined || level > BY_OUR_COUNT * cost : left > needs) return false;
    if (level === undefined || mark.at < this.#loweredAt) return true;
    if (this.#inVain++ === 0) this.#vainSince = now;
    if (this.#inVain > IN_VAIN && now - this.#vainSince > this.#took * LATE) return false;
    // Less was left than it needs: when it came, or, if that was long ago, by now.
    const present = this.#bucket.level(now);
    const over = now - mark.at > AT_ONCE ? Math.min(level, present) : level;
    // While nothing is let through it is asked less and less often.
    const debt = Math.min(cost * (2 ** (this.#inVain - 1) - 1), (LONGEST_DEBT * this.perMinute) / 60_000);
    this.#bucket.set(present - Math.max(0, over) - debt, now);
    this.#loweredAt = now;
    this.#restart(now);
    return true;
  }

  /** Nothing will be let through until then. */
  drained(until: number, now: number): void {
    const refill = ((until - now) * this.perMinute) / 60_000;
    this.#bucket.set(Math.min(this.#bucket.level(now), -refill), now);
  }
}
