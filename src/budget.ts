/** What may still be spent: arithmetic of dollars reserved, spent and left. Pure, but for waking those who wait for room. */

/**
 * A cap that is never passed, as long as each call reserves the most it can cost before it starts. A reservation is
 * settled with what the call was billed; one that may have been billed unheard is spent as it stands.
 */
export class Budget {
  /** US dollars. */
  readonly cap: number;
  readonly #within: Budget | undefined;
  #spent = 0;
  #reserved = 0;
  #pending = 0;
  readonly #waiting = new Set<() => void>();

  /** @param within another one that holds as well: a run's, for a stage with one of its own */
  constructor(cap: number, within?: Budget) {
    this.cap = cap;
    this.#within = within;
  }

  /** Neither spent nor reserved. */
  get left(): number {
    return this.cap - this.#spent - this.#reserved;
  }

  /** Reservations that are not settled: calls that may still give some of it back. */
  get pending(): number {
    return this.#pending;
  }

  /** The budget that has no room for so much; undefined when there is room. */
  short(dollars: number): Budget | undefined {
    return dollars > this.left ? this : this.#within?.short(dollars);
  }

  /** To be called only when there is room. */
  reserve(dollars: number): void {
    this.#pending++;
    this.#reserved += dollars;
    this.#within?.reserve(dollars);
  }

  /** @param reserved as it was reserved @param spent at most `reserved` */
  settle(reserved: number, spent: number): void {
    this.#pending--;
    // Sums of fractions drift; with nothing reserved the sum is known.
    this.#reserved = this.#pending === 0 ? 0 : this.#reserved - reserved;
    this.#spent += spent;
    this.#within?.settle(reserved, spent);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const act of waiting) act();
  }

  /** Calls `act` once, when a reservation has been settled. */
  onRoom(act: () => void): void {
    this.#waiting.add(act);
  }
}

/** Cents where it is dollars, more digits where it is less. */
export function dollars(amount: number): string {
  if (amount === 0 || amount >= 1) return `$${money().format(amount)}`;
  return amount < 0.0001 ? "less than $0.0001" : `$${amount.toFixed(4)}`;
}

let format: Intl.NumberFormat | undefined;

/** Made when first used: making it loads the data of a language, 10 ms of every start. */
function money(): Intl.NumberFormat {
  format ??= new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return format;
}
