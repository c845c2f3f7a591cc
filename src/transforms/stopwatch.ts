/** Sums the time in which something held. */

export class Stopwatch {
  #ms = 0;
  #since: number | undefined;

  /** Runs from now on, if it does not run yet. */
  start(): void {
    this.#since ??= performance.now();
  }

  stop(): void {
    this.#ms = this.ms;
    this.#since = undefined;
  }

  get ms(): number {
    return this.#ms + (this.#since === undefined ? 0 : performance.now() - this.#since);
  }
}
