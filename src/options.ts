/** Options objects are read strictly: a misspelt name is refused, not ignored. */

import { distance } from "fastest-levenshtein";
import { failure } from "./errors.ts";
import type { Prices } from "./usage.ts";

/**
 * Refuses what is no options object and every key that is not in `known`.
 *
 * @param where the call as the user wrote it, such as `anthropic()`
 * @throws `invalid_option`, with the nearest known name where one is near
 */
export function checkKeys(options: object, known: readonly string[], where: string): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw failure("invalid_option", `${where} takes an object of options: ${known.join(", ")}.`);
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    const hint = near === undefined ? `It knows ${known.join(", ")}.` : `Did you mean "${near}"?`;
    throw failure("invalid_option", `${where} has no option "${key}". ${hint}`);
  }
}

/** Refuses what is no whole number from `least` up, to `most` where there is one. @throws `invalid_option` */
export function checkWhole(
  what: string,
  value: number,
  { least, most = Number.MAX_SAFE_INTEGER }: { readonly least: number; readonly most?: number },
): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} up` : `from ${least} to ${most}`;
  throw failure("invalid_option", `${what} must be a whole number ${range}, got ${String(value)}.`);
}

/** The known name that `given` was probably meant to be; undefined when none is near. Case and `-` or `_` do not count. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  const plain = (name: string) => name.replace(/[-_]/g, "").toLowerCase();
  let best: string | undefined;
  // A third of the letters wrong is still a slip; more is another word.
  let least = Math.ceil(given.length / 3) + 1;
  for (const name of known) {
    const slips = distance(plain(given), plain(name));
    if (slips < least) {
      best = name;
      least = slips;
    }
  }
  return best;
}

/** A store of responses: its path, or that and how it is used. */
export type StoreOption =
  | string
  | {
      readonly path: string;
      /** Ask anew, whatever was stored before this run; the new answers are stored. Default false. */
      readonly fresh?: boolean;
      /** Ask anew for records that failed by stored answers (refused, filtered, invalid, cut). Default false. */
      readonly retryFailed?: boolean;
    };

/** @throws `invalid_option` */
export function checkStore(store: StoreOption | undefined, where: string): void {
  if (store === undefined) return;
  const path = typeof store === "string" ? store : store?.path;
  if (typeof path !== "string" || path.trim() === "") {
    throw failure("invalid_option", `${where}: \`store\` must be a path, such as ".millrace/responses.db".`);
  }
  if (typeof store !== "string") checkKeys(store, ["path", "fresh", "retryFailed"], `${where}: \`store\``);
}

const RATES = ["input", "output", "cacheRead", "cacheWrite"] as const;

/** @throws `invalid_option` */
export function checkPrice(price: Prices[string] | undefined, where: string): void {
  if (price === undefined) return;
  checkKeys(price, RATES, where);
  for (const rate of RATES) {
    const given = price[rate];
    if (given === undefined && rate.startsWith("cache")) continue;
    if (typeof given === "number" && given >= 0 && Number.isFinite(given)) continue;
    throw failure("invalid_option", `${where}: \`${rate}\` must be US dollars for a million tokens, from 0 up.`);
  }
}

/** @throws `invalid_option` */
export function checkPrices(prices: Prices | undefined, where: string): void {
  if (prices === undefined) return;
  if (typeof prices !== "object" || prices === null || Array.isArray(prices)) {
    throw failure(
      "invalid_option",
      `${where}: \`prices\` takes models' names: { "my-model": { input: 1, output: 5 } }.`,
    );
  }
  for (const [model, price] of Object.entries(prices)) checkPrice(price, `${where}: \`prices\` of "${model}"`);
}

/** @throws `invalid_option` */
export function checkMaxCost(maxCost: number | undefined, where: string): void {
  if (maxCost === undefined || (typeof maxCost === "number" && maxCost > 0 && Number.isFinite(maxCost))) return;
  throw failure("invalid_option", `${where}: \`maxCost\` must be US dollars, more than 0.`);
}
