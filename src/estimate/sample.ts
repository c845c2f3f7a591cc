/** How many tokens many texts have, by counting those of a few: pure, in constant memory. */

/** Texts that are counted, at least; twice as many at most. */
export const SAMPLE = 200;

interface Counted {
  readonly index: number;
  readonly length: number;
  readonly tokens: number;
}

export interface SampledTotal {
  readonly tokens: number;
  /** Its standard error: two of them to either side hold the truth 19 times of 20. */
  readonly error: number;
  /** Texts that were counted. */
  readonly counted: number;
}

/**
 * Counts every nth text, evenly over the whole, so that a file that changes its language half way is met as it is. The
 * number of tokens follows from all texts' length and the counted ones' tokens a character.
 */
export class Sample {
  readonly #most: number;
  #stride = 1;
  #seen = 0;
  #length = 0;
  #kept: Counted[] = [];
  #all = 0;

  /** @param whole counts each text */
  constructor({ whole = false, size = SAMPLE }: { readonly whole?: boolean; readonly size?: number } = {}) {
    this.#most = whole ? 0 : size * 2;
  }

  add(length: number, count: () => number): void {
    const index = this.#seen++;
    this.#length += length;
    if (this.#most === 0) this.#all += count();
    else if (index % this.#stride === 0) this.#keep({ index, length, tokens: count() });
  }

  #keep(counted: Counted): void {
    this.#kept.push(counted);
    if (this.#kept.length < this.#most) return;
    this.#stride *= 2;
    this.#kept = this.#kept.filter(({ index }) => index % this.#stride === 0);
  }

  get total(): SampledTotal {
    if (this.#most === 0) return { tokens: this.#all, error: 0, counted: this.#seen };
    const kept = this.#kept;
    const counted = kept.length;
    const length = kept.reduce((sum, one) => sum + one.length, 0);
    if (length === 0) return { tokens: 0, error: 0, counted };
    const ratio = kept.reduce((sum, one) => sum + one.tokens, 0) / length;
    const squares = kept.reduce((sum, one) => sum + (one.tokens - ratio * one.length) ** 2, 0);
    // The ratio estimator's error, with the correction for a sample that is a good part of the whole.
    const variance = counted > 1 ? squares / (counted - 1) : 0;
    const error = this.#seen * Math.sqrt((1 - counted / this.#seen) * (variance / counted));
    return { tokens: this.#length * ratio, error, counted };
  }
}
