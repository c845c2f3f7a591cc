/**
 * How fast calls start before a provider was heard for a while: no faster than its first refusals can be heard. Answers to
 * calls that were sent together come together, and so would the next ones start.
 */

import { Bucket } from "./bucket.ts";

/** Calls a ms at least: as many as a busy server reads, so that refusals do not wait behind calls. */
const LEAST = 1;

/** In slow start: some more, since it has to grow. */
const GROWING = 2;

/** With a fixed number in flight the second round takes so much of the first one's time to start, and no more. */
const SPREAD = 1 / 4;

/** Refusals are a matter of the first moments, ms, and of the first rounds; in slow start, of each step. */
const LASTS = 1_000;
const ROUNDS = 4;

/** A timer is a ms late: what it would have let start by then starts together. */
const TOGETHER_MS = 2;

export class Opening {
  #began: number | undefined;
  #bucket: Bucket | undefined;
  #growing = false;
  /** What the fastest answer took so far, ms: where they differ much, they do not come together. */
  #round = Number.POSITIVE_INFINITY;

  wait(now: number): number {
    return this.#over(now) ? 0 : (this.#bucket?.wait(1, now) ?? 0);
  }

  start(now: number): void {
    this.#began ??= now;
    if (!this.#over(now)) this.#bucket?.take(1, now);
  }

  /** @param answer.ms how long it took @param answer.limit calls that may be in flight @param answer.growing that is being found out */
  answered({ ms, limit, growing }: { ms: number; limit: number; growing: boolean }, now: number): void {
    this.#growing = growing;
    if (this.#over(now)) return;
    this.#round = Math.min(this.#round, ms);
    const perMs = growing ? GROWING : Math.max(LEAST, limit / (SPREAD * this.#round));
    const capacity = perMs * TOGETHER_MS;
    if (this.#bucket === undefined) this.#bucket = new Bucket(perMs * 60_000, { capacity, level: capacity, now });
    else this.#bucket.tune(perMs * 60_000, capacity, now);
  }

  #over(now: number): boolean {
    return !this.#growing && now - (this.#began ?? now) > Math.max(LASTS, ROUNDS * this.#round);
  }
}
