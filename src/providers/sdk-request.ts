/**
 * What the SDKs of Anthropic and OpenAI do for each call although it is the same for all, done once: most of the CPU that
 * they take for a call (measured, `npm run bench:calls`).
 */

import type { CallInit } from "../http/fetch.ts";

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly fetchOptions?: unknown;
}

interface Built {
  readonly req: { readonly headers: Headers } & object;
  readonly url: string;
  readonly timeout: number;
}

/** Both SDKs' clients, made by one generator: they build each request here, and send what comes back. */
interface SdkClient<Options> {
  buildRequest(options: Options, how?: { readonly retryCount?: number }): Promise<Built>;
}

/**
 * From now on the client builds its request for a path and for headers of our own once: address, key, version, platform.
 * Later calls differ in their body alone. The headers are to be handed in as one and the same object.
 */
export function buildingOnce<Options, Client extends SdkClient<Options>>(client: Client): Client {
  const build = client.buildRequest.bind(client);
  const known = new Map<string, Map<unknown, Built>>();
  client.buildRequest = async (options, how) => {
    const { method, path, headers, body, fetchOptions } = options as Asked;
    const built = known.get(path)?.get(headers);
    if (built !== undefined && typeof body === "object") {
      const req = { method, headers: built.req.headers, body: JSON.stringify(body), ...(fetchOptions as object) };
      return { ...built, req };
    }
    const first = await build(options, how);
    const ofPath = known.get(path) ?? new Map<unknown, Built>();
    known.set(path, ofPath.set(headers, { ...first, req: { headers: first.req.headers } }));
    return first;
  };
  return client;
}

/** Has a call end with the signal, told past the SDK to our own fetch: see `CallInit`. */
export const until = (signal: AbortSignal): { readonly fetchOptions: object } => {
  const fetchOptions: CallInit = { until: signal };
  return { fetchOptions };
};
