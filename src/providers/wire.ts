/**
 * What the three SDKs share: one pool, one client, and failures told apart before an SDK renames
 * them.
 */

import { failure } from "../errors.ts";
import { createFetch, type Fetch } from "../http/fetch.ts";
import { createPool } from "../http/pool.ts";
import { broken, Passage, refused } from "./failure.ts";
import { type Refusal, readRefusal } from "./refusal.ts";
import type { Settings } from "./settings.ts";

export interface Wire<Client> {
  /**
   * One call. Rejects with the signal's own reason once that is aborted, else with a `MillraceError`.
   *
   * @param use makes the call with the vendor's SDK and reads the answer
   */
  call<T>(signal: AbortSignal, use: (client: Client) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** @param connect makes the SDK's client */
export function createWire<Client>(settings: Settings, connect: (fetch: Fetch) => Client): Wire<Client> {
  const pool = createPool();
  const client = connected(settings, () => connect(explaining(createFetch(pool.dispatcher), settings)));
  let closed = false;
  return {
    async call(signal, use) {
      signal.throwIfAborted();
      try {
        return await use(client);
      } catch (thrown) {
        if (signal.aborted) throw signal.reason;
        if (closed) throw failure("aborted", `The provider for ${settings.label} was closed.`);
        throw broken(thrown, settings);
      }
    },
    close() {
      closed = true;
      return pool.close();
    },
  };
}

function connected<Client>({ label }: Settings, connect: () => Client): Client {
  try {
    return connect();
  } catch (cause) {
    throw failure("internal", `The SDK for ${label} could not be loaded. Install millrace again.`, { cause });
  }
}

/** Tells refusals and lost connections apart where they are still whole: before an SDK has seen them. */
function explaining(fetch: Fetch, settings: Settings): Fetch {
  return async (input, init) => {
    try {
      const response = await fetch(input, init);
      if (response.ok) return response;
      throw refusedBy(readRefusal(response.status, response.headers, await response.text()), settings);
    } catch (thrown) {
      throw new Passage(broken(thrown, settings));
    }
  };
}

const refusals = new WeakMap<Error, Refusal>();

function refusedBy(refusal: Refusal, settings: Settings): Error {
  const error = refused(refusal, settings);
  refusals.set(error, refusal);
  return error;
}

/** The refusal behind an error that `call` rejected with, if it was one. */
export const refusalOf = (error: unknown): Refusal | undefined => refusals.get(error as Error);
