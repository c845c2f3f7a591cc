/** API keys: checked before anything else sees them, and kept out of every text. */

import { failure } from "../errors.ts";
import { lanes } from "./members.ts";
import type { Vendor } from "./models.ts";
import type { Provider } from "./provider.ts";

const PRINTABLE = /^[\x21-\x7e]+$/;

/**
 * The key to call with: `given`, else the vendor's environment variable; undefined when there is neither.
 *
 * An SDK or `Headers` that is handed a key with a line break quotes it whole in its error, so that such keys end here.
 *
 * @throws `invalid_option` when the key cannot be one; the message never quotes it
 */
export function readKey(given: string | undefined, vendor: Vendor): string | undefined {
  const key = given ?? process.env[vendor.keyVariable];
  if (key === undefined || key === "") return undefined;
  const source = given === undefined ? vendor.keyVariable : "apiKey";
  if (typeof key !== "string") throw failure("invalid_option", `${source} must be a text.`);
  if (!PRINTABLE.test(key)) {
    throw failure(
      "invalid_option",
      `${source} holds ${oddity(key)}, which no ${vendor.label} key does. Copy the key again.`,
    );
  }
  if (key.includes(",")) {
    throw failure(
      "invalid_option",
      `${source} holds several keys, separated by commas. One provider takes one key: make a provider for each.`,
    );
  }
  return key;
}

/**
 * Makes a provider, or, for several keys separated by commas, one with a lane for each.
 *
 * @param make makes the provider for options with one key
 */
export function forEachKey<Options extends { readonly apiKey?: string | undefined }>(
  vendor: Vendor,
  options: Options,
  make: (options: Options) => Provider,
): Provider {
  const given = options?.apiKey ?? process.env[vendor.keyVariable];
  if (typeof given !== "string" || !given.includes(",")) return make(options);
  const keys = new Set(given.split(",").map((key) => key.trim()));
  keys.delete("");
  const providers = [...keys].map((apiKey) => make({ ...options, apiKey }));
  return providers.length === 1 ? (providers[0] as Provider) : lanes(providers);
}

function oddity(key: string): string {
  if (/[\r\n]/.test(key)) return "a line break";
  if (/\s/.test(key)) return "white space";
  return "a character outside printable ASCII";
}

export function missingKey(vendor: Vendor, where: string): Error {
  return failure(
    "missing_key",
    `There is no API key for ${vendor.label}. Set ${vendor.keyVariable} in the environment, or give ${where} an \`apiKey\`.`,
  );
}

/** Shorter values are no secrets, and replacing them would spoil ordinary words. */
const SHORTEST_SECRET = 6;

/** Takes the secrets out of a text that is to be shown. */
export function redactor(secrets: readonly (string | undefined)[]): (text: string) => string {
  const hidden = secrets.filter((secret) => secret !== undefined && secret.length >= SHORTEST_SECRET) as string[];
  // A secret that contains another one goes first.
  hidden.sort((a, b) => b.length - a.length);
  return (text) => hidden.reduce((shown, secret) => shown.replaceAll(secret, "[redacted]"), text);
}
