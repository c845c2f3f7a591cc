/**
 * What a unit of ours is in a provider's count. It may count other things than we do, or others may use the key: then a
 * call of ours costs more of what is left, and they get their share.
 */

import type { Ledger } from "./ledger.ts";

/** The provider's count and ours are compared over so many answers and ms at least. */
const LEAST_CALLS = 5;
const LEAST_MS = 100;

/** A moment that is so many times calmer than the one at which a comparison began is a better one. */
const CALMER = 2;

/** A comparison over so many ms that found no difference is begun anew: who else uses the key changes. */
const LONGEST_MS = 10_000;

/** A difference above this part is believed as soon as it is more than the doubt; a smaller one when the doubt is small. */
const LARGE = 0.2;
const SMALL_DOUBT = 0.03;

/** So near to our own count it is ours; or nearer than so many times the doubt. */
const SAME = 0.02;
const SAFELY = 2;

/** With less doubt than this a comparison confirms what was found before. */
const SURE = 0.1;

/** How wrong our count of a call may be found to be. */
const LEAST = 0.01;
const MOST = 10;

/** Where a comparison began. */
interface Anchor {
  readonly at: number;
  readonly remaining: number;
  readonly drawn: number;
  readonly corrected: number;
  readonly underWay: number;
  answers: number;
  /** The provider's bucket was never full since, so that nothing ran over. */
  filling: boolean;
  confirmed: boolean;
}

/** What an answer tells, and how it is with us. All in the provider's units. */
export interface Reading {
  readonly remaining: number;
  readonly perMinute: number;
  /** To which multiple `remaining` is rounded. */
  readonly step: number;
  /** The provider's bucket is surely not full. */
  readonly filling: boolean;
  /** What was sent in the last moments: it may be counted in `remaining`, or not. */
  readonly underWay: number;
}

export class Calibration {
  #factor: number;
  #confirmations = 0;
  #anchor: Anchor | undefined;

  constructor(factor: number) {
    this.#factor = factor;
  }

  get factor(): number {
    return this.#factor;
  }

  /** Whether it was found twice. */
  get sure(): boolean {
    return this.#confirmations >= 2;
  }

  compare(reading: Reading, ledger: Ledger, now: number): void {
    const anchor = this.#anchor;
    if (anchor === undefined) {
      this.#begin(reading, ledger, now);
      return;
    }
    anchor.filling &&= reading.filling;
    anchor.answers++;
    const ms = now - anchor.at;
    const ours = ledger.spent - ledger.late - anchor.drawn;
    // A calmer moment is the better one to begin at.
    const calmer = reading.underWay + reading.step < anchor.underWay / CALMER;
    if (calmer && ours * this.#factor < anchor.underWay / SURE) {
      this.#begin(reading, ledger, now);
      return;
    }
    if (anchor.answers < LEAST_CALLS || ms < LEAST_MS) return;
    const theirs = anchor.remaining - reading.remaining + (ms * reading.perMinute) / 60_000;
    // While estimates are still being learned, the difference is theirs.
    const learning = ledger.corrected - anchor.corrected > LARGE * ours;
    if (ours > 0 && theirs > 0 && !learning) {
      // It is a call and a step off, too.
      const off = reading.step + (ours * this.#factor) / anchor.answers;
      const doubt = (anchor.underWay + reading.underWay + off) / (ours * this.#factor);
      const other = reading.filling && !anchor.filling;
      if (!this.#judge(theirs / ours, doubt, anchor) && !other && ms < LONGEST_MS) return;
    }
    this.#begin(reading, ledger, now);
  }

  #begin({ remaining, filling, underWay }: Reading, { spent, late, corrected }: Ledger, now: number): void {
    const drawn = spent - late;
    this.#anchor = { at: now, remaining, drawn, corrected, underWay, filling, answers: 0, confirmed: false };
  }

  /** @returns whether the comparison has come to an end */
  #judge(ratio: number, doubt: number, anchor: Anchor): boolean {
    const found = Math.min(MOST, Math.max(LEAST, ratio));
    const difference = Math.abs(found - this.#factor) / this.#factor;
    if (difference <= doubt || (difference < LARGE && doubt > SMALL_DOUBT)) {
      if (doubt < SURE && !anchor.confirmed) {
        anchor.confirmed = true;
        this.#confirmations++;
      }
      return false;
    }
    // Of a bucket that was full something ran over: it took less than that.
    if (!anchor.filling && found > this.#factor) return true;
    const believed = this.#factor + ((found - this.#factor) * difference) / (difference + doubt);
    const next = Math.abs(found - 1) < Math.max(SAME, SAFELY * doubt) ? 1 : believed;
    if (next === this.#factor) return false;
    this.#factor = next;
    this.#confirmations++;
    return true;
  }
}
