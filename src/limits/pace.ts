/**
 * A rate that nobody tells, found by refusals. A refusal says that the provider's bucket is empty at that moment; so what
 * was let through between two refusals, by the time between them, is the rate itself, however large the bucket.
 */

import { Bucket } from "./bucket.ts";
import { Opening } from "./opening.ts";

/** So many refused of so many that started one after the other: it is the rate, not a call here and there. */
const REFUSED = 4;
const OF_STARTS = 6;

/** Calls a second with which the search for the rate starts, and how fast it doubles, ms. */
const FIRST_PACE = 8;
const DOUBLING = 200;

/** The least time to measure a rate over, ms. */
const LEAST_MS = 250;

/** So many calls measure a rate well; of the moments when the bucket was empty so many are kept to find them. */
const GOOD = 50;
const KEPT = 32;

/** Fewer than so many may be few because a small bucket ran over between two moments when it was empty. */
const FEW = 20;

/** After a lull so long, ms, the provider's bucket may have run over: what was let through since says nothing. */
const LULL = 5_000;

/** Held at the rate that was found for so long, ms; then faster and faster (as TCP CUBIC does, RFC 9438). */
const PLATEAU = 3_000;
/** Per s³: 1.9 times the rate 10 s after it was found. */
const ACCELERATION = 0.0026;

/**
 * Growth meets a limit once in some 5 s. So many single refusals in so many ms, among so many calls, are not for our rate:
 * they are left to the calls themselves, and for a while it takes more to believe in a rate.
 */
const UNRELATED = 5;
const UNRELATED_MS = 7_000;
const UNRELATED_CALLS = 40;
const DOUBT = 60_000;

/** Below this part of our own pace the provider's rate is another. */
const AS_FAST = 0.95;

/** Refusals nearer to one another than this are of one moment, ms. */
const MOMENT = 100;

/** Grown so far without a refusal, it is no limit any more. */
const GONE = 4;

/** A search that meets no refusal for so long, ms, finds nothing. */
const NOTHING = 10_000;

/** What was carried for so long, ms, is more than a bucket's first burst. */
const LONG = 1_000;

/** So many times below what was carried before, a rate has to be shown by more than one refusal. */
const PLUNGE = 4;

/** What may start at once after a lull, as a part of a second's worth. */
const BURST = 0.1;

const SLOWER = 0.7;

/** So many refusals in a row may be for a debt that is still being paid; each time twice as many calls' time is waited. */
const DRY = 5;

/** A rate measured so short a time ago, ms, is not doubted for refusals that follow one another. */
const FRESH = 1_000;

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
  /** The part of a call that is drawn when it is answered. */
  readonly late: number;
}

export class Pace {
  readonly #opening = new Opening();
  #found: Found | undefined;
  #bucket: Bucket | undefined;
  /** The numbers of the last refused calls. */
  readonly #last: number[] = [];
  #started = 0;
  #answered = 0;
  #refused = 0;
  #lastStart = 0;
  #firstStart: number | undefined;
  /** Calls a second that were let through before the search. */
  #proven = 0;
  readonly #empty: Empty[] = [];
  #cutAt = Number.NEGATIVE_INFINITY;
  /** Refusals in a row between which nothing was let through, and when the last one was heard. */
  #dry = 0;
  #dryAt = Number.NEGATIVE_INFINITY;
  /** Calls that were refused while others were let through, at a pace that was found. */
  readonly #single: PaceMark[] = [];
  #doubtUntil = Number.NEGATIVE_INFINITY;

  /** Calls a minute; undefined: none is known. */
  perMinute(now: number): number | undefined {
    return this.#found === undefined ? undefined : paceOf(this.#found, now) * 60;
  }

  wait(now: number): number {
    const bucket = this.#tuned(now);
    return bucket === undefined ? this.#opening.wait(now) : bucket.wait(1, now);
  }

  /** A call starts. The mark is handed back when it is refused. */
  start(now: number): PaceMark {
    this.#tuned(now)?.take(1, now);
    this.#opening.start(now);
    if (now - this.#lastStart > LULL) this.#empty.length = 0;
    this.#lastStart = now;
    this.#firstStart ??= now;
    return { at: now, started: ++this.#started };
  }

  answered(answer: Parameters<Opening["answered"]>[0], now: number): void {
    this.#opening.answered(answer, now);
    this.#answered++;
  }

  /**
   * A call was refused for its rate. True when the lane had better pause.
   *
   * @param told.late the part of a call that its limit takes when it is answered: 1 for one of output; undefined: it is not
   * known which limit it was
   */
  refused(mark: PaceMark, told: { late: number | undefined; inFlight: number; now: number }): boolean {
    const { late = 0, inFlight, now } = told;
    const empty = this.#emptied(mark, late, now);
    this.#refused++;
    // What had started before the last change of pace was sent at the old one.
    if (mark.at < this.#cutAt) return false;
    const most = this.#most(mark.started, now);
    if (this.#found === undefined) {
      if (!most) return false;
      this.#empty.push(empty);
      this.#proven = this.#sustained(now);
      this.#change({ mode: "searching", base: FIRST_PACE, since: now }, now);
      return true;
    }
    // Nothing was let through since the bucket was last empty: it is deep in debt. A rate shows later.
    if (empty.drawn - (this.#empty.at(-1)?.drawn ?? 0) >= 1) this.#dry = 0;
    else if (this.#found.mode === "searching") return true;
    else if (this.#dry < DRY) {
      // What had started by the last time says nothing new.
      if (mark.at >= this.#dryAt) this.#bucket?.set(Math.min(this.#bucket.level(now), -(2 ** ++this.#dry)), now);
      this.#dryAt = now;
      return false;
    }
    // What is in flight will still draw its part.
    const debt = late * inFlight;
    this.#bucket?.set(Math.min(this.#bucket.level(now), -debt), now);
    const measured = this.#measured(empty, most);
    // A refusal that shows us to be too fast is for our rate.
    const tooFast = measured !== undefined && measured < paceOf(this.#found, now) * AS_FAST;
    if (!most && !tooFast && this.#unrelated(mark)) {
      this.#found = undefined;
      this.#bucket = undefined;
      this.#doubtUntil = now + DOUBT;
      return false;
    }
    if (measured !== undefined && this.#credible(measured, most)) {
      this.#change({ mode: "keeping", base: measured, since: now }, now, debt);
      return false;
    }
    if (!most) return false;
    // What is in flight may be counted when it is answered.
    if (told.late === undefined && this.#found.mode === "keeping" && now - this.#found.since < FRESH) {
      this.#change(this.#found, now, inFlight);
      return false;
    }
    // Too soon to measure, and still too fast.
    this.#change({ mode: "keeping", base: paceOf(this.#found, now) * SLOWER, since: now }, now, debt);
    return true;
  }

  #emptied(mark: PaceMark, late: number, now: number): Empty {
    // Refusals come in the order of their calls, or nearly: those before this one are known.
    if (late === 0) return { at: mark.at, drawn: mark.started - 1 - this.#refused, late };
    const letThrough = this.#started - 1 - this.#refused;
    return { at: now, drawn: (1 - late) * letThrough + late * this.#answered, late };
  }

  /** Calls a second since the bucket was empty before, if that says enough. */
  #measured(empty: Empty, most: boolean): number | undefined {
    if (this.#empty[0]?.late !== empty.late) this.#empty.length = 0;
    const last = this.#empty.at(-1);
    if (last !== undefined && empty.at - last.at < LEAST_MS) return undefined;
    const from = this.#empty.findLast(({ drawn }) => empty.drawn - drawn >= GOOD) ?? this.#empty[0];
    this.#empty.push(empty);
    if (this.#empty.length > KEPT) this.#empty.shift();
    if (from === undefined || last === undefined) return undefined;
    // Of a bucket that was empty twice so many came out, and less than one more.
    const pace = ((empty.drawn - from.drawn + 0.5) * 1_000) / (empty.at - from.at);
    if (most || empty.drawn - last.drawn >= FEW || this.#found?.mode !== "keeping") return pace;
    return Math.max(pace, Math.sqrt(pace * paceOf(this.#found, empty.at)));
  }

  /** Calls a second let through so far, if for long enough. */
  #sustained(now: number): number {
    const ms = now - (this.#firstStart ?? now);
    return ms < LONG ? 0 : ((this.#started - this.#refused) * 1_000) / ms;
  }

  /** A search that ends far below what was carried before may have met a refusal of another kind. */
  #credible(pace: number, most: boolean): boolean {
    return most || this.#found?.mode !== "searching" || pace > this.#proven / PLUNGE;
  }

  #most(refused: number, now: number): boolean {
    // What has long been carried is not given up for a chance; nor soon after such an error.
    const carried = this.#found === undefined && this.#sustained(now) > 0;
    const factor = carried || now < this.#doubtUntil ? 2 : 1;
    this.#last.push(refused);
    if (this.#last.length > REFUSED * 2) this.#last.shift();
    const first = this.#last.at(-REFUSED * factor);
    return first !== undefined && refused - first < OF_STARTS * factor;
  }

  #unrelated(mark: PaceMark): boolean {
    const last = this.#single.at(-1);
    if (this.#found?.mode !== "keeping" || (last !== undefined && mark.at - last.at < MOMENT)) return false;
    this.#single.push(mark);
    if (this.#single.length < UNRELATED) return false;
    const first = this.#single.shift() as PaceMark;
    return mark.at - first.at < UNRELATED_MS && mark.started - first.started >= UNRELATED_CALLS;
  }

  /** Nothing was sent until now: the search, or what is kept, goes on from here. */
  resume(now: number): void {
    if (this.#found !== undefined) this.#change({ ...this.#found, since: now }, now);
  }

  #change(found: Found, now: number, debt = 0): void {
    this.#found = found;
    this.#cutAt = now;
    this.#last.length = 0;
    if (found.mode === "searching") this.#single.length = 0;
    const pace = paceOf(found, now);
    this.#bucket = new Bucket(pace * 60, { capacity: burstOf(pace), level: -debt, now });
  }

  #tuned(now: number): Bucket | undefined {
    if (this.#found === undefined || this.#bucket === undefined) return undefined;
    const pace = paceOf(this.#found, now);
    const { mode, base, since } = this.#found;
    if (mode === "keeping" ? pace > base * GONE : now - since > NOTHING) {
      if (this.#found.mode === "searching") this.#doubtUntil = now + DOUBT;
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
