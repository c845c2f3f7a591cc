/**
 * The SDK's chat call without its barrel file. The SDK's own `chatComplete` imports the schemas of every endpoint, some
 * 650 files, and translates each request and answer through them; this has its core build the request (address, key,
 * version) and sends the body as it stands on the wire. Measured: 90 ms instead of 590 to load, 72 MB of RSS instead of
 * 116; and a third of the CPU for a call, since the request is built once and its body does not go through a stream.
 */

import type { Fetch } from "../http/fetch.ts";
import { load } from "../load.ts";
import { type Post, type PostOptions, posting } from "./sdk-request.ts";
import type { Settings } from "./settings.ts";

type Sdk = typeof import("@mistralai/mistralai/core.js") &
  typeof import("@mistralai/mistralai/lib/env.js") &
  typeof import("@mistralai/mistralai/lib/security.js");

const PARTS = ["core", "lib/env", "lib/security"];

export function loadMistralChat(settings: Settings, fetch: Fetch): Post {
  const parts = PARTS.map((part) => load(`@mistralai/mistralai/${part}.js`) as Partial<Sdk>);
  const { MistralCore, env, resolveGlobalSecurity } = Object.assign({}, ...parts) as Sdk;
  const apiKey = settings.apiKey as string;
  const core = new MistralCore({
    apiKey,
    serverURL: settings.baseURL,
    // Where MISTRAL_DEBUG is set, the SDK would log the key in clear.
    ...(env().MISTRAL_DEBUG ? { debugLogger: SILENT } : {}),
  });
  const security = resolveGlobalSecurity({ apiKey });
  const context = {
    options: core._options,
    baseURL: settings.baseURL,
    operationID: "chat_completion_v1_chat_completions_post",
    oAuth2Scopes: null,
    resolvedSecurity: security,
    securitySource: apiKey,
    retryConfig: { strategy: "none" } as const,
  };
  const build = (own: PostOptions["headers"]): Request => {
    const headers = { "content-type": "application/json", accept: "application/json", ...settings.headers, ...own };
    const made = core._createRequest(context, { security, method: "POST", path: "/v1/chat/completions", headers });
    if (!made.ok) throw made.error;
    return made.value;
  };
  return posting(fetch, build);
}

const SILENT = { group() {}, groupEnd() {}, log() {} };
