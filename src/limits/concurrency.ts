/**
 * How many calls may be in flight, found by overload: slow start, then additive growth, one cut for each episode. Cut,
 * growth and wait have clocks of their own, so that a long wait freezes neither (inspect_ai issue 5137). Time is counted
 * in rounds: a round is over when as many calls have been sent as fit at once, and enough to speak of a share of them.
 */

import { Slowness } from "./slowness.ts";

/** Where `auto` starts. */
const SLOW_START = 8;

/** Slow start adds so many calls with each answer, until a round has grown by as many times. */
const SLOW_START_GROWTH = 2;

/** A round that used less than this part of the limit says nothing of more. */
const USED = 0.8;

/** So large a part of a round refused is an episode of overload: one cut, at once. */
const EPISODE = 0.2;
const LEAST_REFUSED = 8;

/** Calls of a round at least; slow start, which asks for no share, turns without. */
const ROUND = 100;

/** Below what was carried when it was too much. */
const CUT = 0.95;

/** Rounds without a refusal before one more call is tried where the last refusal was. */
const CLEAN_ROUNDS = 4;

/** Growth a round well below that, as a part of the limit. */
const GROWTH = 0.05;

/** After so many cuts the refusals have to be fewer, or it is not for our number that calls are refused. */
const TRIALS = 4;
const FEWER = 0.6;

/** Such refusals are borne for so many rounds, up to so many times their share. */
const BORNE_ROUNDS = 100;
const BORNE = 2;
const LEAST_BORNE = 0.12;

export type ConcurrencyChange = { readonly from: number; readonly to: number; readonly reason: string };

export class Concurrency {
  #limit = 0;
  #most = 0;
  #slowStart = false;
  #inFlight = 0;
  #peak = 0;
  /** The limit at the last refusal; growth is careful from there. */
  #mark = Number.POSITIVE_INFINITY;
  #round = { started: 0, refused: 0, most: 0, limit: 0 };
  #clean = 0;
  #cutAt = Number.NEGATIVE_INFINITY;
  /** Cuts in a row, and how it was before them. */
  #trial: { readonly limit: number; readonly share: number; cuts: number } | undefined;
  /** The share of refusals that is borne, and for how many rounds. */
  #borne = { share: 0, rounds: 0 };
  readonly #slowness = new Slowness();
  readonly #changed: (change: ConcurrencyChange) => void;

  constructor(changed: (change: ConcurrencyChange) => void) {
    this.#changed = changed;
  }

  /** Room for a stage that wants `most` calls; `auto`: found out, from a few up to `most`. */
  allow(most: number, auto: boolean): void {
    if (most <= this.#most) return;
    this.#most = most;
    this.#limit = auto ? Math.max(this.#limit, Math.min(SLOW_START, most)) : most;
    if (auto) this.#slowStart = true;
  }

  /** Refused calls hold their slots until the round ends: others would be refused in their place at once. */
  get limit(): number {
    return Math.max(1, Math.floor(this.#limit) - this.#round.refused);
  }

  /** Whether it is being found out, many more at a time. */
  get growing(): boolean {
    return this.#slowStart;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Calls in flight at most so far. */
  get peak(): number {
    return this.#peak;
  }

  get full(): boolean {
    return this.#inFlight >= this.limit;
  }

  start(): void {
    this.#inFlight++;
    this.#peak = Math.max(this.#peak, this.#inFlight);
    this.#round.started++;
    this.#round.most = Math.max(this.#round.most, this.#inFlight);
  }

  /** A call has ended in whatever way. */
  end(): void {
    this.#inFlight--;
  }

  /** After `end`: it was answered. */
  answered(ms: number, outputTokens: number): void {
    this.#slowness.answered(ms, outputTokens);
    this.#maybeTurn();
    if (this.#slowStart) this.#grewFast();
  }

  /** With every answer a little, so that the first refusals end it before many calls are too many. */
  #grewFast(): void {
    const { limit, most, refused } = this.#round;
    if (refused > 0 || most < limit * USED || this.#slowness.slowed) return;
    const room = Math.min(this.#most, limit * (1 + SLOW_START_GROWTH));
    this.#limit = Math.max(this.#limit, Math.min(room, this.#limit + SLOW_START_GROWTH));
  }

  /** After `end`: the provider was overloaded. What started before the last cut was part of the same episode. */
  overloaded(startedAt: number, now: number): void {
    if (startedAt < this.#cutAt) return;
    const { refused, started } = this.#round;
    this.#round.refused = Math.min(refused + 1, Math.floor(this.#limit) - 1);
    const share = this.#round.refused / Math.max(started, this.#inFlight);
    if (this.#round.refused >= LEAST_REFUSED && share > Math.max(EPISODE, this.#borne.share)) {
      this.#cutAt = now;
      this.#cut(Math.min(this.#limit, this.#inFlight) * CUT, share);
    } else this.#maybeTurn();
  }

  /** A refusal for the rate: more at once would not help. */
  rateLimited(): void {
    this.#slowStart = false;
  }

  /** From almost nothing again, after a pause. */
  restart(): void {
    this.#to(1, "probing after a pause");
    this.#turn();
    this.#slowStart = true;
  }

  #maybeTurn(): void {
    const { started, refused, most } = this.#round;
    if (started < (this.#slowStart && refused === 0 ? this.#limit : Math.max(this.#limit, ROUND))) return;
    const used = most >= this.limit * USED;
    const share = refused / started;
    if (--this.#borne.rounds < 0) this.#borne.share = 0;
    if (refused > 0 && share > this.#borne.share) {
      this.#cut(Math.max(this.#limit - refused, this.#limit * (1 - EPISODE)), share);
      return;
    }
    this.#turn();
    this.#clean++;
    if (refused > 0) this.#slowStart = false;
    else this.#trial = undefined;
    if (used && !this.#slowStart && this.#limit < this.#most && !this.#slowness.slowed) this.#grow();
  }

  #turn(): void {
    const { limit: from } = this.#round;
    this.#round = { started: 0, refused: 0, most: this.#inFlight, limit: this.#limit };
    // Growth call by call is told once a round.
    if (this.#slowStart && from > 0 && this.#limit > from) this.#tell(from, "slow start");
  }

  #grow(): void {
    const careful = this.#limit >= this.#mark * CUT;
    if (careful && this.#clean < CLEAN_ROUNDS) return;
    this.#clean = 0;
    const more = careful ? 1 : Math.max(1, this.#limit * GROWTH);
    this.#to(Math.min(this.#most, this.#limit + more), "rounds without overload");
  }

  #cut(limit: number, share: number): void {
    this.#slowStart = false;
    this.#clean = 0;
    this.#trial ??= { limit: this.#limit, share, cuts: 0 };
    this.#turn();
    if (++this.#trial.cuts > TRIALS && share >= this.#trial.share * FEWER) {
      this.#borne = { share: Math.max(LEAST_BORNE, share * BORNE), rounds: BORNE_ROUNDS };
      this.#mark = Number.POSITIVE_INFINITY;
      this.#to(this.#trial.limit, "fewer at once are refused as often");
      this.#trial = undefined;
      return;
    }
    this.#to(Math.max(1, limit), "overload");
    this.#mark = this.#limit;
  }

  #to(limit: number, reason: string): void {
    const from = this.#limit;
    this.#limit = limit;
    this.#tell(from, reason);
  }

  #tell(before: number, reason: string): void {
    const [from, to] = [Math.floor(before), Math.floor(this.#limit)];
    if (from !== to) this.#changed({ from, to, reason });
  }
}
