/** A token bucket, refilled continuously. Pure arithmetic: the clock (ms) is passed in. */

export class Bucket {
  readonly perMinute: number;
  readonly capacity: number;
  #level: number;
  #at: number;

  /** `level` is what it starts with; full when left out. */
  constructor(perMinute: number, capacity: number, { now, level }: { readonly now: number; readonly level?: number }) {
    this.perMinute = perMinute;
    this.capacity = capacity;
    this.#level = Math.min(level ?? capacity, capacity);
    this.#at = now;
  }

  /** What it holds; below 0 when in debt. */
  level(now: number): number {
    // A clock that steps back must not drain the bucket.
    const elapsed = Math.max(0, now - this.#at);
    return Math.min(this.capacity, this.#level + (elapsed * this.perMinute) / 60_000);
  }

  /**
   * Milliseconds until `amount` may be taken; 0 is now, Infinity never (more than a whole minute's limit). An amount
   * above the capacity passes when the bucket is full, and leaves it in debt.
   */
  wait(amount: number, now: number): number {
    if (amount > this.perMinute) return Number.POSITIVE_INFINITY;
    const missing = Math.min(amount, this.capacity) - this.level(now);
    // A millionth of a token is rounding, not a reason to wait.
    return missing <= 1e-6 ? 0 : (missing * 60_000) / this.perMinute;
  }

  /** Takes without asking; may leave a debt. */
  take(amount: number, now: number): void {
    this.#level = this.level(now) - amount;
    this.#at = Math.max(now, this.#at);
  }

  /** Milliseconds until it is full again. */
  untilFull(now: number): number {
    return ((this.capacity - this.level(now)) * 60_000) / this.perMinute;
  }
}
