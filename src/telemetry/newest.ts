/** The newest of many: so many are kept, each with a number by which a reader knows which it has. */

export class Newest<T> {
  readonly #most: number;
  readonly #kept: T[] = [];
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** How many there have been. */
  get count(): number {
    return this.#count;
  }

  add(one: T): void {
    this.#count++;
    this.#kept.push(one);
    if (this.#kept.length > this.#most) this.#kept.shift();
  }

  /** Those that came after the first `seen`, as far as they are kept. */
  since(seen: number): readonly T[] {
    const unseen = this.#count - seen;
    return unseen <= 0 ? [] : this.#kept.slice(-unseen);
  }
}
