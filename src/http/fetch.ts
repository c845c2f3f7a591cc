/**
 * One call to a provider: undici under the face of a fetch, at a fraction of the CPU of a full one (measured). It follows
 * no redirect and decompresses nothing.
 */

import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { failure } from "../errors.ts";
import { type Answer, answerOf } from "./answer.ts";
import { type Call, exchange, type RawHeaders } from "./exchange.ts";
import type { Pool } from "./pool.ts";

export type Fetch = (url: string, init?: CallInit) => Promise<Answer>;

export interface CallInit {
  /** Default GET. */
  readonly method?: string;
  /** The same `Headers`, call for call, are read once. */
  readonly headers?: Headers | Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array;
  /** Aborts the call. */
  readonly signal?: AbortSignal;
}

/** Sent as `accept`, it asks for server-sent events: such an answer is handed out as it comes. */
export const EVENT_STREAM = "text/event-stream";

/**
 * Every body is read to its end before the answer is returned, error bodies too: an unread one would keep its
 * socket from being used again. So the answer is whole or the promise rejects; and nothing is left that could emit an
 * error later. The exception is an answer to a call that accepts `EVENT_STREAM`: whoever asked for it reads its body or
 * cancels it. When a server answers such a call with a JSON text or a page, that is read as any other.
 *
 * Rejects with the signal's reason when aborted, with undici's or the system's error when the transport fails
 * (`UND_ERR_RES_EXCEEDED_MAX_SIZE` for a body above the pool's cap), with `bad_response` for what is no HTTP answer.
 */
export function createFetch(dispatcher: Pool["dispatcher"]): Fetch {
  // Node loads its fetch when one of its names is first used (30 ms): now, rather than in the first call.
  new Headers();
  const targetOf = lastTarget();
  return async (url, { method = "GET", headers: given, body = null, signal = null } = {}) => {
    const { headers, streaming } = readHeaders(given);
    const call = { ...targetOf(url), method, headers, body, signal };
    if (streaming) return stream(dispatcher({ streaming }), call);
    return toAnswer(await exchange(dispatcher(), call));
  };
}

async function stream(dispatcher: Dispatcher, call: Call): Promise<Answer> {
  const method = call.method as Dispatcher.HttpMethod;
  const answer = await dispatcher.request({ ...call, method, headers: call.headers as string[] });
  const { statusCode: status, headers } = answer;
  if (isStream(answer)) {
    return new Response(streamOf(answer.body), { status, headers: listed(headers) });
  }
  // Begun in the same turn, so that an error event always finds a listener: one that finds none ends the process.
  const body = Buffer.from(await answer.body.arrayBuffer());
  // The socket is free one turn after the end, see `exchange`.
  await setImmediate();
  return toAnswer({ status, headers, body });
}

/** As `Headers` takes them. */
function listed(headers: RawHeaders): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((each): [string, string] => [name, each]),
  );
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

interface Target {
  readonly origin: string;
  readonly path: string;
}

/** A provider calls one address: it is taken apart once. */
function lastTarget(): (url: string) => Target {
  let last: { readonly url: string; readonly target: Target } | undefined;
  return (url) => {
    if (last?.url === url) return last.target;
    const { origin, pathname, search } = new URL(url);
    const target = { origin, path: pathname + search };
    last = { url, target };
    return target;
  };
}

interface Sent {
  readonly headers: readonly string[];
  readonly streaming: boolean;
}

/** By the object that they were given in: one that is given again, call for call, is read once. */
const read = new WeakMap<Headers, Sent>();

function readHeaders(given: CallInit["headers"]): Sent {
  const known = given instanceof Headers ? read.get(given) : undefined;
  if (known !== undefined) return known;
  const headers = new Headers(given);
  // Said aloud, because an absent header allows every encoding and nothing is decoded here.
  headers.set("accept-encoding", "identity");
  const sent = { headers: [...headers].flat(), streaming: headers.get("accept") === EVENT_STREAM };
  if (given instanceof Headers) read.set(given, sent);
  return sent;
}

const isEncoded = ({ "content-encoding": encoding }: RawHeaders): boolean =>
  encoding !== undefined && encoding !== "identity";

function toAnswer(whole: { readonly status: number; readonly headers: RawHeaders; readonly body: Buffer }): Answer {
  const { status, headers } = whole;
  if (isEncoded(headers)) {
    const encoding = String(headers["content-encoding"]);
    throw failure("bad_response", `The answer came encoded (${encoding}) although none was asked for.`, { status });
  }
  if (status < 200 || status > 599)
    throw failure("bad_response", `${status} is no status that HTTP knows.`, { status });
  return answerOf(whole);
}
