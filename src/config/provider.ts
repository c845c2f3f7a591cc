/** Which provider a command means: the one it names, or the one whose key is in the environment. */

import { failure } from "../errors.ts";
import { anthropic, local, mistral, openai, type Provider } from "../index.ts";
import { VENDORS } from "../providers/models.ts";
import type { RunFlags } from "./options.ts";

type ProviderFlags = Pick<RunFlags, "provider" | "model" | "baseUrl" | "maxOutputTokens" | "temperature">;
type VendorName = keyof typeof VENDORS;

const MAKERS = { anthropic, openai, mistral } as const;

/** @throws ConfigurationError when none or several could be meant, or the one that is has no key. */
export function chooseProvider(flags: ProviderFlags, environment: NodeJS.ProcessEnv): Provider {
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
  return MAKERS[name]({
    ...(flags.model === undefined ? {} : { model: flags.model }),
    ...(flags.baseUrl === undefined ? {} : { baseURL: flags.baseUrl }),
    ...(flags.maxOutputTokens === undefined ? {} : { maxOutputTokens: flags.maxOutputTokens }),
  });
}

function onlyKeyed(environment: NodeJS.ProcessEnv): VendorName {
  const names = Object.keys(VENDORS) as VendorName[];
  const keyed = names.filter((name) => (environment[VENDORS[name].keyVariable] ?? "").trim() !== "");
  const [only] = keyed;
  if (only !== undefined && keyed.length === 1) return only;
  if (keyed.length > 1) {
    throw failure("invalid_option", `There are keys for ${keyed.join(" and ")}. Choose one with --provider.`);
  }
  const variables = names.map((name) => VENDORS[name].keyVariable).join(", ");
  throw failure(
    "missing_key",
    `There is no provider: set one of ${variables}, or try it offline with --provider local.`,
  );
}
