/** What the calls of one stage cost, and what they may: the most that each can be billed is reserved before it starts. */

import type { Budget } from "../budget.ts";
import { isMillraceError, type MillraceError } from "../errors.ts";
import { costOf, mostOf, type Price, priceOf } from "../providers/prices.ts";
import type { Completion, ModelRequest, Provider } from "../providers/provider.ts";
import type { CostTally, Prices } from "../usage.ts";
import { perhapsBilled } from "./billed.ts";

/** What a call reserves of its run's budget. */
export interface Claim {
  readonly budget: Budget;
  /** US dollars. */
  readonly dollars: number;
}

/** A call that has ended, or was never sent. */
export interface Ended {
  readonly provider: Provider;
  readonly request: ModelRequest;
  readonly claim: Claim | undefined;
  readonly sent: boolean;
  readonly outcome: Completion | MillraceError | undefined;
}

/**
 * Tokens that vendors put around what is sent: roles, instructions that have the answer follow a schema. Anthropic names
 * some 500 at most for its tools' (docs, "Tool use": pricing), of which this is the double.
 */
const AROUND_REQUEST = 1_000;
const AROUND_MESSAGE = 16;

/** A schema's constraints may be said a second time, in its descriptions (`providers/json-schema.ts`). */
const SCHEMA_TIMES = 2;

/**
 * Input tokens at most. The vendors' tokenizers work on bytes, so that a text has no more tokens than bytes. Real texts have
 * a quarter to a half of it; but an average that was learned from those before is no bound on the next one.
 */
function mostInput({ system = "", messages, schema }: ModelRequest): number {
  let bytes = AROUND_REQUEST + Buffer.byteLength(system) + SCHEMA_TIMES * bytesOf(schema);
  for (const { content } of messages) bytes += AROUND_MESSAGE + Buffer.byteLength(content);
  return bytes;
}

const sizes = new WeakMap<object, number>();

/** All requests of a stage have the same schema. */
function bytesOf(schema: object | undefined): number {
  if (schema === undefined) return 0;
  let bytes = sizes.get(schema);
  if (bytes === undefined) {
    bytes = Buffer.byteLength(JSON.stringify(schema));
    sizes.set(schema, bytes);
  }
  return bytes;
}

/** US dollars that one attempt can cost at most. */
const mostDollars = (price: Price, request: ModelRequest, { maxOutputTokens }: Provider): number =>
  mostOf(price, { inputTokens: mostInput(request), outputTokens: request.maxOutputTokens ?? maxOutputTokens });

export class Spending {
  readonly #tally: CostTally;
  readonly #budget: Budget | undefined;
  readonly #prices: Prices | undefined;
  readonly #known = new Map<Provider, Price | undefined>();

  constructor(tally: CostTally, { budget, prices }: { budget?: Budget | undefined; prices?: Prices | undefined } = {}) {
    this.#tally = tally;
    this.#budget = budget;
    this.#prices = prices;
  }

  /** Whether there is a cap. */
  get capped(): boolean {
    return this.#budget !== undefined;
  }

  priceOf(provider: Provider): Price | undefined {
    if (this.#known.has(provider)) return this.#known.get(provider);
    const price = priceOf(provider, { prices: this.#prices });
    this.#known.set(provider, price);
    return price;
  }

  /** What an attempt must reserve, whichever of the members makes it; undefined when nothing caps the cost. */
  claim(members: readonly Provider[], request: ModelRequest): Claim | undefined {
    const budget = this.#budget;
    if (budget === undefined) return undefined;
    let dollars = 0;
    for (const member of members) {
      const price = this.priceOf(member);
      if (price !== undefined) dollars = Math.max(dollars, mostDollars(price, request, member));
    }
    return { budget, dollars };
  }

  settle({ provider, request, claim, sent, outcome }: Ended): void {
    const bill = sent ? billOf(outcome) : "nothing";
    if (bill === "nothing") {
      claim?.budget.settle(claim.dollars, 0);
      return;
    }
    const tally = this.#tally;
    const price = this.priceOf(provider);
    if (price === undefined) {
      tally.unpriced++;
      // Of a capped run's providers all prices are known.
      claim?.budget.settle(claim.dollars, claim.dollars);
      return;
    }
    if (price.date !== undefined) tally.pricesDate = price.date;
    const told = bill === "unheard" ? undefined : costOf(price, bill.usage);
    const dollars = told ?? claim?.dollars ?? mostDollars(price, request, provider);
    if (told === undefined) tally.unheard += dollars;
    else tally.dollars += dollars;
    claim?.budget.settle(claim.dollars, dollars);
  }
}

/** So may be an answer that does not tell its usage. */
function billOf(outcome: Completion | MillraceError | undefined): "nothing" | "unheard" | Pick<Completion, "usage"> {
  if (outcome === undefined || isMillraceError(outcome)) return perhapsBilled(outcome) ? "unheard" : "nothing";
  return outcome.usage.inputTokens > 0 ? outcome : "unheard";
}
