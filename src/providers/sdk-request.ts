/**
 * Calls through the SDKs of Anthropic and OpenAI by one of their own steps: they build the request, with address, key,
 * version and platform, and we send it. Their `post` does more: it retries, logs, reads errors and bodies, and builds
 * what never changes anew for each call. Here that is off or done elsewhere, and cost more CPU than undici takes for the
 * whole call (measured, `npm run bench:calls`).
 *
 * The step is public in the SDKs' types, but no page of theirs speaks of it: so `package.json` names one version of each.
 */

import type { Answer } from "../http/answer.ts";
import type { Fetch } from "../http/fetch.ts";
import { utf8Of } from "../utf8.ts";

/** Makes a call; resolves when its answer is there, with whatever status our fetch lets pass. */
export type Post = (body: object, call: PostOptions) => Promise<Answer>;

export interface PostOptions {
  readonly signal: AbortSignal;
  /** Go before the SDK's own. One and the same object for all calls of a kind. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

interface Built {
  readonly url: string;
  readonly headers: Headers;
}

/** @param build makes the request but for its body; asked once for each object of headers */
export function posting(fetch: Fetch, build: (headers: PostOptions["headers"]) => Built | Promise<Built>): Post {
  const built = new Map<PostOptions["headers"], Built>();
  return async (body, { signal, headers: own }) => {
    let request = built.get(own);
    if (request === undefined) {
      request = await build(own);
      built.set(own, request);
    }
    const { url, headers } = request;
    // undici would make bytes of a text and hold both until the answer is there: so the text is gone at once.
    return fetch(url, { method: "POST", headers, body: Buffer.from(utf8Of(JSON.stringify(body))), signal });
  };
}

/** What the clients of both SDKs have: they are made by one generator. */
interface SdkClient<Options> {
  buildRequest(options: Options): Promise<{ readonly req: { readonly headers: Headers }; readonly url: string }>;
}

export function builtBy<Options>(client: SdkClient<Options>, path: string): Parameters<typeof posting>[1] {
  return async (headers) => {
    const { req, url } = await client.buildRequest({ method: "post", path, body: {}, headers } as Options);
    return { url, headers: req.headers };
  };
}
