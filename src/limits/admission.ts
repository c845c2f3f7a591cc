/**
 * When an attempt may start at one provider with one key: pure, the clock (ms) passed in. It fills the limits that the
 * provider tells, finds out those that it does not, and waits where waiting helps.
 */

import type { Usage } from "../usage.ts";
import type { Accounting, Need, Size } from "./accounting.ts";
import { type Amounts, LIMIT_KINDS, type LimitKind, type Limits } from "./amounts.ts";
import { Concurrency } from "./concurrency.ts";
import type { Ledger, LimitUse } from "./ledger.ts";
import { Outage } from "./outage.ts";
import { OwnLimit } from "./own-limit.ts";
import { Pace, type PaceMark } from "./pace.ts";
import type { Told } from "./told.ts";
import { type Learned, ToldLimits, type ToldMark } from "./told-limits.ts";

export type { LimitUse };

/** What holds an attempt back. */
export type WaitCause = LimitKind | "concurrency" | "pace" | "pause" | "outage";

/** A decision, with its reason. */
export type AdmissionEvent =
  | Learned
  | { readonly type: "concurrency"; readonly from: number; readonly to: number; readonly reason: string }
  | { readonly type: "pace"; readonly perMinute: number | undefined; readonly reason: string }
  | { readonly type: "pause"; readonly ms: number; readonly reason: string }
  | { readonly type: "probe"; readonly reason: string }
  | { readonly type: "outage"; readonly reason: string }
  | { readonly type: "resumed"; readonly reason: string };

/** How an attempt ended. */
export type Ending =
  | { readonly kind: "answered"; readonly usage: Usage; readonly told: readonly Told[] }
  /** Refused for its rate. `hint`: how long the provider asked to wait, ms. `limit`: which one it named. */
  | {
      readonly kind: "limited";
      readonly hint: number | undefined;
      readonly limit?: LimitKind | undefined;
      readonly told: readonly Told[];
    }
  | { readonly kind: "overloaded"; readonly hint: number | undefined; readonly told: readonly Told[] }
  /** No answer: a lost connection, a server's fault. */
  | { readonly kind: "fault"; readonly record: object }
  /** Neither: an answer of another kind, a timeout, a call taken back. `heard`: the provider did answer. */
  | { readonly kind: "other"; readonly heard: boolean; readonly told: readonly Told[] };

type Limited = Extract<Ending, { readonly kind: "limited" }>;

/** An attempt under way. */
export interface Ticket {
  readonly startedAt: number;
  readonly need: Need;
  readonly told: ToldMark;
  readonly pace: PaceMark;
  readonly probe: boolean;
}

/** A pause without a hint, ms: doubled while it goes on so. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;

/** Hints of whole seconds are rounded up: so much of one, ms, may not be there. */
const ROUNDED = 1_000;

const SLACK = 1e-9;

export class Admission {
  readonly concurrency: Concurrency;
  readonly #accounting: Accounting;
  readonly #observe: (event: AdmissionEvent) => void;
  readonly #caps = new Map<LimitKind, OwnLimit>();
  readonly #told: ToldLimits;
  readonly #ledgers: Readonly<Record<LimitKind, Ledger>> = {
    requests: { spent: 0, late: 0, corrected: 0 },
    input: { spent: 0, late: 0, corrected: 0 },
    output: { spent: 0, late: 0, corrected: 0 },
    tokens: { spent: 0, late: 0, corrected: 0 },
  };
  readonly #pace = new Pace();
  readonly #outage = new Outage();
  #pausedUntil = 0;
  #pauses = 0;
  /** A refusal whose pause has not been ended by an answer. */
  #probeNext = false;

  constructor(accounting: Accounting, observe: (event: AdmissionEvent) => void) {
    this.#accounting = accounting;
    this.#observe = observe;
    this.#told = new ToldLimits(this.#ledgers, observe);
    this.concurrency = new Concurrency((change) => observe({ type: "concurrency", ...change }));
  }

  /** Limits of our own, a minute each; they only lower what the provider allows. */
  cap(limits: Limits, now: number): void {
    for (const kind of LIMIT_KINDS) {
      const perMinute = limits[kind];
      const before = this.#caps.get(kind);
      if (perMinute === undefined || (before !== undefined && before.perMinute <= perMinute)) continue;
      this.#caps.set(kind, new OwnLimit(kind, perMinute, { ledger: this.#ledgers[kind], now }));
    }
  }

  /** It is one of so many keys' lanes. Until it shows otherwise they are taken to draw on one quota. */
  beside(keys: number): void {
    this.#told.beside(keys);
  }

  need(size: Size): Need {
    return this.#accounting.need(size);
  }

  /** The limits that are known, and how much of each was used since. */
  uses(now: number): readonly LimitUse[] {
    return [...this.#told.all, ...this.#caps.values()].map((limit) => limit.use(now));
  }

  /** Calls a minute that it was found to carry; undefined: nothing was to be found. */
  pace(now: number): number | undefined {
    return this.#pace.perMinute(now);
  }

  paused(now: number): boolean {
    return now < this.#pausedUntil;
  }

  /** The outage that goes on, since when. */
  get outSince(): number | undefined {
    return this.#outage.since;
  }

  /** Ms until an attempt may start: 0 is now, Infinity when another must end first. And what holds it back. */
  wait({ whole }: Need, now: number): { readonly ms: number; readonly cause: WaitCause } {
    if (this.#outage.active) return { ms: this.#outage.wait(now), cause: "outage" };
    if (now < this.#pausedUntil) return { ms: this.#pausedUntil - now, cause: "pause" };
    if (this.concurrency.full) return FULL;
    let ms = this.#pace.wait(now);
    let cause: WaitCause = "pace";
    const consider = (wait: number, kind: LimitKind) => {
      if (wait <= ms) return;
      ms = wait;
      cause = kind;
    };
    for (const limit of this.#told.all) consider(limit.wait(whole[limit.kind], now), limit.kind);
    for (const [kind, bucket] of this.#caps) consider(bucket.wait(whole[kind], now), kind);
    return ms < SLACK ? NOW : { ms, cause };
  }

  start(need: Need, now: number): Ticket {
    for (const kind of LIMIT_KINDS) {
      this.#spend(kind, need.whole[kind], now);
      this.#ledgers[kind].late += need.late[kind];
    }
    const told = { at: now, spent: this.#spent(), levels: this.#told.levels(now) };
    this.concurrency.start();
    const probe = this.#outage.active;
    if (probe) {
      this.#outage.probe();
      this.#observe({ type: "probe", reason: "one call, to see whether the provider is back" });
    } else if (this.#probeNext) {
      this.#probeNext = false;
      this.#observe({ type: "probe", reason: "the pause is over" });
    }
    return { startedAt: now, need, told, pace: this.#pace.start(now), probe };
  }

  #spend(kind: LimitKind, amount: number, now: number): void {
    this.#ledgers[kind].spent += amount;
    this.#told.take(kind, amount, now);
    this.#caps.get(kind)?.take(amount, now);
  }

  #spent(): Amounts {
    const { requests, input, output, tokens } = this.#ledgers;
    return { requests: requests.spent, input: input.spent, output: output.spent, tokens: tokens.spent };
  }

  settle(ticket: Ticket, ending: Ending, now: number): void {
    this.concurrency.end();
    this.#settleAmounts(ticket, ending, now);
    if (ending.kind === "fault") {
      this.#faulted(ticket, ending.record, now);
      return;
    }
    if (ending.kind === "other" && !ending.heard) {
      if (ticket.probe) this.#outage.probed(now);
      return;
    }
    this.#heard(now);
    if (ending.kind === "limited") {
      this.#limited(ticket, ending, now);
      return;
    }
    this.#told.listen(ending.told, { mark: ticket.told, answered: ending.kind === "answered" }, now);
    if (ending.kind === "answered") {
      this.#pauses = 0;
      const ms = now - ticket.startedAt;
      this.concurrency.answered(ms, ending.usage.outputTokens);
      this.#pace.answered({ ms, limit: this.concurrency.limit, growing: this.concurrency.growing }, now);
    } else if (ending.kind === "overloaded") this.#overloaded(ticket, ending.hint, now);
  }

  #settleAmounts({ need }: Ticket, ending: Ending, now: number): void {
    const taken = this.#taken(need, ending);
    for (const kind of LIMIT_KINDS) {
      this.#ledgers[kind].late -= need.late[kind];
      const difference = taken[kind] - need.whole[kind];
      if (difference === 0) continue;
      if (ending.kind === "answered") this.#ledgers[kind].corrected += Math.abs(difference);
      this.#spend(kind, difference, now);
    }
  }

  #taken(need: Need, ending: Ending): Amounts {
    if (ending.kind === "answered") return this.#accounting.taken(ending.usage, need);
    const { whole, late } = need;
    const refused = ending.kind === "limited" || ending.kind === "overloaded";
    if (refused) return { ...NOTHING, requests: this.#accounting.countsRefused ? 1 : 0 };
    // It may have been counted before it failed.
    return { ...whole, output: whole.output - late.output, tokens: whole.tokens - late.tokens };
  }

  #faulted(ticket: Ticket, record: object, now: number): void {
    if (ticket.probe) this.#outage.probed(now);
    else if (this.#outage.fault(record, now)) {
      this.#observe({ type: "outage", reason: "every call fails" });
    }
  }

  #heard(now: number): void {
    if (!this.#outage.heard()) return;
    this.#observe({ type: "resumed", reason: "the provider answers again" });
    this.concurrency.restart();
    this.#pace.resume(now);
  }

  #limited(ticket: Ticket, ending: Limited, now: number): void {
    const { hint, limit } = ending;
    this.concurrency.rateLimited();
    const empty = this.#told.refused(ending, { mark: ticket.told, needs: ticket.need.whole }, now);
    if (empty.length > 0) {
      if (hint === undefined || hint <= ROUNDED) return;
      this.#pause(hint - ROUNDED, "nothing remains of a limit", now);
      for (const one of empty) one.drained(this.#pausedUntil, now);
      return;
    }
    const before = this.#pace.perMinute(now);
    const search = this.#pace.refused(ticket.pace, {
      late: limit === undefined ? undefined : ticket.need.late[limit] / ticket.need.whole[limit],
      inFlight: this.concurrency.inFlight,
      now,
    });
    const after = this.#pace.perMinute(now);
    if (after !== before) this.#observe({ type: "pace", perMinute: after, reason: "found by a refusal" });
    if (search) this.#pause(hint, "most of the last calls were refused", now);
  }

  #overloaded(ticket: Ticket, hint: number | undefined, now: number): void {
    this.concurrency.overloaded(ticket.startedAt, now);
    // With almost nothing in flight it is not we who overload it.
    if (this.concurrency.inFlight > 0 || now < this.#pausedUntil) return;
    this.#pause(hint, "overloaded, with nothing in flight", now);
    this.concurrency.restart();
  }

  #pause(hint: number | undefined, reason: string, now: number): void {
    if (now < this.#pausedUntil) return;
    const own = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(this.#pauses, 10));
    this.#pauses++;
    // A hint speaks of one call: the lane as a whole asks again earlier, with one.
    const ms = hint === undefined ? own : Math.min(hint, Math.max(own, FIRST_PAUSE * 2));
    this.#pausedUntil = now + ms;
    this.#probeNext = true;
    this.#pace.resume(this.#pausedUntil);
    this.#observe({ type: "pause", ms, reason });
  }
}

const NOW = { ms: 0, cause: "concurrency" } as const;
const FULL = { ms: Number.POSITIVE_INFINITY, cause: "concurrency" } as const;
const NOTHING: Amounts = { requests: 0, input: 0, output: 0, tokens: 0 };
