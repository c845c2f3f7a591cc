/** What a command line comes to with what the environment and a file add: flags > environment > file > defaults. */

import { dirname, isAbsolute, join } from "node:path";
import { failure } from "../errors.ts";
import { nearest } from "../options.ts";
import { VENDORS } from "../providers/models.ts";
import { settingsIn } from "./configuration.ts";
import { configFile, readConfigFile } from "./file.ts";
import type { RunFlags } from "./options.ts";
import { keyed } from "./provider.ts";
import { readText, SETTINGS, type Setting, snake } from "./settings.ts";

/** Where a value came from, and how that is told: `--timeout`, `MILLRACE_TIMEOUT`, `millrace.yaml:3`. */
export interface Origin {
  readonly kind: "flag" | "environment" | "file";
  readonly told: string;
}

export interface Chosen {
  readonly setting: Setting;
  readonly value: unknown;
  readonly origin: Origin;
}

/** A value that was given and does not count. */
export interface Aside extends Chosen {
  readonly why: string;
}

export interface Effective {
  /** As if all of it had been typed. */
  readonly flags: RunFlags;
  /** By key; what is not there is left to its default. */
  readonly chosen: ReadonlyMap<string, Chosen>;
  readonly aside: readonly Aside[];
  /** The file that was read. */
  readonly file: string | undefined;
  /** What is probably a slip of the pen, to be told. */
  readonly warnings: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const CONFIG_VARIABLE = "MILLRACE_CONFIG";

/**
 * @param flags those that were typed
 * @param cwd where millrace.yaml is looked for
 * @throws ConfigurationError for what is wrong in the environment or the file
 */
export function effective(flags: RunFlags, environment: Environment, cwd: string): Effective {
  if (flags.ordered && flags.unordered) {
    throw failure("invalid_option", "--ordered and --unordered exclude each other. Give one of them.");
  }
  const file = configFile(flags.config ?? (environment[CONFIG_VARIABLE] || undefined), cwd);
  // The strongest first.
  const sources = [typed(flags), inEnvironment(environment), file === undefined ? [] : inFile(file)];
  const chosen = new Map<string, Chosen>();
  const aside: Aside[] = [];
  for (const one of sources.flat()) {
    const stronger = chosen.get(one.setting.key);
    if (stronger === undefined) chosen.set(one.setting.key, one);
    else aside.push({ ...one, why: `${stronger.origin.told} goes before it` });
  }
  for (const one of [...chosen.values()]) {
    const why = displaced(one, { chosen, aside }) ?? outbid(one, chosen.get("provider")?.value, environment);
    if (why === undefined) continue;
    chosen.delete(one.setting.key);
    aside.push({ ...one, why });
  }
  return { flags: asTyped(flags, chosen), chosen, aside, file, warnings: slips(environment) };
}

/** @param flags as commander gives them */
function typed(flags: RunFlags): readonly Chosen[] {
  return SETTINGS.flatMap((setting) => {
    const told = `--${/--([\w-]+)/.exec(setting.spec.flags ?? "")?.[1]}`;
    if (setting.key === "ordered" && flags.unordered) return [of(setting, false, "flag", "--unordered")];
    if (setting.key === "store" && flags.store === false) return [of(setting, false, "flag", "--no-store")];
    const value = flags[setting.flag];
    return value === undefined ? [] : [of(setting, value, "flag", told)];
  });
}

const of = (setting: Setting, value: unknown, kind: Origin["kind"], told: string): Chosen => ({
  setting,
  value,
  origin: { kind, told },
});

/** A variable that is empty is not set, as in a shell's `MILLRACE_MODEL= millrace …`. */
function inEnvironment(environment: Environment): readonly Chosen[] {
  return SETTINGS.flatMap((setting) => {
    const text = environment[setting.variable];
    if (text === undefined || text === "") return [];
    return [of(setting, readText(setting, text, setting.variable), "environment", setting.variable)];
  });
}

function inFile(path: string): readonly Chosen[] {
  const configuration = readConfigFile(path);
  const given = settingsIn(configuration);
  return SETTINGS.flatMap((setting) => {
    const found = given.get(setting.key);
    if (found?.value === undefined) return [];
    const line = configuration.at(found.path, "name").replace(/:\d+$/, "");
    const told = found.path.length > 1 ? `${line} ${found.path.at(-1)}` : line;
    return [of(setting, setting.spec.isPath ? beside(path, found.value) : found.value, "file", told)];
  });
}

/** A path in a file counts from the file's folder; `-` and a database's URL are none. */
function beside(file: string, value: unknown): unknown {
  if (typeof value !== "string" || value === "-" || /^\w+:\/\//.test(value) || isAbsolute(value)) return value;
  return join(dirname(file), value);
}

/** What means something only together with another setting of the same place. */
const BELONGS: Readonly<Record<string, string>> = {
  model: "provider",
  baseURL: "provider",
  schema: "prompt",
  columns: "output",
  table: "output",
  key: "output",
};

/** What the embedded analyser has no use for. */
const NOT_FOR_LOCAL = ["model", "baseURL", "maxOutputTokens", "temperature"];

const RANK = { flag: 0, environment: 1, file: 2 } as const;

type Choice = Pick<Effective, "chosen" | "aside">;

/** Why a setting falls with the one that it was given for: a file's model is no model of the provider that a flag names. */
function displaced({ setting: { key }, origin }: Chosen, { chosen, aside }: Choice): string | undefined {
  const provider = chosen.get("provider");
  const weaker = (than: Chosen) => RANK[origin.kind] > RANK[than.origin.kind];
  if (NOT_FOR_LOCAL.includes(key) && provider?.value === "local" && weaker(provider)) {
    return `local has no use for it`;
  }
  const owner = BELONGS[key];
  const winner = owner === undefined ? undefined : chosen.get(owner);
  if (winner === undefined || !weaker(winner)) return undefined;
  const own = aside.find((one) => one.setting.key === owner && one.origin.kind === origin.kind);
  if (own === undefined || own.value === winner.value) return undefined;
  return `it is for the ${owner} of ${own.origin.told}`;
}

/** The vendors' own variables are of the environment, and so before a file. */
function outbid({ setting, origin }: Chosen, provider: unknown, environment: Environment): string | undefined {
  if (setting.key !== "baseURL" || origin.kind !== "file") return undefined;
  const keys = keyed(environment);
  const name = provider ?? (keys.length === 1 ? keys[0] : undefined);
  const vendor = Object.values(VENDORS).find((one) => one.name === name);
  return vendor !== undefined && environment[vendor.baseURLVariable]
    ? `${vendor.baseURLVariable} goes before it`
    : undefined;
}

function asTyped(flags: RunFlags, chosen: Effective["chosen"]): RunFlags {
  const values = [...chosen.values()].map(({ setting, value }) =>
    setting.key === "ordered" && value === false ? ["unordered", true] : [setting.flag, value],
  );
  return { ...flags, ...Object.fromEntries(values) };
}

const VARIABLES: readonly string[] = [...SETTINGS.map(({ variable }) => variable), CONFIG_VARIABLE];

/** Variables that are none of ours, but nearly, or are called after a flag (`MILLRACE_RPM`). Others that begin so may be anybody's. */
function slips(environment: Environment): readonly string[] {
  const bare = (name: string) => name.slice("MILLRACE_".length);
  const names = Object.keys(environment).filter((name) => name.startsWith("MILLRACE_") && !VARIABLES.includes(name));
  return names.flatMap((name) => {
    const meant = SETTINGS.find(({ flag }) => snake(flag) === bare(name))?.variable;
    const near = meant === undefined ? nearest(bare(name), VARIABLES.map(bare)) : bare(meant);
    return near === undefined ? [] : [`${name} means nothing. Did you mean MILLRACE_${near}?`];
  });
}
