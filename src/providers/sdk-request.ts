/**
 * Calls through the SDKs of Anthropic and OpenAI by two of their own steps: they build a request, with address, key,
 * version and platform, and they send one. Their `post` does more around these: it retries, logs, reads errors and
 * bodies, and builds what never changes anew for each call. Here that is off or done elsewhere, and cost more CPU than
 * undici takes for the whole call (measured, `npm run bench:calls`).
 */

import type { CallInit } from "../http/fetch.ts";

/** Makes a call; resolves when its answer is there, with whatever status our fetch lets pass. */
export type Post = (body: object, call: PostOptions) => Promise<Response>;

export interface PostOptions {
  readonly signal: AbortSignal;
  /** Go before the SDK's own. One and the same object for all calls of a kind. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** undici would make bytes of a text and hold both until the answer is there: so the text is gone at once. */
export const bytesOf = (body: object): Buffer<ArrayBuffer> => Buffer.from(JSON.stringify(body));

interface Built {
  readonly req: { readonly headers: Headers };
  readonly url: string;
  readonly timeout: number;
}

/** What the clients of both SDKs have: they are made by one generator. */
interface SdkClient<Options> {
  buildRequest(options: Options): Promise<Built>;
  fetchWithTimeout(url: string, init: RequestInit, ms: number, controller: AbortController): Promise<Response>;
}

export function posting<Options>(client: SdkClient<Options>, path: string): Post {
  /** By the headers of our own. */
  const built = new Map<PostOptions["headers"], Built>();
  // The SDK would abort it after its own timeout, which is 24 days, and clears its timer when a call ends.
  const controller = new AbortController();
  return async (body, { signal, headers }) => {
    let request = built.get(headers);
    if (request === undefined) {
      request = await client.buildRequest({ method: "post", path, body: {}, headers } as Options);
      built.set(headers, request);
    }
    // The signal goes past the SDK: see `CallInit`.
    const init: CallInit = { method: "POST", headers: request.req.headers, body: bytesOf(body), until: signal };
    return client.fetchWithTimeout(request.url, init, request.timeout, controller);
  };
}
