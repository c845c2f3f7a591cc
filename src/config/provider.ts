/** Which provider a command means: the one it names, or the one whose key is in the environment. */

import { failure, isMillraceError } from "../errors.ts";
import { anthropic } from "../providers/anthropic.ts";
import { local } from "../providers/local.ts";
import { mistral } from "../providers/mistral.ts";
import { VENDORS } from "../providers/models.ts";
import { openai } from "../providers/openai.ts";
import type { Provider } from "../providers/provider.ts";
import type { RunFlags } from "./options.ts";

type ProviderFlags = Pick<RunFlags, "provider" | "model" | "baseUrl" | "maxOutputTokens" | "temperature">;
type VendorName = keyof typeof VENDORS;

const MAKERS = { anthropic, openai, mistral } as const;

/**
 * @param keyless nothing will be sent: a provider that is named needs no key
 * @throws ConfigurationError when none or several could be meant, or the one that is has no key.
 */
export function chooseProvider(flags: ProviderFlags, environment: NodeJS.ProcessEnv, keyless = false): Provider {
  const name = flags.provider ?? onlyKeyed(environment);
  if (name === "local") {
    const { model, baseUrl, maxOutputTokens, temperature } = flags;
    if ([model, baseUrl, maxOutputTokens, temperature].some((flag) => flag !== undefined)) {
      throw failure(
        "invalid_option",
        "--provider local is the embedded analyser: it takes no --model, --base-url, --max-output-tokens or --temperature.",
      );
    }
    return local();
  }
  const stand = keyless && !keyed(environment).includes(name) ? { apiKey: "none" } : {};
  return asTyped(() =>
    MAKERS[name]({
      ...stand,
      ...(flags.model === undefined ? {} : { model: flags.model }),
      ...(flags.baseUrl === undefined ? {} : { baseURL: flags.baseUrl }),
      ...(flags.maxOutputTokens === undefined ? {} : { maxOutputTokens: flags.maxOutputTokens }),
    }),
  );
}

/** What a maker refuses is named as it is given here, not as in a program. */
function asTyped<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!isMillraceError(error) || (error.code !== "invalid_option" && error.code !== "missing_key")) throw error;
    const message = error.message
      .replace(/^\w+\(\): `baseURL`/, "--base-url (baseURL)")
      .replace(/^\w+\(\): `model`/, "--model (model)")
      .replace(/ in the environment, or give \w+\(\) an `apiKey`/, " in the environment")
      .replace("Secrets go into `apiKey` or `headers`", "A key goes into the environment");
    throw failure(error.code, message, { cause: error });
  }
}

/** A provider that may be meant, with one of its keys. */
export interface Candidate {
  readonly provider: VendorName;
  /** Where it has several, the first being 1. */
  readonly keyNumber: number | undefined;
  readonly model: string;
  /** @throws ConfigurationError for a key or an address that cannot be one */
  make(): Provider;
}

/**
 * The provider that is named, or every one whose key is in the environment; once for each of its keys.
 *
 * @throws ConfigurationError when there is none, or when a model or address is given that could be for several
 */
export function candidates(
  flags: Pick<ProviderFlags, "model" | "baseUrl"> & { readonly provider?: VendorName },
  environment: NodeJS.ProcessEnv,
): readonly Candidate[] {
  const names = flags.provider === undefined ? keyed(environment) : [flags.provider];
  if (names.length === 0) throw nobody("");
  const [flag] = [flags.model && "--model", flags.baseUrl && "--base-url"].filter(Boolean);
  if (flag !== undefined && names.length > 1) {
    throw failure(
      "invalid_option",
      `There are keys for ${names.join(" and ")}. Say whose ${flag} it is with --provider.`,
    );
  }
  return names.flatMap((provider) => {
    const given = (environment[VENDORS[provider].keyVariable] ?? "").split(",").filter((key) => key.trim() !== "");
    const keys = given.length > 1 ? given : [undefined];
    return keys.map((apiKey, at) => ({
      provider,
      keyNumber: keys.length > 1 ? at + 1 : undefined,
      model: flags.model ?? VENDORS[provider].model,
      make: () =>
        asTyped(() => MAKERS[provider]({ model: flags.model, baseURL: flags.baseUrl, apiKey: apiKey?.trim() })),
    }));
  });
}

/** The vendors whose key is in the environment. */
export function keyed(environment: Readonly<Record<string, string | undefined>>): VendorName[] {
  const names = Object.keys(VENDORS) as VendorName[];
  return names.filter((name) => (environment[VENDORS[name].keyVariable] ?? "").trim() !== "");
}

function nobody(offline: string) {
  const variables = Object.values(VENDORS).map(({ keyVariable }) => keyVariable);
  return failure("missing_key", `There is no provider: set one of ${variables.join(", ")}${offline}.`);
}

function onlyKeyed(environment: NodeJS.ProcessEnv): VendorName {
  const names = keyed(environment);
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  if (names.length > 1) {
    throw failure("invalid_option", `There are keys for ${names.join(" and ")}. Choose one with --provider.`);
  }
  throw nobody(", or try it offline with --provider local");
}
