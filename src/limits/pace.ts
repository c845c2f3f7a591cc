/**
 * A rate that nobody tells, found by refusals. A refusal says that the provider's bucket is empty at that moment; so what
 * was let through between two refusals, by the time between them, is the rate itself, however large the bucket.
 */

import { Bucket } from "./bucket.ts";

/** So many refused of so many that started one after the other: it is the rate, not a call here and there. */
const REFUSED = 4;
const OF_STARTS = 6;

/** Calls a second with which the search for the rate starts, and how fast it doubles, ms. */
const FIRST_PACE = 8;
const DOUBLING = 200;

/** The least time to measure a rate over, ms. */
const LEAST_MS = 250;

/** After a lull so long, ms, the provider's bucket may have run over: what was let through since says nothing. */
const LULL = 5_000;

/** Held at the rate that was found for so long, ms; then faster and faster (as TCP CUBIC does, RFC 9438). */
const PLATEAU = 3_000;
/** Per s³: 1.9 times the rate 10 s after it was found. */
const ACCELERATION = 0.0026;

/**
 * Growth meets a limit once in some 5 s. So many refusals in so many ms, with calls let through between them, are not for
 * our rate: they are left to the calls themselves, and for a while it takes more to believe in a rate.
 */
const UNRELATED = 5;
const UNRELATED_MS = 7_000;
const DOUBT = 60_000;

/** Grown so far without a refusal, it is no limit any more. */
const GONE = 4;

/** What may start at once after a lull, as a part of a second's worth. */
const BURST = 0.1;

const SLOWER = 0.7;

interface Found {
  readonly mode: "searching" | "keeping";
  /** Calls a second when it began. */
  readonly base: number;
  readonly since: number;
}

/** A call, as it stood when it started. */
export interface PaceMark {
  readonly at: number;
  /** Its number. */
  readonly started: number;
}

/** When the provider's bucket was known to be empty, and the calls that had drawn on it by then. */
interface Empty {
  readonly at: number;
  readonly drawn: number;
  /** Whether answers draw on it, rather than calls let through: an output limit. */
  readonly byAnswers: boolean;
}

export class Pace {
  #found: Found | undefined;
  #bucket: Bucket | undefined;
  /** The numbers of the last refused calls. */
  readonly #last: number[] = [];
  #started = 0;
  #answered = 0;
  #refused = 0;
  #lastStart = 0;
  #empty: Empty | undefined;
  #cutAt = Number.NEGATIVE_INFINITY;
  /** When calls were refused while others were let through, at a pace that was found. */
  readonly #single: number[] = [];
  #doubtUntil = Number.NEGATIVE_INFINITY;

  /** Calls a minute; undefined: none is known. */
  perMinute(now: number): number | undefined {
    return this.#found === undefined ? undefined : paceOf(this.#found, now) * 60;
  }

  wait(now: number): number {
    const bucket = this.#tuned(now);
    return bucket === undefined ? 0 : bucket.wait(1, now);
  }

  /** A call starts. The mark is handed back when it is refused. */
  start(now: number): PaceMark {
    this.#tuned(now)?.take(1, now);
    if (now - this.#lastStart > LULL) this.#empty = undefined;
    this.#lastStart = now;
    return { at: now, started: ++this.#started };
  }

  answered(): void {
    this.#answered++;
  }

  /**
   * A call was refused for its rate. True when the lane had better pause.
   *
   * @param byAnswers the limit is one of output
   */
  refused(mark: PaceMark, byAnswers: boolean, now: number): boolean {
    // Refusals come in the order of their calls, or nearly: those before this one are known.
    const empty = byAnswers
      ? { at: now, drawn: this.#answered, byAnswers }
      : { at: mark.at, drawn: mark.started - 1 - this.#refused, byAnswers };
    this.#refused++;
    // What had started before the last change of pace was sent at the old one.
    if (mark.at < this.#cutAt) return false;
    const most = this.#most(mark.started, now);
    if (this.#found === undefined) {
      if (!most) return false;
      this.#empty = empty;
      this.#change({ mode: "searching", base: FIRST_PACE, since: now }, now);
      return true;
    }
    if (!most && this.#unrelated(now)) {
      this.#found = undefined;
      this.#bucket = undefined;
      this.#doubtUntil = now + DOUBT;
      return false;
    }
    this.#bucket?.set(Math.min(this.#bucket.level(now), 0), now);
    const from = this.#empty;
    if (from === undefined || from.byAnswers !== byAnswers) this.#empty = empty;
    else if (empty.at - from.at >= LEAST_MS) {
      this.#empty = empty;
      // Of a bucket that was empty twice so many came out, and less than one more.
      const pace = ((empty.drawn - from.drawn + 0.5) * 1_000) / (empty.at - from.at);
      this.#change({ mode: "keeping", base: pace, since: now }, now);
      return false;
    }
    if (!most) return false;
    // Too soon to measure, and still too fast.
    this.#change({ mode: "keeping", base: paceOf(this.#found, now) * SLOWER, since: now }, now);
    return true;
  }

  #most(refused: number, now: number): boolean {
    const factor = now < this.#doubtUntil ? 2 : 1;
    this.#last.push(refused);
    if (this.#last.length > REFUSED * 2) this.#last.shift();
    const first = this.#last.at(-REFUSED * factor);
    return first !== undefined && refused - first < OF_STARTS * factor;
  }

  #unrelated(now: number): boolean {
    if (this.#found?.mode !== "keeping") return false;
    this.#single.push(now);
    if (this.#single.length < UNRELATED) return false;
    return now - (this.#single.shift() as number) < UNRELATED_MS;
  }

  /** Nothing was sent until now: the search, or what is kept, goes on from here. */
  resume(now: number): void {
    if (this.#found !== undefined) this.#change({ ...this.#found, since: now }, now);
  }

  #change(found: Found, now: number): void {
    this.#found = found;
    this.#cutAt = now;
    this.#last.length = 0;
    if (found.mode === "searching") this.#single.length = 0;
    const pace = paceOf(found, now);
    this.#bucket = new Bucket(pace * 60, { capacity: burstOf(pace), level: 0, now });
  }

  #tuned(now: number): Bucket | undefined {
    if (this.#found === undefined || this.#bucket === undefined) return undefined;
    const pace = paceOf(this.#found, now);
    if (this.#found.mode === "keeping" && pace > this.#found.base * GONE) {
      this.#found = undefined;
      this.#bucket = undefined;
      return undefined;
    }
    this.#bucket.tune(pace * 60, burstOf(pace), now);
    return this.#bucket;
  }
}

/** Calls a second. */
function paceOf({ mode, base, since }: Found, now: number): number {
  const ms = Math.max(0, now - since);
  if (mode === "searching") return base * 2 ** Math.min(ms / DOUBLING, 20);
  return base * (1 + ACCELERATION * (Math.max(0, ms - PLATEAU) / 1_000) ** 3);
}

const burstOf = (pace: number): number => Math.max(1, pace * BURST);
