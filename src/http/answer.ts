/**
 * A `Response` that is whole already. Node's own takes as long to make and to read as a whole call of undici's (measured),
 * for streams and checks that nobody needs of bytes that are there: this one has what the vendors' SDKs read, and makes a
 * real one of itself for whatever else is asked of it.
 */

import type { RawHeaders, Whole } from "./exchange.ts";

/** Statuses whose `Response` may not have a body: the Fetch Standard's "null body status". */
const NULL_BODY = new Set([101, 103, 204, 205, 304]);

/**
 * Over the headers as undici gives them: names in lower case, values of a repeated one in a list. They are looked up where
 * they lie; what is set lies before them.
 */
class AnswerHeaders {
  readonly #raw: RawHeaders;
  readonly #set = new Map<string, string | null>();

  constructor(raw: RawHeaders) {
    this.#raw = raw;
  }

  get(name: string): string | null {
    const key = name.toLowerCase();
    const set = this.#set.size === 0 ? undefined : this.#set.get(key);
    if (set !== undefined) return set;
    const value = Object.hasOwn(this.#raw, key) ? this.#raw[key] : undefined;
    return value === undefined ? null : typeof value === "string" ? value : value.join(", ");
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  set(name: string, value: string): void {
    this.#set.set(name.toLowerCase(), String(value));
  }

  append(name: string, value: string): void {
    const before = this.get(name);
    this.set(name, before === null ? value : `${before}, ${value}`);
  }

  delete(name: string): void {
    this.#set.set(name.toLowerCase(), null);
  }

  forEach(act: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const name of this.#names()) {
      const value = this.get(name);
      if (value !== null) act.call(self, value, name, this as unknown as Headers);
    }
  }

  #names(): Iterable<string> {
    const names = Object.keys(this.#raw);
    return this.#set.size === 0 ? names : new Set([...names, ...this.#set.keys()]);
  }

  getSetCookie(): string[] {
    return [this.#raw["set-cookie"] ?? []].flat();
  }

  *keys(): Generator<string> {
    for (const [name] of this) yield name;
  }

  *values(): Generator<string> {
    for (const [, value] of this) yield value;
  }

  entries(): Generator<[string, string]> {
    return this[Symbol.iterator]();
  }

  *[Symbol.iterator](): Generator<[string, string]> {
    for (const name of this.#names()) {
      const value = this.get(name);
      if (value !== null) yield [name, value];
    }
  }
}

class Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly url = "";
  readonly statusText = "";
  readonly redirected = false;
  readonly type = "default";
  /** Nothing streams here: what there is comes by the methods. (Anthropic's SDK asks for it in every call.) */
  readonly body = null;
  #body: Buffer | undefined;
  #real: Response | undefined;

  constructor({ status, headers, body }: Whole) {
    this.status = status;
    this.headers = new AnswerHeaders(headers) as unknown as Headers;
    this.#body = body;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  get bodyUsed(): boolean {
    return this.#real?.bodyUsed ?? this.#body === undefined;
  }

  async text(): Promise<string> {
    return this.#real?.text() ?? textOf(this.#taken());
  }

  async json(): Promise<unknown> {
    return this.#real?.json() ?? (JSON.parse(textOf(this.#taken())) as unknown);
  }

  async bytes(): Promise<Uint8Array> {
    return this.#real?.bytes() ?? new Uint8Array(this.#taken());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#real?.arrayBuffer() ?? new Uint8Array(this.#taken()).buffer;
  }

  blob(): Promise<Blob> {
    return this.#response().blob();
  }

  formData(): Promise<FormData> {
    return this.#response().formData();
  }

  clone(): Response {
    return this.#response().clone();
  }

  #taken(): Buffer {
    const body = this.#body;
    if (body === undefined) throw new TypeError("Body is unusable: Body has already been read");
    this.#body = undefined;
    return body;
  }

  #response(): Response {
    this.#real ??= new Response(NULL_BODY.has(this.status) ? null : new Uint8Array(this.#taken()), {
      status: this.status,
      headers: [...this.headers],
    });
    return this.#real;
  }
}

/** What is asked with `instanceof` gets its yes. */
Object.setPrototypeOf(AnswerHeaders.prototype, Headers.prototype);
Object.setPrototypeOf(Answer.prototype, Response.prototype);

const BYTE_ORDER_MARK = 0xfeff;

function textOf(body: Buffer): string {
  const text = body.toString();
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

export const answerOf = (whole: Whole): Response => new Answer(whole) as unknown as Response;
