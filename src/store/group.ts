/** Grouped commits: one sync to disk for many answers. */

/** So many make a group. */
const MOST = 32;

/** So long waits the first of a group, ms. */
const LONGEST = 5;

interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Group<T> {
  readonly #commit: (items: readonly T[]) => Promise<void>;
  #waiting: Waiting<T>[] = [];
  #timer: NodeJS.Timeout | undefined;
  #committing: Promise<void> = Promise.resolve();

  /** `commit` resolves when the items are durable; it is not called again before. */
  constructor(commit: (items: readonly T[]) => Promise<void>) {
    this.#commit = commit;
  }

  /** Resolves when the item is durable; rejects with the error of its group's commit. */
  add(item: T): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#waiting.length === MOST) this.#start();
      else this.#timer ??= setTimeout(() => this.#start(), LONGEST);
    });
  }

  /** Resolves when nothing waits any more. */
  flush(): Promise<void> {
    if (this.#waiting.length > 0) this.#start();
    return this.#committing;
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#committing = this.#committing.then(() => this.#next());
  }

  async #next(): Promise<void> {
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    try {
      await this.#commit(group.map(({ item }) => item));
      for (const { resolve } of group) resolve();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}
