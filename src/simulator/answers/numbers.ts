/** A number that a schema accepts, chosen by a place in [0, 1). */

import type { JsonObject } from "../ask.ts";

/** Multiples tried before giving up on one that survives floating point. */
const TRIES = 64;

const limit = (value: unknown, otherwise: number): number => (typeof value === "number" ? value : otherwise);

/** The lowest and highest value allowed; an open side lies 100 away from the other. */
function bounds(schema: JsonObject, step: number): { low: number; high: number } {
  const above = limit(schema.exclusiveMinimum, Number.NEGATIVE_INFINITY);
  const below = limit(schema.exclusiveMaximum, Number.POSITIVE_INFINITY);
  let low = Math.max(limit(schema.minimum, Number.NEGATIVE_INFINITY), above);
  let high = Math.min(limit(schema.maximum, Number.POSITIVE_INFINITY), below);
  if (low === Number.NEGATIVE_INFINITY) low = high === Number.POSITIVE_INFINITY ? 0 : high - 100 * step;
  if (high === Number.POSITIVE_INFINITY) high = low + 100 * step;
  return { low, high };
}

const isInside = (value: number, schema: JsonObject): boolean =>
  value > limit(schema.exclusiveMinimum, Number.NEGATIVE_INFINITY) &&
  value < limit(schema.exclusiveMaximum, Number.POSITIVE_INFINITY) &&
  value >= limit(schema.minimum, Number.NEGATIVE_INFINITY) &&
  value <= limit(schema.maximum, Number.POSITIVE_INFINITY);

export function growNumber(schema: JsonObject, integer: boolean, place: number): number {
  const step = limit(schema.multipleOf, integer ? 1 : 0);
  if (step > 0) return growMultiple(schema, { step, integer, place });
  const { low, high } = bounds(schema, 1);
  const fine = low + place * (high - low);
  // Two decimals read well; bounds closer than that need the full number.
  const rounded = Math.round(fine * 100) / 100;
  if (isInside(rounded, schema)) return rounded;
  return isInside(fine, schema) ? fine : low + (high - low) / 2;
}

function growMultiple(
  schema: JsonObject,
  { step, integer, place }: { readonly step: number; readonly integer: boolean; readonly place: number },
): number {
  const { low, high } = bounds(schema, step);
  const first = Math.ceil(low / step);
  const count = Math.max(1, Math.floor(high / step) - first + 1);
  const start = Math.floor(place * count);
  for (let i = 0; i < Math.min(count, TRIES); i++) {
    // + 0 turns -0 into 0, which JSON would do anyway.
    const value = Number(((first + ((start + i) % count)) * step).toPrecision(15)) + 0;
    if (isInside(value, schema) && Number.isInteger(value / step) && (!integer || Number.isInteger(value)))
      return value;
  }
  return first * step + 0;
}
