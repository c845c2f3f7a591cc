/** How long an answer takes to start: a distribution, and a place in it that the call's text decides. */

import { roll } from "../hash.ts";
import type { Latency } from "../options.ts";

/** Milliseconds. The same key draws the same delay. */
export function drawLatency(latency: Latency, ...key: readonly (string | number)[]): number {
  if (typeof latency === "number") return latency;
  const place = roll("latency", ...key);
  if ("min" in latency) return latency.min + place * (latency.max - latency.min);
  // Box and Muller: two uniform draws make a normal one. 1 - place keeps the logarithm finite.
  const normal = Math.sqrt(-2 * Math.log(1 - place)) * Math.cos(2 * Math.PI * roll("angle", ...key));
  return latency.median * Math.exp(latency.sigma * normal);
}
