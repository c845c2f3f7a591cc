/** The calls of one stage that wait to start: higher priority first, but whoever waits long enough goes before it. */

import TinyQueue from "tinyqueue";

/** A level of priority goes before those that came so long earlier, ms; and no more than so many levels count. */
export const AGEING = 10_000;
export const MOST_PRIORITY = 100;

export interface Waiter {
  /** When its record first asked to be let in, ms. Kept when it comes back after a refusal or a fault. */
  readonly since: number;
  readonly priority: number;
  /** It has given up. */
  gone: boolean;
}

/** The calls of a stage in flight, or of several that share a bound. */
export interface Flight {
  calls: number;
  /** Calls at most, of all that share it; may be changed at any time. Left out: what each line allows. */
  limit?: number | undefined;
  /** Gates where somebody waits for one of them to end, with the number of their lines. */
  gates?: Map<() => void, number>;
}

/** Since everybody ages at the same pace, the order of two never changes: by when they came, shifted by their priority. */
const due = ({ since, priority }: Waiter): number =>
  since - AGEING * Math.max(-MOST_PRIORITY, Math.min(MOST_PRIORITY, priority));

export class Line<W extends Waiter> {
  /** Calls in flight at most. */
  readonly limit: number;
  /** The longest outage that its calls wait out, ms. */
  readonly patience: number;
  /** Called when one that waited starts. */
  onStart: (() => void) | undefined;
  readonly #flight: Flight;
  #waiting = 0;
  #count = 0;
  readonly #queue = new TinyQueue<{ readonly waiter: W; readonly due: number; readonly order: number }>(
    [],
    (a, b) => a.due - b.due || a.order - b.order,
  );

  /** @param flight shared with the stage's other lines, where it has several, and with stages under one bound */
  constructor(limit: number, patience: number, flight: Flight = { calls: 0 }) {
    this.limit = limit;
    this.patience = patience;
    this.#flight = flight;
  }

  get waiting(): number {
    return this.#waiting;
  }

  add(waiter: W): void {
    this.#waiting++;
    this.#queue.push({ waiter, due: due(waiter), order: this.#count++ });
  }

  /** It gives up. */
  remove(waiter: W): void {
    if (waiter.gone) return;
    waiter.gone = true;
    this.#waiting--;
  }

  /** Who is next, and since when it is as good as waiting; undefined when nobody is or no more may be in flight. */
  get head(): { readonly waiter: W; readonly due: number } | undefined {
    if (this.#flight.calls >= (this.#flight.limit ?? this.limit)) return undefined;
    for (;;) {
      const head = this.#queue.peek();
      if (head === undefined || !head.waiter.gone) return head;
      this.#queue.pop();
    }
  }

  /** The head starts. */
  shift(): void {
    this.#flight.calls++;
    const head = this.#queue.pop();
    if (head !== undefined && !head.waiter.gone) this.#waiting--;
    this.onStart?.();
  }

  /** A call that had started has ended: there may be room at the flight's other gates, which nothing else tells. */
  landed(own?: () => void): void {
    this.#flight.calls--;
    for (const pump of this.#flight.gates?.keys() ?? []) if (pump !== own) pump();
  }

  /** Somebody waits here, at a gate that `pump` sets going. */
  opened(pump: () => void): void {
    this.#flight.gates ??= new Map();
    this.#flight.gates.set(pump, (this.#flight.gates.get(pump) ?? 0) + 1);
  }

  /** Nobody does any more. */
  emptied(pump: () => void): void {
    const lines = (this.#flight.gates?.get(pump) ?? 1) - 1;
    if (lines === 0) this.#flight.gates?.delete(pump);
    else this.#flight.gates?.set(pump, lines);
  }

  /** All who wait, in no order. */
  all(): readonly W[] {
    return this.#queue.data.map(({ waiter }) => waiter).filter(({ gone }) => !gone);
  }
}
