/** The options that all vendors' providers share, read and checked once. */

import { failure } from "../errors.ts";
import { checkKeys, checkPrice } from "../options.ts";
import type { ModelPrice } from "../usage.ts";
import { missingKey, readKey, redactor } from "./key.ts";
import type { Vendor } from "./models.ts";

export interface ProviderOptions {
  /** Default: the vendor's small model, see `models.ts`. */
  readonly model?: string | undefined;
  /** Default: `ANTHROPIC_API_KEY`, `OPENAI_API_KEY` or `MISTRAL_API_KEY`. Required, but by a server that is not the vendor's. */
  readonly apiKey?: string | undefined;
  /** Default: `ANTHROPIC_BASE_URL` …, else the vendor's. The OpenAI one ends in `/v1`, the others do not. */
  readonly baseURL?: string | undefined;
  /** Output tokens at most, for requests that name no limit. Default: see `models.ts`. */
  readonly maxOutputTokens?: number | undefined;
  /** Sent with every call. Never shown. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What the model costs, in US dollars for a million tokens. Default: what the vendor lists. */
  readonly price?: ModelPrice | undefined;
}

export const PROVIDER_KEYS = ["model", "apiKey", "baseURL", "maxOutputTokens", "headers", "price"] as const;

export interface Settings {
  readonly vendor: Vendor;
  /** Who answers, as errors name it: the vendor, or the server that speaks its protocol. */
  readonly label: string;
  /** Host and port that calls go to: all of the base URL that says where a connection was tried, and nothing that is private. */
  readonly address: string;
  /** Whether the base URL is the vendor's own, regional ones included. */
  readonly official: boolean;
  readonly model: string;
  readonly apiKey: string | undefined;
  readonly baseURL: string;
  readonly maxOutputTokens: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly price: ModelPrice | undefined;
  /** Takes the key and the headers' values out of a text. */
  redact(text: string): string;
}

interface Reading {
  /** The options' names that this provider knows. */
  readonly known: readonly string[];
  /** Whether servers that are not the vendor's may do without a key: one on the user's own machine wants none. */
  readonly compatible: boolean;
}

/** @throws `invalid_option`, `missing_key` */
export function readSettings(vendor: Vendor, options: ProviderOptions, reading: Reading): Settings {
  const where = `${vendor.name}()`;
  checkKeys(options, reading.known, where);
  const apiKey = readKey(options.apiKey, vendor);
  const baseURL = readBaseURL(options.baseURL, vendor);
  const official = isOfficial(baseURL, vendor);
  if (apiKey === undefined && (official || !reading.compatible)) throw missingKey(vendor, where);
  const headers = readHeaders(options.headers ?? {}, where);
  const model = options.model ?? vendor.model;
  if (typeof model !== "string" || model.trim() === "") {
    throw failure("invalid_option", `${where}: \`model\` must be a model's name, such as "${vendor.model}".`);
  }
  const maxOutputTokens = options.maxOutputTokens ?? vendor.maxOutputTokens;
  if (!Number.isSafeInteger(maxOutputTokens) || maxOutputTokens < 1) {
    throw failure("invalid_option", `${where}: \`maxOutputTokens\` must be a whole number of at least 1.`);
  }
  checkPrice(options.price, `${where}: \`price\``);
  const url = new URL(baseURL);
  return {
    vendor,
    label: official ? vendor.label : `the server at ${url.host}`,
    address: `${url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}`,
    official,
    model,
    apiKey,
    baseURL,
    maxOutputTokens,
    headers,
    price: options.price,
    redact: redactor([apiKey, ...Object.values(headers)]),
  };
}

/** The vendor's host, or one of its regions' (`eu.api.openai.com`). */
function isOfficial(baseURL: string, vendor: Vendor): boolean {
  const own = new URL(vendor.baseURL).hostname;
  const host = new URL(baseURL).hostname;
  return host === own || host.endsWith(`.${own}`);
}

/** Without its trailing slashes. The URL is shown in errors and reports, so it may not carry a password. */
function readBaseURL(option: string | undefined, vendor: Vendor): string {
  const given = option || process.env[vendor.baseURLVariable] || vendor.baseURL;
  const what = option ? `${vendor.name}(): \`baseURL\`` : vendor.baseURLVariable;
  const url = URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw failure("invalid_option", `${what} must be an http or https address, such as "${vendor.baseURL}".`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw failure(
      "invalid_option",
      `${what} may hold no user, password, query or fragment. Secrets go into \`apiKey\` or \`headers\`.`,
    );
  }
  return url.href.replace(/\/+$/, "");
}

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

function readHeaders(given: Readonly<Record<string, string>>, where: string): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(given)) {
    if (!HEADER_NAME.test(name))
      throw failure("invalid_option", `${where}: \`headers\` holds a name that no header may have.`);
    if (typeof value !== "string" || !HEADER_VALUE.test(value)) {
      throw failure("invalid_option", `${where}: the value of the header "${name}" must be printable ASCII.`);
    }
  }
  return { ...given };
}

/** Headers that say who asks, or which call it is: they change no answer. */
const NOT_OF_THE_ANSWER =
  /auth|key|token|secret|password|cookie|credential|session|signature|request-id|trace|user-agent/i;

/** What these settings send beside a request that can change its answer, as `Provider.sends`; undefined: nothing. */
export function sentWith({ headers }: Settings): Readonly<Record<string, unknown>> | undefined {
  const told = Object.entries(headers)
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !NOT_OF_THE_ANSWER.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return told.length === 0 ? undefined : { headers: Object.fromEntries(told) };
}
