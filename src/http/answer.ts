/**
 * An answer that is whole already. Node's own `Response` takes as long to make and to read as a whole call of undici's
 * (measured), for streams and checks that nobody needs of bytes that are there.
 */

import type { RawHeaders, Whole } from "./exchange.ts";

/** What is read of an answer's headers, by names in lower case. `Headers` are such. */
export interface AnswerHeaders {
  get(name: string): string | null;
  has(name: string): boolean;
  forEach(act: (value: string, name: string) => void): void;
}

/** What is read of an answer; a `Response` is one. */
export interface Answer {
  readonly status: number;
  /** The status is a 2xx. */
  readonly ok: boolean;
  readonly headers: AnswerHeaders;
  /** Null where the answer is whole: what there is comes by the methods. */
  readonly body: ReadableStream<Uint8Array> | null;
  text(): Promise<string>;
  json(): Promise<unknown>;
}

/** Over the headers as undici gives them: names in lower case, values of a repeated one in a list. */
class HeaderView implements AnswerHeaders {
  readonly #raw: RawHeaders;

  constructor(raw: RawHeaders) {
    this.#raw = raw;
  }

  get(name: string): string | null {
    const value = Object.hasOwn(this.#raw, name) ? this.#raw[name] : undefined;
    return value === undefined ? null : typeof value === "string" ? value : value.join(", ");
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  forEach(act: (value: string, name: string) => void): void {
    for (const name of Object.keys(this.#raw)) act(this.get(name) ?? "", name);
  }
}

class WholeAnswer implements Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body = null;
  readonly #bytes: Buffer;

  constructor({ status, headers, body }: Whole) {
    this.status = status;
    this.headers = new HeaderView(headers);
    this.#bytes = body;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status <= 299;
  }

  async text(): Promise<string> {
    return textOf(this.#bytes);
  }

  async json(): Promise<unknown> {
    return JSON.parse(textOf(this.#bytes));
  }
}

const BYTE_ORDER_MARK = 0xfeff;

function textOf(body: Buffer): string {
  const text = body.toString();
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

export const answerOf = (whole: Whole): Answer => new WholeAnswer(whole);
