/**
 * One request and its whole answer, on undici's own handler: the body is collected as the parser gives it, with no stream
 * in between, which would cost as much as all else that undici does for a call (measured, `npm run bench:calls`).
 */

import type { Dispatcher } from "undici";
import { failure } from "../errors.ts";

export interface Call {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string | Uint8Array | null;
  readonly signal: AbortSignal | null;
}

export interface Whole {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: Buffer;
}

export type RawHeaders = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Rejects with the signal's reason as soon as that is aborted, with undici's or the system's error when the transport
 * fails. Resolves when the answer's last byte has come and its socket is free.
 */
export function exchange(dispatcher: Dispatcher, call: Call): Promise<Whole> {
  const { origin, path, method, headers, body, signal } = call;
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const handler = new Collector(resolve, reject, signal);
    const asked = { origin, path, method: method as Dispatcher.HttpMethod, headers: headers as string[], body };
    try {
      dispatcher.dispatch(asked, handler);
    } catch (error) {
      handler.onResponseError(null, error);
    }
  });
}

class Collector implements Dispatcher.DispatchHandler {
  readonly #resolve: (whole: Whole) => void;
  readonly #reject: (error: unknown) => void;
  readonly #signal: AbortSignal | null;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: RawHeaders = {};

  constructor(resolve: (whole: Whole) => void, reject: (error: unknown) => void, signal: AbortSignal | null) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    signal?.addEventListener("abort", this);
  }

  /** Of the signal: it was aborted. Where undici has not begun yet, it is told when it does. */
  handleEvent(): void {
    this.#end();
    this.#reject(this.#signal?.reason);
    this.#controller?.abort(this.#signal?.reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#signal?.aborted) controller.abort(this.#signal.reason);
    else this.#controller = controller;
  }

  onRequestUpgrade(controller: Dispatcher.DispatchController): void {
    controller.abort(failure("bad_response", "The server wants to speak another protocol than HTTP."));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: RawHeaders): void {
    // Those below 200 only say that the answer is still to come.
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#end();
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 ? (first as Buffer) : Buffer.concat(this.#chunks);
    // undici gives the socket back one turn of the event loop after the body's end. Without waiting for it, whoever calls
    // again at once takes a new socket: twice as many as calls in flight (measured: 40 for 20). By way of a tick, to come
    // after what undici is about to put into that turn.
    process.nextTick(setImmediate, this.#resolve, { status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: unknown, error: unknown): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    this.#signal?.removeEventListener("abort", this);
  }
}
