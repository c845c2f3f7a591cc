/** Under which key the answer to a request is stored: everything sent that can change it, but the output limit. */

import { hash } from "node:crypto";
import type { ModelRequest, Provider } from "../providers/provider.ts";
import { utf8Of } from "../utf8.ts";

/** Of the form that is hashed. Another one finds nothing of what was stored before. */
const VERSION = 3;

/** A provider and a schema are the same for all records: written once. */
const written = new WeakMap<object, string>();

/**
 * SHA-256, in hex, of a JSON array: version, provider, base URL, what the provider sends besides, model, schema, its name,
 * temperature, sample, and for system and each message its role and the SHA-256 of its text, as UTF-8. The texts are hashed
 * as they lie in memory: to write a long article into the array takes longer than to hash it, and makes a copy of it. The
 * schema stays in its own order: models follow it.
 */
export function keyOf(provider: Provider, request: ModelRequest): string {
  const { system, messages, schema, schemaName = "answer", temperature = null, sample = 0 } = request;
  const who = writtenOnce(provider, () =>
    [VERSION, provider.name, sameURL(provider.baseURL), sorted(provider.sends ?? {}), provider.model]
      .map((part) => JSON.stringify(part))
      .join(),
  );
  const shape =
    schema === undefined ? "null,null" : `${writtenOnce(schema, JSON.stringify)},${JSON.stringify(schemaName)}`;
  const parts: unknown[] = [temperature, sample];
  if (system !== undefined) parts.push("system", ...hashed(system));
  for (const { role, content } of messages) parts.push(role, ...hashed(content));
  return hash("sha256", `[${who},${shape},${JSON.stringify(parts).slice(1)}`, "hex");
}

/** UTF-8 makes one character of all halves of a surrogate pair; JSON writes each as its own escape. */
const hashed = (text: string): readonly string[] =>
  text.isWellFormed() ? [hash("sha256", utf8Of(text))] : ["JSON", hash("sha256", JSON.stringify(text))];

function writtenOnce<T extends object>(one: T, write: (one: T) => string): string {
  let text = written.get(one);
  if (text === undefined) {
    text = write(one);
    written.set(one, text);
  }
  return text;
}

/** `HTTP://Host/v1/` and `http://host/v1` are one server. */
function sameURL(baseURL: string | undefined): string | null {
  if (baseURL === undefined) return null;
  return (URL.parse(baseURL)?.href ?? baseURL).replace(/\/+$/, "");
}

/** In whatever order an object's keys were written, it sends the same. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, field]) => [name, sorted(field)]));
}
