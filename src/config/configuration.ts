/** A configuration, from a file or a program, to settings. Pure: where something stands is asked of whoever read it. */

import { failure, type MillraceError } from "../errors.ts";
import { nearest } from "../options.ts";
import { legacySettings } from "./legacy.ts";
import { KEYS, readValue, settingOf } from "./settings.ts";
import { ValueFault } from "./values.ts";

/** A configuration as it was read. */
export interface Configuration {
  readonly values: Readonly<Record<string, unknown>>;
  /** Where something stands, to be told: the name at a path (`["api", "TIMEOUT"]`), or the value under it. */
  readonly at: (path: readonly string[], part: "name" | "value") => string;
}

/** A setting that was given. */
export interface Given {
  readonly key: string;
  /** Read and checked. undefined: an old name that sets nothing (`RATE_LIMIT_DELAY: 0`). */
  readonly value: unknown;
  /** Where it stands: the path to it. */
  readonly path: readonly string[];
}

/** Names under which people put keys. */
const SECRET = /(^|[_-])(api[_-]?)?key$|apikey|secret|password|passwd|credential|(^|[_-])token$/i;

/**
 * The settings of a configuration: each under its own name, or under one of the six old names in `api:`.
 *
 * @param extra names besides the settings' that are the caller's affair
 * @throws ConfigurationError for a name that is none, a value that cannot be meant, and a setting under both its names
 */
export function settingsIn({ values, at }: Configuration, extra: readonly string[] = []): ReadonlyMap<string, Given> {
  const wrong = (path: readonly string[], part: "name" | "value", message: string): MillraceError =>
    failure("invalid_option", `${at(path, part)}: ${message}`);
  const found = new Map<string, Given>();
  for (const [key, value] of Object.entries(values)) {
    if (extra.includes(key) || key === "api") continue;
    if (!KEYS.includes(key)) throw wrong([key], "name", unknown(key, extra));
    found.set(key, { key, value: located([key], () => readValue(settingOf(key), value), wrong), path: [key] });
  }
  if (!Object.hasOwn(values, "api")) return found;
  const api = values.api;
  refuseSecrets(api, wrong);
  for (const { key, name, value } of located(["api"], () => legacySettings(api), wrong)) {
    const path = ["api", name];
    if (found.has(key)) {
      throw wrong(
        path,
        "name",
        `${name} is the old name of ${key}, which is given as well, at ${at([key], "name")}. Keep one of them.`,
      );
    }
    found.set(key, { key, value, path });
  }
  return found;
}

type Wrong = (path: readonly string[], part: "name" | "value", message: string) => MillraceError;

function located<T>(path: readonly string[], read: () => T, wrong: Wrong): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ValueFault ? wrong([...path, ...error.path], "value", error.message) : error;
  }
}

function refuseSecrets(api: unknown, wrong: Wrong): void {
  const names = typeof api === "object" && api !== null ? Object.keys(api) : [];
  const secret = names.find((name) => SECRET.test(name));
  if (secret !== undefined) throw wrong(["api", secret], "name", NO_SECRETS);
}

const NO_SECRETS =
  "Keys have no place in a file, which gets copied and committed. Take it out, and set ANTHROPIC_API_KEY, OPENAI_API_KEY or MISTRAL_API_KEY in the environment.";

function unknown(key: string, extra: readonly string[]): string {
  if (SECRET.test(key)) return NO_SECRETS;
  const known = [...KEYS, ...extra];
  const near = TYPED_AS[key] ?? nearest(key, known);
  const hint = near === undefined ? `There are ${known.join(", ")}.` : `Did you mean ${near}?`;
  return `There is no option "${shown(key)}". ${hint}`;
}

/** What flags are called that have another name here. */
const TYPED_AS: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  rpm: "requestsPerMinute",
  itpm: "inputTokensPerMinute",
  otpm: "outputTokensPerMinute",
  tpm: "tokensPerMinute",
  unordered: "ordered: false",
  noStore: "store: false",
  "no-store": "store: false",
  maxConcurrent: "concurrency",
});

const shown = (key: string): string => (key.length > 40 ? `${key.slice(0, 40)}…` : key);
