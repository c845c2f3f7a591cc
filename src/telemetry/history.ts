/** A run's course in so many points at most: when they are full, two become one, and the next ones are twice as far apart. */

export interface HistoryOptions<P> {
  /** Points at most; at least 2. */
  readonly most: number;
  /** One point of two that follow each other. */
  readonly merge: (first: P, second: P) => P;
}

export class History<P> {
  readonly #most: number;
  readonly #merge: (first: P, second: P) => P;
  #points: P[] = [];
  /** What the next point is being made of. */
  #open: P | undefined;
  #inOpen = 0;
  #step = 1;

  constructor({ most, merge }: HistoryOptions<P>) {
    this.#most = most;
    this.#merge = merge;
  }

  /** The finished points, oldest first. */
  get points(): readonly P[] {
    return this.#points;
  }

  /** Samples that one point stands for. Whoever holds points of another step has to take them all anew. */
  get step(): number {
    return this.#step;
  }

  add(sample: P): void {
    this.#open = this.#open === undefined ? sample : this.#merge(this.#open, sample);
    if (++this.#inOpen >= this.#step) this.finish();
  }

  /** Makes a point of what came since the last one, though it may stand for less than the others. */
  finish(): void {
    if (this.#open === undefined) return;
    if (this.#points.length === this.#most) this.#halve();
    this.#points.push(this.#open);
    this.#open = undefined;
    this.#inOpen = 0;
  }

  #halve(): void {
    const halved: P[] = [];
    for (let at = 0; at < this.#points.length; at += 2) {
      const [first, second] = [this.#points[at] as P, this.#points[at + 1]];
      halved.push(second === undefined ? first : this.#merge(first, second));
    }
    this.#points = halved;
    this.#step *= 2;
  }
}
