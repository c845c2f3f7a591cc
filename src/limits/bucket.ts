/** A token bucket, refilled continuously: pure arithmetic on a clock (ms) that is passed in. */

export class Bucket {
  #perMs: number;
  #capacity: number;
  #level: number;
  #at: number;

  /** @param level what it holds at first */
  constructor(perMinute: number, { capacity, level, now }: { capacity: number; level: number; now: number }) {
    this.#perMs = perMinute / 60_000;
    this.#capacity = capacity;
    this.#level = Math.min(level, capacity);
    this.#at = now;
  }

  get perMinute(): number {
    return this.#perMs * 60_000;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** What it holds; below 0 when more was taken than there was. A clock that steps back drains nothing. */
  level(now: number): number {
    return Math.min(this.#capacity, this.#level + Math.max(0, now - this.#at) * this.#perMs);
  }

  /** Ms until `amount` may be taken. An amount above the capacity passes when the bucket is full, and leaves a debt. */
  wait(amount: number, now: number): number {
    const missing = Math.min(amount, this.#capacity) - this.level(now);
    // A millionth is rounding, not a reason to wait.
    return missing <= 1e-6 ? 0 : missing / this.#perMs;
  }

  /** Takes without asking; a negative amount gives back. */
  take(amount: number, now: number): void {
    this.set(this.level(now) - amount, now);
  }

  set(level: number, now: number): void {
    this.#level = level;
    this.#at = Math.max(now, this.#at);
  }

  /** Changes how fast it fills and how much it holds. */
  tune(perMinute: number, capacity: number, now: number): void {
    const level = this.level(now);
    this.#perMs = perMinute / 60_000;
    this.#capacity = capacity;
    this.set(Math.min(level, capacity), now);
  }
}
