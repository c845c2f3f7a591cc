/** How large a call will be, learned from those that were: length × a ratio, since no tokenizer is on this path. */

/** Tokens a character before anything is known: English prose has about four characters a token. */
const FIRST_RATIO = 0.25;

/** Output tokens before anything is known. */
const FIRST_OUTPUT = 300;

/** The first calls count fully, so that a wrong start is forgotten; later ones as much as a 20th. */
const LEAST_WEIGHT = 0.05;

/** One provider's and one model's ratios. */
export class Estimate {
  #calls = 0;
  #ratio = FIRST_RATIO;
  #output = FIRST_OUTPUT;

  /** @param length characters of everything that is sent */
  input(length: number): number {
    return Math.ceil(length * this.#ratio);
  }

  /** @param most the request's output limit */
  output(most: number): number {
    return Math.min(Math.ceil(this.#output), most);
  }

  learn(length: number, { inputTokens, outputTokens }: { inputTokens: number; outputTokens: number }): void {
    // A server that does not tell usage says 0: that is no size.
    if (length === 0 || inputTokens === 0) return;
    this.#calls++;
    const weight = Math.max(1 / this.#calls, LEAST_WEIGHT);
    this.#ratio += (inputTokens / length - this.#ratio) * weight;
    this.#output += (outputTokens - this.#output) * weight;
  }
}
