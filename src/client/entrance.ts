/** One call on its way to its start. */

import type { MillraceError } from "../errors.ts";
import { onAbort } from "../limits/on-abort.ts";
import type { Gate, Place } from "./gate.ts";
import type { Lane, Measure, Started } from "./lane.ts";
import type { Line } from "./line.ts";
import type { Claim } from "./spending.ts";

/** A call that may start now. */
export interface Admitted {
  readonly line: Line<Place>;
  readonly lane: Lane;
  readonly started: Started;
  readonly claim: Claim | undefined;
}

type Facts = Pick<Place, "line" | "measure" | "claim" | "since" | "priority">;

/** Made by `new`, and reaches no text of the call: see src/README.md, "Long texts must die young". */
export class Entrance implements Place {
  readonly line: Line<Place>;
  readonly measure: Measure;
  readonly claim: Claim | undefined;
  readonly since: number;
  readonly priority: number;
  gone = false;
  readonly #admitted = Promise.withResolvers<Admitted>();
  #deafen = () => {};

  constructor({ line, measure, claim, since, priority }: Facts) {
    this.line = line;
    this.measure = measure;
    this.claim = claim;
    this.since = since;
    this.priority = priority;
  }

  /** Resolves when it may start; rejects with the reason of `release` when that is aborted first, or why it may not. */
  enter(gate: Gate, release: AbortSignal): Promise<Admitted> {
    this.#deafen = onAbort(release, () => {
      gate.leave(this);
      this.#admitted.reject(release.reason);
    });
    gate.enter(this);
    return this.#admitted.promise;
  }

  go(lane: Lane, started: Started): void {
    this.#deafen();
    this.#admitted.resolve({ line: this.line, lane, started, claim: this.claim });
  }

  give(error: MillraceError): void {
    this.#deafen();
    this.#admitted.reject(error);
  }
}
