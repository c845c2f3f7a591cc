/** What models cost: pure, from the data of a library that keeps it. */

import type { ModelPrice as ListedPrice } from "@pydantic/genai-prices";
import { load } from "../load.ts";
import type { ModelPrice, Prices, Usage } from "../usage.ts";
import type { Provider } from "./provider.ts";

/**
 * When the data was published: the day of `@pydantic/genai-prices` 0.1.8, which is depended on in this version exactly, so
 * that the date stays true.
 */
export const PRICES_DATE = "2026-09-23";

/** From so many input tokens on, in US dollars a token. */
interface Tier {
  /** It holds for calls with more input tokens than this. */
  readonly above: number;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** A model's price. Long inputs may cost more, and then the whole call does. */
export interface Price {
  /** Rising, the first above -1. */
  readonly tiers: readonly Tier[];
  /** The day of the data; undefined for a price that was given. */
  readonly date: string | undefined;
}

const TOKENS = 1_000_000;

const FREE: Price = {
  tiers: [{ above: -1, input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }],
  date: undefined,
};

/** The vendors whose prices the data is asked for, by their providers' names, which are its own. */
const LISTED: ReadonlySet<string> = new Set(["anthropic", "openai", "mistral"]);

type Priced = Pick<Provider, "name" | "model"> & { readonly price?: ModelPrice | undefined };

/**
 * What the provider's model costs: as its own `price` or `prices` say, else as its vendor lists it, whatever server answers
 * in the vendor's name; undefined when nobody says. The embedded analyser is free.
 *
 * @param now prices change on days that the data knows
 */
export function priceOf(
  { name, model, price }: Priced,
  { prices = {}, now = new Date() }: { readonly prices?: Prices | undefined; readonly now?: Date } = {},
): Price | undefined {
  const given = price ?? (Object.hasOwn(prices, model) ? prices[model] : undefined);
  if (given !== undefined) return givenPrice(given);
  if (name === "local") return FREE;
  return LISTED.has(name) ? listedPrice(name, model, now) : undefined;
}

function givenPrice({ input, output, cacheRead = input, cacheWrite = input }: ModelPrice): Price {
  const tier = { input, output, cacheRead, cacheWrite };
  return { tiers: [{ above: -1, ...perToken(tier) }], date: undefined };
}

function listedPrice(vendor: string, model: string, now: Date): Price | undefined {
  const { calcPrice } = load("@pydantic/genai-prices") as typeof import("@pydantic/genai-prices");
  const found = calcPrice({ input_tokens: 1, output_tokens: 1 }, model, { providerId: vendor, timestamp: now });
  return found === null ? undefined : { tiers: tiersOf(found.model_price), date: PRICES_DATE };
}

type Rate = ListedPrice[string];

/** Of an unlisted cache price, the input's holds: Mistral lists none, and OpenAI charges most writes as input. */
function tiersOf(listed: ListedPrice): readonly Tier[] {
  const rates = [listed.input_mtok, listed.output_mtok, listed.cache_read_mtok, listed.cache_write_mtok];
  const starts = rates.flatMap((rate) => (typeof rate === "object" ? rate.tiers.map(({ start }) => start) : []));
  const from = [-1, ...new Set(starts)].sort((a, b) => a - b);
  return from.map((above) => {
    const input = rateAt(listed.input_mtok, above) ?? 0;
    const tier = {
      input,
      output: rateAt(listed.output_mtok, above) ?? 0,
      cacheRead: rateAt(listed.cache_read_mtok, above) ?? input,
      cacheWrite: rateAt(listed.cache_write_mtok, above) ?? input,
    };
    return { above, ...perToken(tier) };
  });
}

function rateAt(rate: Rate, above: number): number | undefined {
  if (typeof rate !== "object") return rate;
  return rate.tiers.reduce((price, tier) => (tier.start <= above ? tier.price : price), rate.base);
}

const perToken = <K extends string>(rates: Record<K, number>): Record<K, number> =>
  Object.fromEntries(Object.entries<number>(rates).map(([name, rate]) => [name, rate / TOKENS])) as Record<K, number>;

const tierAt = ({ tiers }: Price, inputTokens: number): Tier =>
  tiers.findLast(({ above }) => inputTokens > above) as Tier;

/** US dollars for one call. `inputTokens` holds the cached parts, which have prices of their own. */
export function costOf(price: Price, { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 }: Usage) {
  const { input, output, cacheRead, cacheWrite } = tierAt(price, inputTokens);
  const fresh = Math.max(0, inputTokens - cacheReadTokens - cacheWriteTokens);
  return fresh * input + cacheReadTokens * cacheRead + cacheWriteTokens * cacheWrite + outputTokens * output;
}

/** US dollars that a call of at most so many tokens costs at most: whatever is cached, at the dearest tier it may reach. */
export function mostOf({ tiers }: Price, { inputTokens, outputTokens }: Usage): number {
  const reached = tiers.filter(({ above }) => inputTokens > above);
  const dearest = (of: (tier: Tier) => number) => Math.max(...reached.map(of));
  const input = dearest((tier) => Math.max(tier.input, tier.cacheRead, tier.cacheWrite));
  return inputTokens * input + outputTokens * dearest(({ output }) => output);
}
