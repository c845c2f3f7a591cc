/** `--print-config`: what counts, and where it came from, as a file that could be millrace.yaml. Pure but for loading YAML. */

import type * as yaml from "yaml";
import { load } from "../load.ts";
import { VENDORS } from "../providers/models.ts";
import type { Aside, Chosen, Effective } from "./effective.ts";
import { CONFIG_FILE } from "./file.ts";
import { keyed } from "./provider.ts";
import { SETTINGS, type Setting } from "./settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where comments begin, unless what stands before is longer. */
const COMMENTS = 44;

/** Each setting on a line, those left to their default as comments; then what was given and does not count. */
export function printed({ chosen, aside, file }: Effective, environment: Environment): string {
  const lines = SETTINGS.map((setting) => {
    const one = chosen.get(setting.key);
    return one === undefined
      ? unset(setting, environment, chosen.get("provider")?.value)
      : line(`${setting.key}: ${shown(one)}`, one.origin.told);
  });
  const set = aside.filter(({ setting }) => chosen.get(setting.key) === undefined);
  const lost = aside.filter(({ setting }) => chosen.get(setting.key) !== undefined);
  const told = [...set, ...lost].map((one) => line(`# ${one.setting.key}: ${shown(one)}`, whyNot(one)));
  return [
    `# What counts, by flags > environment > ${file ?? `${CONFIG_FILE} (there is none)`} > defaults. Saved as ${CONFIG_FILE}, it says the same.`,
    ...Object.values(VENDORS).map(({ keyVariable }) => `# ${keyVariable}: ${keyShown(environment[keyVariable])}`),
    ...lines,
    ...(told.length === 0 ? [] : ["# Given, and without effect:", ...told]),
    "",
  ].join("\n");
}

const line = (text: string, comment: string): string => `${text.padEnd(COMMENTS - 1)} # ${comment}`;

const whyNot = ({ origin, why }: Aside): string => `${origin.told}: ${why}`;

/** On one line, as YAML; a password in an address is not shown. */
function shown({ setting, value }: Chosen): string {
  const { stringify } = load("yaml") as typeof yaml;
  const inFile = setting.spec.parse?.write?.(value) ?? value;
  return withoutPassword(
    stringify(inFile, { collectionStyle: "flow", lineWidth: 0, defaultStringType: "PLAIN" }).trim(),
  );
}

const withoutPassword = (text: string): string =>
  text.replace(/(:\/\/[^:/?#\s]*):[^@/\s]*@/g, "$1:…@").replace(/(password=)[^&\s"]*/gi, "$1…");

function unset({ key, spec }: Setting, environment: Environment, provider: unknown): string {
  if (key === "provider") return providerTold(spec.fallback, environment);
  const name = provider ?? keyed(environment).join();
  const vendor = Object.values(VENDORS).find((one) => one.name === name);
  const address = key === "baseURL" && vendor !== undefined ? environment[vendor.baseURLVariable] : undefined;
  if (vendor !== undefined && address) return line(`# baseURL: ${withoutPassword(address)}`, vendor.baseURLVariable);
  const fallback = key === "model" && vendor !== undefined ? vendor.model : spec.fallback;
  return line(`# ${key}:`, fallback === undefined ? "not set" : `default: ${fallback}`);
}

function providerTold(fallback: string | undefined, environment: Environment): string {
  const names = keyed(environment);
  const [name] = names;
  if (name !== undefined && names.length === 1) {
    return line(`# provider: ${name}`, `default: ${VENDORS[name].keyVariable} is set`);
  }
  const why = name === undefined ? "none of the keys is set" : `there are keys for ${names.join(" and ")}`;
  return line("# provider:", `default: ${fallback}; ${why}`);
}

/** Shorter keys would be given away by their last four characters. */
const SHORTEST = 16;

/** Enough to tell one key from another. */
function keyShown(keys = ""): string {
  const each = keys
    .split(",")
    .map((key) => key.trim())
    .filter((key) => key !== "");
  if (each.length === 0) return "not set";
  return each
    .map((key) => (key.length < SHORTEST ? "set" : `${key.startsWith("sk-") ? "sk-" : ""}…${key.slice(-4)}`))
    .join(", ");
}
