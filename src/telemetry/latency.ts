/** How long calls took, in buckets that grow by a few percent: small however many there are, and two can be put together. */

/** Each bucket ends so many times as far as the one before: a percentile is told to within half of that. */
const GROWTH = 1.05;

const LOG_GROWTH = Math.log(GROWTH);

export class Latencies {
  readonly #buckets = new Map<number, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(ms: number): void {
    this.#put(Math.ceil(Math.log(Math.max(ms, 1)) / LOG_GROWTH), 1);
  }

  /** Takes in what another holds. */
  join(other: Latencies): this {
    for (const [bucket, times] of other.#buckets) this.#put(bucket, times);
    return this;
  }

  /** Ms that a share `q` of the calls did not pass; null without calls. */
  quantile(q: number): number | null {
    let left = Math.max(1, Math.ceil(this.#count * q));
    for (const bucket of [...this.#buckets.keys()].sort((a, b) => a - b)) {
      left -= this.#buckets.get(bucket) ?? 0;
      if (left <= 0) return Math.round(GROWTH ** (bucket - 0.5));
    }
    return null;
  }

  #put(bucket: number, times: number): void {
    this.#count += times;
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + times);
  }
}
