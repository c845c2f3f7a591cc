/** Providers made of others: several keys or vendors side by side, or one to ask when another cannot. */

import { failure } from "../errors.ts";
import type { Members, Provider } from "./provider.ts";

/**
 * Spreads calls over several keys, models or vendors: each keeps its own limits, and a call goes where it can start
 * soonest. One whose key, model or account turns out to be wrong is left out, with a warning, and the others go on. Keys
 * that share one quota are recognised and share one account of it.
 *
 * @throws `invalid_option` for an empty list, or for what is no provider
 */
export function lanes(providers: readonly Provider[]): Provider {
  const members = checked(providers, "lanes()").flatMap((provider) => {
    if (provider.members?.kind === "fallback") {
      throw failure("invalid_option", "lanes(): a fallback() cannot be a lane; make a fallback() of lanes() instead.");
    }
    return provider.members?.providers ?? [provider];
  });
  return combined("lanes", members);
}

/**
 * Asks the first provider, and the next one for what it cannot do: records that it refuses, filters or fails to answer,
 * all of them once its key or account is wrong, and those that come during its outages. Rate limits are waited for.
 *
 * @throws `invalid_option` for an empty list, or for what is no provider
 */
export function fallback(providers: readonly Provider[]): Provider {
  const members = checked(providers, "fallback()").flatMap((provider) =>
    provider.members?.kind === "fallback" ? provider.members.providers : [provider],
  );
  return combined("fallback", members);
}

function checked(providers: readonly Provider[], maker: string): readonly Provider[] {
  if (!Array.isArray(providers) || providers.length === 0) {
    throw failure("invalid_option", `${maker} takes a list of providers: ${maker.replace("()", "")}([a, b]).`);
  }
  for (const provider of providers) {
    if (typeof provider?.complete === "function") continue;
    throw failure("invalid_option", `${maker}: give providers, as anthropic(), openai() and mistral() make them.`);
  }
  if (new Set(providers).size < providers.length) {
    throw failure("invalid_option", `${maker}: one provider object stands there twice. Make one for each key.`);
  }
  return providers;
}

function combined(kind: Members["kind"], providers: readonly Provider[]): Provider {
  const first = providers[0] as Provider;
  const all = (of: (provider: Provider) => string) => [...new Set(providers.map(of))].join("+");
  return {
    name: all(({ name }) => name),
    model: all(({ model }) => model),
    maxOutputTokens: first.maxOutputTokens,
    baseURL: first.baseURL,
    members: { kind, providers },
    complete: (request, options) => first.complete(request, options),
    async close() {
      await Promise.all(providers.map((provider) => provider.close()));
    },
  };
}
