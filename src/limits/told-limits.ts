/** All limits that one provider tells: learned from its answers, taken from by every call, set right by its refusals. */

import type { Amounts, LimitKind } from "./amounts.ts";
import type { Ledger } from "./ledger.ts";
import type { Told } from "./told.ts";
import { type Mark, ToldLimit } from "./told-limit.ts";

/** Taken from a limit, as a part of what all keys together send: they share it. */
const SHARED = 0.75;

/** How all of them stood when a call had been started. */
export interface ToldMark {
  readonly at: number;
  readonly spent: Amounts;
  /** The levels, in the order in which the limits became known. */
  readonly levels: readonly number[];
}

export type Learned =
  | { readonly type: "limit-learned"; readonly kind: LimitKind; readonly perMinute: number; readonly reason: string }
  | { readonly type: "quota-shared"; readonly kind: LimitKind; readonly reason: string };

export class ToldLimits {
  readonly #limits: ToldLimit[] = [];
  /** Where in them each stands, by its name. */
  readonly #places = new Map<string, number>();
  readonly #ledgers: Readonly<Record<LimitKind, Ledger>>;
  readonly #observe: (event: Learned) => void;
  #keys = 1;
  #shared = false;

  constructor(ledgers: Readonly<Record<LimitKind, Ledger>>, observe: (event: Learned) => void) {
    this.#ledgers = ledgers;
    this.#observe = observe;
  }

  /** It is one of so many keys' lanes. Until it shows otherwise they are taken to draw on one quota. */
  beside(keys: number): void {
    this.#keys = Math.max(this.#keys, keys);
  }

  get all(): readonly ToldLimit[] {
    return this.#limits;
  }

  take(kind: LimitKind, amount: number, now: number): void {
    for (const limit of this.#limits) if (limit.kind === kind) limit.take(amount, now);
  }

  levels(now: number): readonly number[] {
    return this.#limits.map((limit) => limit.level(now));
  }

  /** Takes in what an answer or a refusal tells. @param answered the call was */
  listen(told: readonly Told[], { mark, answered }: { mark: ToldMark; answered: boolean }, now: number): void {
    for (const one of told) {
      const known = this.#places.get(one.name);
      const place = known ?? this.#add(one, now);
      const limit = this.#limits[place] as ToldLimit;
      const before = known === undefined ? undefined : limit.perMinute;
      limit.told(one, this.#markOf(mark, place), now);
      this.#tell(limit, one.name, before);
    }
    if (answered) for (const limit of this.#limits) limit.answered(mark.at, now);
  }

  #add(told: Told, now: number): number {
    const ledger = this.#ledgers[told.kind];
    const place = this.#limits.push(new ToldLimit(told, { ledger, keys: this.#keys, now })) - 1;
    this.#places.set(told.name, place);
    return place;
  }

  #markOf({ at, spent, levels }: ToldMark, place: number): Mark {
    return { at, spent: spent[this.#limits[place]?.kind ?? "requests"], level: levels[place] };
  }

  #tell({ kind, factor, perMinute }: ToldLimit, name: string, before: number | undefined): void {
    if (!this.#shared && this.#keys > 1 && (factor ?? 0) > this.#keys * SHARED) {
      this.#shared = true;
      this.#observe({ type: "quota-shared", kind, reason: "another key draws on the same quota" });
    }
    if (before === perMinute) return;
    this.#observe({ type: "limit-learned", kind, perMinute, reason: `told by ${name}` });
  }

  /**
   * Takes in a refusal. Returns the limits that it shows to be empty, set right by it; none, when it is for something that
   * nobody tells.
   *
   * @param refusal.limit the one that it names
   */
  refused(
    refusal: { readonly limit?: LimitKind | undefined; readonly told: readonly Told[] },
    { mark, needs }: { mark: ToldMark; needs: Amounts },
    now: number,
  ): readonly ToldLimit[] {
    const unknown = refusal.told.filter(({ name }) => !this.#places.has(name));
    this.listen(unknown, { mark, answered: false }, now);
    const empty = this.#limits.filter((limit, place) => {
      if (!names(refusal.limit, limit.kind)) return false;
      const told = refusal.told.find(({ name }) => this.#places.get(name) === place);
      return limit.emptied({ needs: needs[limit.kind], told }, this.#markOf(mark, place), now);
    });
    // After that: what it says of what remains is the same news once more.
    this.listen(refusal.told, { mark, answered: false }, now);
    return empty;
  }
}

/** Some say "tokens" of a limit of input or of output, and some of a limit of both which of them was too much. */
const names = (named: LimitKind | undefined, kind: LimitKind): boolean =>
  named === undefined ||
  named === kind ||
  (named !== "requests" && kind !== "requests" && (named === "tokens" || kind === "tokens"));
