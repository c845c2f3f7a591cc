/** Whether a provider is out of order, and when to ask it again: pure, the clock (ms) passed in. */

/** So many faults in a row, of several records, are no longer the records' own. */
const FAULTS = 8;
const RECORDS = 3;

/** Between two probes, ms: doubled each time up to the longest. */
const FIRST_PROBE = 1_000;
const LONGEST_PROBE = 30_000;

export class Outage {
  #faults = 0;
  readonly #records = new Set<object>();
  #since: number | undefined;
  #probes = 0;
  #next = 0;
  #probing = false;

  get active(): boolean {
    return this.#since !== undefined;
  }

  /** When the first of the faults in a row was heard that is now taken for an outage. */
  get since(): number | undefined {
    return this.#since;
  }

  /** The provider has answered, in whatever words. True when that ends an outage. */
  heard(): boolean {
    this.#faults = 0;
    this.#records.clear();
    const ended = this.active;
    this.#since = undefined;
    this.#probing = false;
    return ended;
  }

  /** A fault. True when it begins an outage. @param record whose call it was */
  fault(record: object, now: number): boolean {
    if (this.active) return false;
    this.#faults++;
    if (this.#records.size < RECORDS) this.#records.add(record);
    if (this.#faults < FAULTS || this.#records.size < RECORDS) return false;
    this.#since = now;
    this.#probes = 0;
    this.#next = now + FIRST_PROBE;
    return true;
  }

  /** Ms until one call may probe; Infinity while one does. */
  wait(now: number): number {
    if (!this.active) return 0;
    return this.#probing ? Number.POSITIVE_INFINITY : Math.max(0, this.#next - now);
  }

  probe(): void {
    this.#probing = true;
  }

  /** The probe has failed, or was taken back. */
  probed(now: number): void {
    this.#probing = false;
    this.#probes++;
    this.#next = now + Math.min(LONGEST_PROBE, FIRST_PROBE * 2 ** Math.min(this.#probes, 10));
  }
}
