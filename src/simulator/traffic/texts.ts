/** What the server remembers of each text: how often it came, how often a fault was drawn for it, whether it was spoiled. */

interface Memory {
  seen: number;
  draws: number;
  spoiled: boolean;
}

export class Texts {
  readonly #memories = new Map<string, Memory>();
  readonly #size: number;

  /** Keeps `size` texts; the one that came first is forgotten first. */
  constructor(size: number) {
    this.#size = size;
  }

  get distinct(): number {
    return this.#memories.size;
  }

  /** Counts a call; returns its attempt number, the first being 1. */
  see(text: string): number {
    return ++this.#of(text).seen;
  }

  /** Counts a draw. Calls that limits or the knee turned away never get here, so timing does not shift the draws. */
  draw(text: string): number {
    return ++this.#of(text).draws;
  }

  isSpoiled(text: string): boolean {
    return this.#memories.get(text)?.spoiled ?? false;
  }

  /** Notes that a text has had its content fault. */
  spoil(text: string): void {
    this.#of(text).spoiled = true;
  }

  #of(text: string): Memory {
    const known = this.#memories.get(text);
    if (known) return known;
    const memory = { seen: 0, draws: 0, spoiled: false };
    this.#memories.set(text, memory);
    if (this.#memories.size > this.#size) {
      for (const oldest of this.#memories.keys()) {
        this.#memories.delete(oldest);
        break;
      }
    }
    return memory;
  }
}
