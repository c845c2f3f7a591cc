/** Calls in flight, at most so many: who comes first goes first, and who has waited before goes before the new ones. */

import { onAbort } from "./on-abort.ts";

interface Waiter {
  grant(): void;
}

export class Slots {
  #limit: number;
  #used = 0;
  readonly #returning = new Set<Waiter>();
  readonly #waiting = new Set<Waiter>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  get limit(): number {
    return this.#limit;
  }

  /** A higher limit lets in at once who waits; a lower one takes effect as calls end. */
  set limit(limit: number) {
    this.#limit = limit;
    this.#admit();
  }

  /**
   * Resolves with the slot's release. Rejects with the signal's reason when it is aborted first.
   * `returning`: this record has held a slot before, and goes before those that have not.
   */
  acquire(signal: AbortSignal, returning = false): Promise<() => void> {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#used < this.#limit) {
      this.#used++;
      return Promise.resolve(this.#release());
    }
    return new Promise((resolve, reject) => {
      const queue = returning ? this.#returning : this.#waiting;
      const deafen = onAbort(signal, () => {
        queue.delete(waiter);
        reject(signal.reason);
      });
      const waiter: Waiter = {
        grant: () => {
          deafen();
          resolve(this.#release());
        },
      };
      queue.add(waiter);
    });
  }

  #release(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#used--;
      this.#admit();
    };
  }

  #admit(): void {
    while (this.#used < this.#limit) {
      const queue = this.#returning.size > 0 ? this.#returning : this.#waiting;
      const [next] = queue;
      if (next === undefined) return;
      queue.delete(next);
      this.#used++;
      next.grant();
    }
  }
}
