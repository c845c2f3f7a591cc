/** What the provider of a world says of its limits. */

import type { Told } from "../../src/limits/told.ts";
import type { LimitName, Quota } from "../../src/simulator/traffic/quota.ts";
import type { World } from "./world.ts";

const NAMES: readonly LimitName[] = ["requests", "input", "output", "tokens"];

/** What a call takes, at once and late. */
export function takenOf({ vendor, tokens: { input = 250, output = 250, most = 1_000 } = {} }: World) {
  const reserves = vendor === "openai";
  return { input, output, tokens: reserves ? Math.max(most, input) : input, late: reserves ? 0 : output };
}

export function hintOf({ hint }: World, wait: number): number | undefined {
  if (hint === undefined) return undefined;
  return hint === "up" ? Math.ceil(wait / 1_000) * 1_000 : Math.ceil(wait);
}

export function toldOf({ told, vendor, boast = 1 }: World, quota: Quota | undefined, now: number): readonly Told[] {
  if (!told || quota === undefined) return [];
  const step = vendor === "openai" ? 1 : 1_000;
  return (told === true ? NAMES : told).flatMap((name) => {
    const level = quota.level(name, now);
    if (level === undefined) return [];
    const rounded = name === "requests" ? 1 : step;
    const remaining = Math.round(level.remaining / rounded) * rounded;
    return { name, kind: name, limit: level.perMinute * boast, remaining, window: 60_000, step: rounded };
  });
}
