/**
 * The fetch that the vendors' SDKs are given: `undici.request` under a standard face, at half the CPU of a full fetch
 * (measured). It follows no redirect and decompresses nothing.
 */

import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { failure } from "../errors.ts";
import type { Pool } from "./pool.ts";

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

interface Call {
  readonly url: URL;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array | null;
  readonly signal: AbortSignal | null;
}

/** Sent as `accept`, it asks for server-sent events: such an answer is handed out as it comes. */
export const EVENT_STREAM = "text/event-stream";

/** Statuses whose `Response` may not have a body: the Fetch Standard's "null body status". */
const NULL_BODY = new Set([101, 103, 204, 205, 304]);

/**
 * Every body is read to its end before the `Response` is returned, error bodies too: an unread one would keep its
 * socket from being used again. So the answer is whole or the promise rejects; and nothing is left that could emit an
 * error later. The exception is an answer to a call that accepts `EVENT_STREAM`: whoever asked for it reads its body or
 * cancels it. When a server answers such a call with a JSON text or a page, that is read as any other.
 *
 * Rejects with the signal's reason when aborted, with undici's or the system's error when the transport fails
 * (`UND_ERR_RES_EXCEEDED_MAX_SIZE` for a body above the pool's cap), with `bad_response` for what no `Response` can hold.
 */
export function createFetch(dispatcher: Pool["dispatcher"]): Fetch {
  // Node loads its fetch when one of its names is first used (30 ms): now, rather than in the first call.
  new Headers();
  return async (input, init) => {
    const { url, method, headers, body, signal } = await readCall(input, init);
    const streaming = headers.accept === EVENT_STREAM;
    const answer = await dispatcher({ streaming }).request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: method as Dispatcher.HttpMethod,
      headers,
      body,
      signal,
    });
    if (streaming && isStream(answer)) return toResponse(answer.statusCode, answer.headers, streamOf(answer.body));
    // Begun in the same turn, so that an error event always finds a listener: one that finds none ends the process.
    const bytes = await answer.body.bytes();
    // undici gives the socket back one turn of the event loop after the body's end. Without waiting for it, whoever calls
    // again at once takes a new socket: twice as many as calls in flight (measured: 40 for 20).
    await setImmediate();
    return toResponse(answer.statusCode, answer.headers, bytes as Uint8Array<ArrayBuffer>);
  };
}

/**
 * What is called JSON or HTML comes in one piece; what has no name, or a wrong one, is looked at as it comes. What no
 * `Response` will be made of is read like any other, so that its socket is free.
 */
function isStream({ statusCode, headers }: Dispatcher.ResponseData): boolean {
  return statusCode === 200 && !isEncoded(headers) && !/json|html/i.test(String(headers["content-type"] ?? ""));
}

/** Nothing is read ahead: what a slow reader leaves stays in the socket. Cancelling it closes the socket at once. */
function streamOf(body: Readable): ReadableStream<Uint8Array> {
  // A fault that comes while nobody reads must find a listener as well; the next read rejects with it.
  body.on("error", () => {});
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (!done) return controller.enqueue(value);
        // As above: the socket is free one turn after the end.
        await setImmediate();
        return controller.close();
      },
      cancel() {
        body.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}

async function readCall(input: string | URL | Request, init: RequestInit = {}): Promise<Call> {
  const request = input instanceof Request ? input : undefined;
  const headers = Object.fromEntries(new Headers(init.headers ?? request?.headers));
  // Said aloud, because an absent header allows every encoding and nothing is decoded here.
  headers["accept-encoding"] = "identity";
  return {
    url: new URL(request?.url ?? (input as string | URL)),
    method: init.method ?? request?.method ?? "GET",
    headers,
    body: await readBody(init.body ?? (request?.body ? await request.bytes() : null)),
    signal: init.signal ?? request?.signal ?? null,
  };
}

async function readBody(body: RequestInit["body"]): Promise<string | Uint8Array | null> {
  if (body == null || typeof body === "string" || body instanceof Uint8Array) return body ?? null;
  throw failure("internal", "A request's body was neither text nor bytes.");
}

type RawHeaders = Readonly<Record<string, string | string[] | undefined>>;

const isEncoded = ({ "content-encoding": encoding }: RawHeaders): boolean =>
  encoding !== undefined && encoding !== "identity";

function toResponse(
  status: number,
  raw: RawHeaders,
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
): Response {
  if (isEncoded(raw)) {
    const encoding = String(raw["content-encoding"]);
    throw failure("bad_response", `The answer came encoded (${encoding}) although none was asked for.`, { status });
  }
  if (status < 200 || status > 599)
    throw failure("bad_response", `${status} is no status that HTTP knows.`, { status });
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  // What is asked for is JSON or events, whatever a server calls it: an SDK would hand out a page of a proxy as if it were
  // an answer, and refuse an answer that is called text.
  if (status < 300) headers.set("content-type", body instanceof ReadableStream ? EVENT_STREAM : "application/json");
  return new Response(NULL_BODY.has(status) ? null : body, { status, headers });
}
