/** What the command was asked for. */

import { parseArgs } from "node:util";
import type { Context } from "./row.ts";

type Numbers = Pick<Context, "runs" | "seed" | "latency" | "concurrency" | "records" | "scale">;

export interface Asked {
  readonly rows: readonly string[];
  readonly peers: readonly string[];
  readonly numbers: Numbers;
  /** Where all runs are written. */
  readonly json: string | undefined;
}

interface Known {
  readonly rows: readonly string[];
  readonly peers: readonly string[];
}

const DEFAULTS: Numbers = { runs: 5, seed: 7, latency: 200, concurrency: 100, records: 100_000, scale: 1 };
const QUICK = { runs: 1, scale: 0.2 };
const text = { type: "string" } as const;

/** Throws an `Error` whose message says what cannot be. */
export function asked(args: readonly string[], known: Known): Asked {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: text,
      peers: text,
      json: text,
      quick: { type: "boolean" },
      runs: text,
      seed: text,
      latency: text,
      concurrency: text,
      records: text,
      scale: text,
    },
  });
  const defaults = { ...DEFAULTS, ...(values.quick ? QUICK : {}) };
  const names = Object.keys(DEFAULTS) as (keyof Numbers)[];
  const numbers = names.map((name) => [name, numberOf(name, values[name], defaults[name])]);
  return {
    rows: chosen("only", values.only, known.rows),
    peers: chosen("peers", values.peers, known.peers),
    numbers: Object.fromEntries(numbers) as unknown as Numbers,
    json: values.json,
  };
}

function chosen(name: string, given: string | undefined, known: readonly string[]): readonly string[] {
  const wanted = given?.split(",") ?? known;
  const unknown = wanted.filter((one) => !known.includes(one));
  if (unknown.length === 0) return wanted;
  throw new Error(`--${name}: there is no ${unknown.join(", ")}; there are ${known.join(", ")}.`);
}

function numberOf(name: keyof Numbers, given: string | undefined, fallback: number): number {
  const value = given === undefined ? fallback : Number(given);
  const isWhole = name === "scale" || Number.isInteger(value);
  const least = name === "latency" || name === "seed" ? 0 : Number.MIN_VALUE;
  if (isWhole && value >= least && value < Number.POSITIVE_INFINITY) return value;
  throw new Error(`--${name} must be ${name === "scale" ? "a number" : "a whole number"} above 0, not ${given}.`);
}
