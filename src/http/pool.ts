/** The connections of one provider: an undici pool, which opens none before it is used. */

import type { Dispatcher } from "undici";
import { failure } from "../errors.ts";
import { load } from "../load.ts";

export interface PoolOptions {
  /** The largest body taken, in bytes. A longer one closes its socket and fails its call. Default 32 MiB. */
  readonly maxBodyBytes?: number;
}

export interface Pool {
  /**
   * @param call.streaming the answer will come as events, and is thrown away as it is read
   * @throws `aborted` once the pool is closed.
   */
  dispatcher(call?: { readonly streaming: boolean }): Dispatcher;
  /** Closes every socket; calls in flight fail. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/**
 * Events wrap each token in 300 bytes and more: OpenAI's longest answers (128,000 tokens) would not fit into the cap for
 * whole bodies. None of this is kept; what is kept of a stream has a bound of its own (`providers/stream.ts`).
 */
const STREAM_FACTOR = 8;

/** Idle sockets are closed after this, in ms: before the vendors' edges do, so that no call is sent into a dead one. */
const KEEP_ALIVE = 30_000;

const CONNECT_TIMEOUT = 10_000;

export function createPool(options: PoolOptions = {}): Pool {
  const maxBodyBytes = options.maxBodyBytes ?? MAX_BODY_BYTES;
  const whole = open(agentAlone(), maxBodyBytes);
  // undici knows the cap of an agent only, not of a call.
  let streams: Dispatcher | undefined;
  let closed = false;
  return {
    dispatcher({ streaming } = { streaming: false }) {
      if (closed) throw failure("aborted", "The provider is closed. Make a new one to call again.");
      if (!streaming) return whole;
      streams ??= open(load("undici") as Undici, maxBodyBytes * STREAM_FACTOR);
      return streams;
    },
    async close() {
      closed = true;
      await Promise.all([whole.destroy(), streams?.destroy()]);
    },
  };
}

type Undici = Pick<typeof import("undici"), "Agent">;

/**
 * Calls that are read whole need undici's dispatcher and its parser. All of undici, with its own fetch, caches, mocks and
 * proxies, takes 0.04 s of CPU more at the start of every run (measured). Its files are not its public face, so
 * `package.json` names one version.
 */
function agentAlone(): Undici {
  return { Agent: load("undici/lib/dispatcher/agent.js") as Undici["Agent"] };
}

function open({ Agent }: Undici, maxResponseSize: number): Dispatcher {
  return new Agent({
    // HTTP/1.1 on purpose: one call is one socket, so that an abort closes just that socket, and the sockets open are
    // the calls in flight. Under HTTP/2 undici puts a hundred calls on a socket, and they share its loss.
    allowH2: false,
    pipelining: 1,
    // No cap of its own: the client room bounds the calls in flight, and a queue here would eat into their timeouts.
    connections: null,
    // A server's `Keep-Alive: timeout` hint goes before this.
    keepAliveTimeout: KEEP_ALIVE,
    connect: { timeout: CONNECT_TIMEOUT },
    // Off: the client's timer for an attempt covers headers and body alike, through the signal. undici's own defaults
    // (300 s) would cut a long answer short, whatever timeout the user asked for.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize,
  });
}
