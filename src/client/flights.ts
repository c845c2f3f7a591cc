/** Single flight: of equal requests under way at once, one makes the call and the others wait for what it brings. */

import { isMillraceError } from "../errors.ts";
import { onAbort } from "../limits/on-abort.ts";

/** What the leader brought; undefined: it failed, and who is told so leads now. */
type Turn<T> = { readonly brought: T } | undefined;

interface Follower<T> {
  readonly tell: (turn: Turn<T>) => void;
  readonly fail: (error: unknown) => void;
}

export class Flights<T> {
  /** By the request's key, who waits for it. Holds as many as are under way. */
  readonly #flights = new Map<string, Set<Follower<T>>>();

  get size(): number {
    return this.#flights.size;
  }

  /**
   * Undefined for the one that is to lead, who must end with `land` or `fail`; for the others, their turn. A follower
   * is let go as soon as `release` is aborted, with its reason; the leader flies on.
   */
  join(key: string, release: AbortSignal): undefined | Promise<Turn<T>> {
    const followers = this.#flights.get(key);
    if (followers === undefined) {
      this.#flights.set(key, new Set());
      return undefined;
    }
    if (release.aborted) return Promise.reject(release.reason);
    return new Promise((resolve, reject) => {
      const deafen = onAbort(release, () => {
        followers.delete(follower);
        reject(release.reason);
      });
      const follower: Follower<T> = {
        tell(turn) {
          deafen();
          resolve(turn);
        },
        fail(error) {
          deafen();
          reject(error);
        },
      };
      followers.add(follower);
    });
  }

  land(key: string, brought: T): void {
    const followers = this.#flights.get(key);
    this.#flights.delete(key);
    for (const { tell } of followers ?? []) tell({ brought });
  }

  /** The next of those who wait leads; what is wrong for every record is wrong for all of them. */
  fail(key: string, error: unknown): void {
    const followers = this.#flights.get(key) ?? new Set();
    if (isMillraceError(error) && error.scope === "run") {
      this.#flights.delete(key);
      for (const { fail } of followers) fail(error);
      return;
    }
    const [next] = followers;
    if (next === undefined) this.#flights.delete(key);
    else {
      followers.delete(next);
      next.tell(undefined);
    }
  }
}
