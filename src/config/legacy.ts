/**
 * The six names of the Python original, as they stand under `api:` in its `config/config.yaml`. They are read as what they
 * meant there: times in seconds, and a delay between calls as a number of calls a minute.
 */

import { nearest } from "../options.ts";
import { ValueFault, type ValueSchema } from "./values.ts";

interface Legacy {
  /** The setting that it has become. */
  readonly key: string;
  readonly least: number;
  readonly most: number;
  readonly whole?: true;
  readonly help: string;
  /** What it comes to there; undefined: nothing is set. */
  readonly turn: (value: number) => number | undefined;
}

const LONGEST_SECONDS = 2_147_483;

const toMs = (seconds: number): number => Math.round(seconds * 1_000);

export const LEGACY: Readonly<Record<string, Legacy>> = {
  RATE_LIMIT_DELAY: {
    key: "requestsPerMinute",
    least: 0,
    most: 60,
    help: "seconds from one call to the next: requestsPerMinute is 60 divided by it; 0 is no limit",
    // Rounded down, so that it never comes to more calls than it did; and a hundred thousand a minute is no limit either.
    turn: (seconds) => (60 / seconds > 100_000 ? undefined : Math.floor(60 / seconds)),
  },
  MAX_RETRIES: {
    key: "maxRetries",
    least: 0,
    most: 1_000_000,
    whole: true,
    help: "maxRetries",
    turn: (count) => count,
  },
  BASE_DELAY: {
    key: "retryBaseDelay",
    least: 0,
    most: LONGEST_SECONDS,
    help: "retryBaseDelay, in seconds",
    turn: toMs,
  },
  TIMEOUT: {
    key: "timeout",
    least: 0.001,
    most: LONGEST_SECONDS,
    help: "timeout, in seconds",
    turn: toMs,
  },
  MAX_TOKENS: {
    key: "maxOutputTokens",
    least: 1,
    most: Number.MAX_SAFE_INTEGER,
    whole: true,
    help: "maxOutputTokens",
    turn: (count) => count,
  },
  TEMPERATURE: { key: "temperature", least: 0, most: 2, help: "temperature", turn: (value) => value },
};

const LEGACY_NAMES: readonly string[] = Object.keys(LEGACY);

/** What an `api:` block sets, by the names that the six have now. */
export interface LegacySetting {
  readonly key: string;
  /** The old name. */
  readonly name: string;
  readonly value: number | undefined;
}

/** @throws ValueFault for another name, or a value that the old one cannot have meant */
export function legacySettings(api: unknown): readonly LegacySetting[] {
  if (typeof api !== "object" || api === null || Array.isArray(api)) {
    throw new ValueFault([], `api takes a mapping of ${LEGACY_NAMES.join(", ")}, the names of the Python original.`);
  }
  return Object.entries(api).map(([name, value]) => {
    const legacy = Object.hasOwn(LEGACY, name) ? LEGACY[name] : undefined;
    if (legacy === undefined) throw new ValueFault([name], unknown(name));
    const { key, least, most, whole, turn } = legacy;
    const fits = typeof value === "number" && value >= least && value <= most && (!whole || Number.isInteger(value));
    if (!fits) throw new ValueFault([name], `api.${name} takes a ${whole ? "whole " : ""}number ${range(legacy)}.`);
    return { key, name, value: turn(value) };
  });
}

const range = ({ least, most }: Legacy): string =>
  most === Number.MAX_SAFE_INTEGER ? `from ${least} up` : `from ${least} to ${most}`;

function unknown(name: string): string {
  const near = nearest(name, LEGACY_NAMES);
  const hint = near === undefined ? `It knows ${LEGACY_NAMES.join(", ")}.` : `Did you mean ${near}?`;
  return `api knows no ${name}. ${hint} Everything else has its place at the top of the file, under its new name.`;
}

/** The block, for editors. */
export const LEGACY_SCHEMA: ValueSchema = {
  type: "object",
  description: "The six names of the Python original. Their new ones stand at the top of the file.",
  properties: Object.fromEntries(
    Object.entries(LEGACY).map(([name, { least, most, whole, help }]) => [
      name,
      { type: whole ? "integer" : "number", minimum: least, maximum: most, description: help },
    ]),
  ),
  additionalProperties: false,
};
