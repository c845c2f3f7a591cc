/** Which vendor an address belongs to, and which of its endpoints. */

import { anthropic, anthropicMessages } from "./vendors/anthropic.ts";
import { openaiChat } from "./vendors/chat.ts";
import { mistral, mistralChat } from "./vendors/mistral.ts";
import { openai } from "./vendors/openai.ts";
import { openaiResponses } from "./vendors/responses.ts";
import type { Endpoint, RequestHeaders, Vendor, VendorFace } from "./vendors/vendor.ts";

export interface Route {
  readonly face: VendorFace;
  /** `messages`, `chat/completions`, `responses`, `models`, `models/<name>`; empty for an address that leads nowhere. */
  readonly name: string;
  /** Undefined for `models` and for nowhere. */
  readonly endpoint: Endpoint | undefined;
  /** The vendor stands in the address, so that the model's name does not matter. */
  readonly named: boolean;
}

const FACES: Record<Vendor, VendorFace> = { anthropic, openai, mistral };

const ENDPOINTS: Record<Vendor, Readonly<Record<string, Endpoint>>> = {
  anthropic: { messages: anthropicMessages },
  openai: { "chat/completions": openaiChat, responses: openaiResponses },
  mistral: { "chat/completions": mistralChat },
};

/** The vendor of an address without one. Chat completions count as OpenAI's until the model is known. */
function guess(name: string, headers: RequestHeaders): Vendor {
  if (name === "messages" || headers["anthropic-version"] !== undefined || headers["x-api-key"] !== undefined) {
    return "anthropic";
  }
  return "openai";
}

/**
 * `/v1/…` as the vendors have it, or behind `/anthropic`, `/openai`, `/mistral`. The query does not matter.
 */
export function route(method: string, url: string, headers: RequestHeaders): Route {
  const path = url.split("?", 1)[0] ?? "";
  const found = /^(?:\/(anthropic|openai|mistral))?\/v1\/(.+)$/.exec(path);
  const prefix = found?.[1] as Vendor | undefined;
  const asked = found?.[2] ?? "";
  const vendor = prefix ?? guess(asked, headers);
  const face = FACES[vendor];
  const named = prefix !== undefined;
  if (method === "GET" && /^models(\/.+)?$/.test(asked)) return { face, name: asked, endpoint: undefined, named };
  const endpoint = method === "POST" ? ENDPOINTS[vendor][asked] : undefined;
  return { face, name: endpoint ? asked : "", endpoint, named };
}

/** Mistral's models by name (`open-mixtral-8x22b` and its like included). */
const MISTRAL_MODELS = /^(?:mistral|ministral|magistral|codestral|devstral|voxtral|pixtral|open-)/;

/** Settles whose chat completions an address without a vendor means. */
export function withModel(found: Route, model: unknown): Route {
  const isMistral = typeof model === "string" && MISTRAL_MODELS.test(model);
  if (found.named || found.name !== "chat/completions" || !isMistral) return found;
  return { ...found, face: mistral, endpoint: mistralChat };
}
