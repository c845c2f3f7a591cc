/** What has been seen lately, by signatures in a window of fixed size: the oldest goes when a new one comes. */

/** One that is remembered, and how much of it is alike: 1 is all. */
export interface Match {
  /** The place in the window that `add` gave it. */
  readonly slot: number;
  readonly share: number;
}

interface Shape {
  /** Signatures remembered. */
  readonly most: number;
  /** 32-bit words of a signature, cut into bands of equal length. */
  readonly words: number;
  /** Only signatures that agree in one whole band are compared. */
  readonly bands: number;
}

/** Candidates compared in one band: texts built to collide must not make every look a search through all. */
const MOST_CANDIDATES = 64;

/** Slots made at first; they double up to `most`, so that a short run takes little memory. */
const FIRST_SLOTS = 1_024;

/**
 * Signatures that share a band form a chain, from the newest to the oldest. Since the oldest of all is always the one to go,
 * a link to one that has gone is the chain's end, and nothing need ever be unlinked.
 */
export class Seen {
  readonly #shape: Shape;
  #slots = 0;
  /** Signatures added so far; number n lies in slot n modulo the slots. */
  #count = 0;
  #signatures = new Uint32Array(0);
  /** For each band and bucket, 1 + the number of the newest; for each band and slot, of the next older. 0: none. */
  #newest = new Float64Array(0);
  #older = new Float64Array(0);

  constructor(shape: Shape) {
    this.#shape = shape;
    this.#grow(Math.min(shape.most, FIRST_SLOTS));
  }

  /** The one that is most alike, if any is alike in at least `least` of its words. */
  find(signature: Uint32Array, least: number): Match | undefined {
    let best: Match | undefined;
    for (let band = 0; band < this.#shape.bands; band++) {
      let next = this.#newest[this.#bucket(signature, band)] as number;
      for (let looks = 0; next > this.#count - this.#slots && next > 0 && looks < MOST_CANDIDATES; looks++) {
        const slot = (next - 1) % this.#slots;
        const share = this.#alike(signature, slot);
        if (share >= least && share > (best?.share ?? 0)) best = { slot, share };
        if (share === 1) return best;
        next = this.#older[band * this.#slots + slot] as number;
      }
    }
    return best;
  }

  /** @returns its place, which is another one's later */
  add(signature: Uint32Array): number {
    if (this.#count === this.#slots && this.#slots < this.#shape.most) {
      this.#grow(Math.min(this.#shape.most, 2 * this.#slots));
    }
    const slot = this.#count % this.#slots;
    this.#signatures.set(signature, slot * this.#shape.words);
    this.#link(signature, this.#count);
    this.#count++;
    return slot;
  }

  #link(signature: Uint32Array, number: number): void {
    const slot = number % this.#slots;
    for (let band = 0; band < this.#shape.bands; band++) {
      const bucket = this.#bucket(signature, band);
      this.#older[band * this.#slots + slot] = this.#newest[bucket] as number;
      this.#newest[bucket] = number + 1;
    }
  }

  /** Only while none has gone yet: every number is its slot. */
  #grow(slots: number): void {
    const { words, bands } = this.#shape;
    const signatures = new Uint32Array(slots * words);
    signatures.set(this.#signatures);
    this.#slots = slots;
    this.#signatures = signatures;
    this.#newest = new Float64Array(bands * slots);
    this.#older = new Float64Array(bands * slots);
    for (let number = 0; number < this.#count; number++) {
      this.#link(signatures.subarray(number * words, (number + 1) * words), number);
    }
  }

  #bucket(signature: Uint32Array, band: number): number {
    const length = this.#shape.words / this.#shape.bands;
    let hash = 0x811c9dc5;
    for (let at = band * length; at < (band + 1) * length; at++) {
      hash = Math.imul(hash ^ (signature[at] as number), 0x01000193);
      hash ^= hash >>> 15;
    }
    return band * this.#slots + ((hash >>> 0) % this.#slots);
  }

  #alike(signature: Uint32Array, slot: number): number {
    const { words } = this.#shape;
    let same = 0;
    for (let at = 0; at < words; at++) if (this.#signatures[slot * words + at] === signature[at]) same++;
    return same / words;
  }
}
