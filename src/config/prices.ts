/** Prices of one's own, as `prices:` in millrace.yaml gives them. */

import { failure } from "../errors.ts";
import { checkKeys } from "../options.ts";
import type { ModelPrice, Prices } from "../usage.ts";
import { type Reader, ValueFault, type ValueSchema } from "./values.ts";

const PARTS = ["input", "output", "cacheRead", "cacheWrite"] as const satisfies readonly (keyof ModelPrice)[];
const AMOUNT: ValueSchema = { type: "number", minimum: 0, maximum: 1_000_000 };

function priceOf(model: string, given: unknown): ModelPrice {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new ValueFault([model], "gives a model its prices as { input: 1, output: 5 }, US$ per million tokens");
  }
  for (const [part, value] of Object.entries(given)) {
    try {
      checkKeys({ [part]: value }, PARTS, model);
    } catch (error) {
      throw new ValueFault([model, part], `of ${(error as Error).message.replace(/\.$/, "")}`);
    }
    if (typeof value === "number" && value >= 0 && value <= 1_000_000) continue;
    throw new ValueFault([model, part], "takes US$ per million tokens, a number from 0 to 1000000");
  }
  const missing = ["input", "output"].find((part) => !Object.hasOwn(given, part));
  if (missing !== undefined) throw new ValueFault([model], `lacks \`${missing}\` of "${model}"`);
  return { ...(given as ModelPrice) };
}

/** By the names of models. The object has no prototype: a model called `constructor` finds nothing. */
export const prices: Reader<Prices> = Object.assign(
  (_: string): never => {
    throw failure("invalid_option", "--prices is for millrace.yaml only.");
  },
  {
    schema: {
      type: "object",
      additionalProperties: {
        type: "object",
        properties: Object.fromEntries(PARTS.map((part) => [part, AMOUNT])),
        required: ["input", "output"],
        additionalProperties: false,
      },
    } as const satisfies ValueSchema,
    read: (value: unknown) => {
      const read: Record<string, ModelPrice> = Object.create(null);
      for (const [model, given] of Object.entries(value as object)) read[model] = priceOf(model, given);
      return read;
    },
  },
);
