/**
 * How many calls may be in flight, found by overload: slow start, then additive growth, one cut for each episode. Cut,
 * growth and wait have clocks of their own, so that a long wait freezes neither (inspect_ai issue 5137).
 */

/** Where `auto` starts, and where growth after an outage does. */
const SLOW_START = 8;

/** A round that used less than this part of the limit says nothing of more. */
const USED = 0.8;

/** So large a part of a round refused is overload; less is a call here and there. */
const OVERLOADED = 0.1;

/** Below what was carried when it was too much. */
const CUT = 0.95;

/** Growth a round, as a part of the limit, for each round since the last cut. */
const GROWTH = 0.002;

/** No growth while a token takes so many times as long as it did at best. */
const SLOWED = 2;

/** Tokens that an answer counts for beside its own: what every call takes to begin. */
const CALL_TOKENS = 50;

export type ConcurrencyChange = { readonly from: number; readonly to: number; readonly reason: string };

export class Concurrency {
  #limit: number;
  #most: number;
  #slowStart: boolean;
  #inFlight = 0;
  #peak = 0;
  /** Slots that refused calls hold until their round ends. */
  #held = 0;
  #round = { started: 0, refused: 0, most: 0, ms: 0, tokens: 0 };
  #sinceCut = 0;
  #cutAt = Number.NEGATIVE_INFINITY;
  #bestMsPerToken = Number.POSITIVE_INFINITY;
  readonly #changed: (change: ConcurrencyChange) => void;

  constructor(changed: (change: ConcurrencyChange) => void) {
    this.#limit = 0;
    this.#most = 0;
    this.#slowStart = false;
    this.#changed = changed;
  }

  /** Room for a stage that wants `most` calls; `auto`: found out, from a few up to `most`. */
  allow(most: number, auto: boolean): void {
    if (most <= this.#most) return;
    this.#most = most;
    this.#limit = auto ? Math.max(this.#limit, Math.min(SLOW_START, most)) : most;
    if (auto) this.#slowStart = true;
  }

  get limit(): number {
    return Math.max(1, Math.floor(this.#limit) - this.#held);
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
    this.#round.ms += ms;
    this.#round.tokens += outputTokens + CALL_TOKENS;
    this.#maybeTurn();
  }

  /** After `end`: the provider was overloaded. What started before the last cut was part of the same episode. */
  overloaded(startedAt: number, now: number): void {
    if (startedAt < this.#cutAt) return;
    this.#round.refused++;
    const carried = this.#inFlight;
    if (this.#round.refused >= 4 && this.#round.refused > OVERLOADED * Math.max(this.#round.started, carried)) {
      this.#cut(carried, now);
    } else if (this.#held < this.#limit - 1) this.#held++;
    this.#maybeTurn();
  }

  /** A refusal for the rate: more at once would not help. */
  rateLimited(): void {
    this.#slowStart = false;
  }

  /** From almost nothing again, after a pause. */
  restart(): void {
    this.#to(1, "probing after a pause");
    this.#slowStart = true;
  }

  #maybeTurn(): void {
    // A round: as many calls as fit at once have been sent.
    if (this.#round.started < this.#limit) return;
    const { refused, most, ms, tokens } = this.#round;
    const used = most >= this.limit * USED;
    this.#round = { started: 0, refused: 0, most: this.#inFlight, ms: 0, tokens: 0 };
    this.#held = 0;
    this.#sinceCut++;
    if (refused > 0) {
      this.#slowStart = false;
      return;
    }
    if (used && this.#limit < this.#most && !this.#slowed(ms, tokens)) this.#grow();
  }

  #slowed(ms: number, tokens: number): boolean {
    if (tokens === 0) return false;
    const msPerToken = ms / tokens;
    this.#bestMsPerToken = Math.min(this.#bestMsPerToken, msPerToken);
    return msPerToken > this.#bestMsPerToken * SLOWED;
  }

  #grow(): void {
    const more = this.#slowStart ? this.#limit : Math.max(1, this.#limit * GROWTH * this.#sinceCut);
    this.#to(Math.min(this.#most, this.#limit + more), this.#slowStart ? "slow start" : "a round without overload");
  }

  #cut(carried: number, now: number): void {
    this.#slowStart = false;
    this.#sinceCut = 0;
    this.#cutAt = now;
    this.#held = 0;
    this.#to(Math.max(1, Math.min(this.#limit, carried) * CUT), "overload");
    this.#round = { started: 0, refused: 0, most: this.#inFlight, ms: 0, tokens: 0 };
  }

  #to(limit: number, reason: string): void {
    const from = Math.floor(this.#limit);
    this.#limit = limit;
    if (Math.floor(limit) !== from) this.#changed({ from, to: Math.floor(limit), reason });
  }
}
