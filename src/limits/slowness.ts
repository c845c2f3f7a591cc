/** Whether a provider has become slow: by time per output token, so that long answers are not taken for congestion. */

/** Tokens that an answer counts for beside its own: what every call takes to begin. */
const CALL_TOKENS = 50;

/** Answers that are looked at together. Fewer say little: those that come first are the short ones. */
const TOGETHER = 100;

/** So many times as slow as at best is slow. */
const SLOWED = 3;

export class Slowness {
  #answers = 0;
  #ms = 0;
  #tokens = 0;
  #best = Number.POSITIVE_INFINITY;
  #last = 0;

  answered(ms: number, outputTokens: number): void {
    this.#answers++;
    this.#ms += ms;
    this.#tokens += outputTokens + CALL_TOKENS;
    if (this.#answers < TOGETHER) return;
    this.#last = this.#ms / this.#tokens;
    this.#best = Math.min(this.#best, this.#last);
    this.#answers = 0;
    this.#ms = 0;
    this.#tokens = 0;
  }

  get slowed(): boolean {
    return this.#last > this.#best * SLOWED;
  }
}
