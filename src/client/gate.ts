/** Lets waiting calls in: the next one of all stages' lines, on the lane where it can start soonest. */

import { type Budget, dollars } from "../budget.ts";
import { failure, type MillraceError } from "../errors.ts";
import type { WaitCause } from "../limits/admission.ts";
import { LONGEST_TIMER } from "../limits/sleep.ts";
import { misaddressed } from "./address.ts";
import type { Lane, Measure, Started } from "./lane.ts";
import type { Line, Waiter } from "./line.ts";
import type { Claim } from "./spending.ts";

/** A call that waits to be let in. */
export interface Place extends Waiter {
  readonly line: Line<Place>;
  readonly measure: Measure;
  /** What it must reserve; undefined: nothing caps the cost. */
  readonly claim?: Claim | undefined;
  /** It may start, on this lane. */
  go(lane: Lane, started: Started): void;
  /** It will not be let in. */
  give(error: MillraceError): void;
}

/**
 * Starts in one turn of the event loop. Were all let in at once that there is room for, a hundred would be refused before
 * the first refusal is heard.
 */
const STARTS_A_TURN = 1;

/** `budget`: the cap on the cost leaves room only when calls in flight turn out cheaper than they might. */
type HoldCause = WaitCause | "budget";

/** So long, ms, a provider is waited for that was never heard and whose address is wrong, by all that shows. */
const UNHEARD_PATIENCE = 30_000;

export class Gate {
  readonly lanes: readonly Lane[];
  /** Ms in which the first in line was held back, by cause. */
  readonly heldBack: Partial<Record<HoldCause, number>> = {};
  readonly #lines = new Set<Line<Place>>();
  readonly #pump = () => this.pump();
  #timer: NodeJS.Timeout | undefined;
  #startsLeft = STARTS_A_TURN;
  #nextTurn: NodeJS.Immediate | undefined;
  #held: { readonly cause: HoldCause; readonly since: number } | undefined;

  constructor(lanes: readonly Lane[]) {
    this.lanes = lanes;
  }

  get open(): readonly Lane[] {
    return this.lanes.filter(({ closed }) => closed === undefined);
  }

  /** Calls that wait to start. */
  get waiting(): number {
    let waiting = 0;
    for (const line of this.#lines) waiting += line.waiting;
    return waiting;
  }

  /** What holds the next of them back. */
  get heldBy(): HoldCause | undefined {
    return this.#held?.cause;
  }

  enter(place: Place): void {
    if (this.#lines.size === 0) for (const lane of this.lanes) lane.onRoom(this.#pump);
    if (!this.#lines.has(place.line)) place.line.opened(this.#pump);
    this.#lines.add(place.line);
    place.line.add(place);
    this.pump();
  }

  leave(place: Place): void {
    place.line.remove(place);
    this.#tidy();
  }

  /** A call of this line that had started has ended. */
  landed(line: Line<Place>): void {
    line.landed(this.#pump);
    this.pump();
  }

  /** Lets in whoever may start now, and comes back when the next one may. */
  pump(): void {
    if (this.#nextTurn !== undefined && this.#startsLeft === 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = performance.now();
    this.#count(now);
    if (this.open.length === 0) this.#turnAway();
    for (;;) {
      const line = this.#next();
      const place = line?.head?.waiter;
      if (line === undefined || place === undefined) break;
      const best = this.#soonest(place, now);
      if (best.ms > 0) {
        this.#held = { cause: best.cause, since: now };
        this.#comeBack(Math.min(best.ms, this.#giveUp(now)));
        return;
      }
      if (this.#startsLeft === 0) return;
      this.#startsLeft--;
      this.#nextTurn ??= setImmediate(() => this.#turn());
      line.shift();
      place.claim?.budget.reserve(place.claim.dollars);
      place.go(best.lane, best.lane.start(place.measure, now));
    }
    this.#tidy();
  }

  #turn(): void {
    this.#nextTurn = undefined;
    this.#startsLeft = STARTS_A_TURN;
    this.pump();
  }

  #count(now: number): void {
    if (this.#held === undefined) return;
    const { cause, since } = this.#held;
    this.heldBack[cause] = (this.heldBack[cause] ?? 0) + (now - since);
    this.#held = undefined;
  }

  /** The line whose head comes first. */
  #next(): Line<Place> | undefined {
    let first: { readonly line: Line<Place>; readonly due: number } | undefined;
    for (const line of this.#lines) {
      const head = line.head;
      if (head === undefined || (first !== undefined && first.due <= head.due)) continue;
      if (this.#affords(line, head.waiter)) first = { line, due: head.due };
    }
    return first?.line;
  }

  /** Turns the line away when nothing is under way that could leave room for its head. */
  #affords(line: Line<Place>, { claim }: Place): boolean {
    const short = claim?.budget.short(claim.dollars);
    if (claim === undefined || short === undefined) return true;
    if (short.pending === 0) giveAll(line, capReached(short, claim));
    else {
      this.#held ??= { cause: "budget", since: performance.now() };
      short.onRoom(this.#pump);
    }
    return false;
  }

  #soonest(place: Place, now: number): { readonly lane: Lane; readonly ms: number; readonly cause: WaitCause } {
    let best: { lane: Lane; ms: number; cause: WaitCause; load: number } | undefined;
    for (const lane of this.lanes) {
      if (lane.closed !== undefined) continue;
      const { ms, cause } = lane.wait(place.measure, now);
      const { inFlight, limit } = lane.admission.concurrency;
      const load = inFlight / limit;
      if (best === undefined || ms < best.ms || (ms === best.ms && load < best.load)) best = { lane, ms, cause, load };
    }
    return best as NonNullable<typeof best>;
  }

  #comeBack(ms: number): void {
    if (ms === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(this.#pump, Math.min(Math.ceil(ms), LONGEST_TIMER));
  }

  /** Ends the wait of those whose patience with an outage of all lanes is over. @returns ms until the next one's is */
  #giveUp(now: number): number {
    const last = this.#lastOut();
    if (last === undefined) return Number.POSITIVE_INFINITY;
    const { lane, since } = last;
    let soonest = Number.POSITIVE_INFINITY;
    for (const line of this.#lines) {
      const patience = unreached(lane) ? Math.min(line.patience, UNHEARD_PATIENCE) : line.patience;
      const left = since + patience - now;
      if (left > 0) soonest = Math.min(soonest, left);
      else giveAll(line, outOfOrder(lane, now - since));
    }
    return soonest;
  }

  /** Of lanes that are all out of order the one that held out longest; undefined while one is not. */
  #lastOut(): { readonly lane: Lane; readonly since: number } | undefined {
    let last: { readonly lane: Lane; readonly since: number } | undefined;
    for (const lane of this.lanes) {
      if (lane.closed !== undefined) continue;
      const since = lane.admission.outSince;
      if (since === undefined) return undefined;
      if (last === undefined || since > last.since) last = { lane, since };
    }
    return last;
  }

  #turnAway(): void {
    const why = this.lanes[0]?.closed ?? failure("internal", "A provider without lanes was asked.");
    for (const line of this.#lines) giveAll(line, why);
  }

  /** Nobody waits: nothing holds the lanes to this gate. */
  #tidy(): void {
    for (const line of this.#lines) {
      if (line.waiting > 0) continue;
      this.#lines.delete(line);
      line.emptied(this.#pump);
    }
    if (this.#lines.size > 0) return;
    clearTimeout(this.#timer);
    for (const lane of this.lanes) lane.offRoom(this.#pump);
  }
}

function giveAll(line: Line<Place>, error: MillraceError): void {
  for (const place of line.all()) {
    line.remove(place);
    place.give(error);
  }
}

function capReached({ cap, left }: Budget, claim: Claim): MillraceError {
  const most = dollars(claim.dollars);
  const room = `Of the cap of ${dollars(cap)} on the cost ${dollars(left)} is left, and the next call may cost ${most}`;
  return failure(
    "cost_cap_reached",
    `${room}. Allow more with --max-cost (maxCost), or less output with --max-output-tokens.`,
  );
}

const unreached = ({ heard, fault }: Lane): boolean => !heard && misaddressed(fault);

function outOfOrder(lane: Lane, ms: number): MillraceError {
  const { fault, provider } = lane;
  const why = fault?.message ?? `${provider.name} does not answer.`;
  const seconds = Math.round(ms / 1_000);
  const text = unreached(lane)
    ? `No call has been answered in ${seconds} s: ${why}`
    : `Every call has failed for ${seconds} s, the last with: ${why} Run it again later, or allow more with --max-wait (maxWait).`;
  return failure("max_wait_exceeded", text, { cause: fault, status: fault?.status });
}
