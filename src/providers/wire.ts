/** What the three vendors share: one pool, one client of the SDK, and failures that say what they mean. */

import { failure } from "../errors.ts";
import type { Answer } from "../http/answer.ts";
import { createFetch, type Fetch } from "../http/fetch.ts";
import { createPool } from "../http/pool.ts";
import { broken, refused } from "./failure.ts";
import { type Refusal, readRefusal } from "./refusal.ts";
import type { Post } from "./sdk-request.ts";
import type { Settings } from "./settings.ts";

export interface Wire {
  /**
   * One call. Rejects with the signal's own reason once that is aborted, else with a `MillraceError`.
   *
   * @param use makes the call and reads the answer
   */
  call<T>(signal: AbortSignal, use: (post: Post) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** @param connect loads the vendor's SDK */
export function createWire(settings: Settings, connect: (fetch: Fetch) => Post): Wire {
  const pool = createPool();
  const post = connected(settings, () => connect(explaining(createFetch(pool.dispatcher), settings)));
  let closed = false;
  return {
    async call(signal, use) {
      signal.throwIfAborted();
      try {
        return await use(post);
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

function connected({ vendor }: Settings, connect: () => Post): Post {
  try {
    return connect();
  } catch (cause) {
    throw failure("internal", `The SDK for ${vendor.label} could not be loaded. Install millrace again.`, { cause });
  }
}

/** An answer that is no 2xx rejects, with what it means. What was sent is not held while the answer is waited for. */
const explaining =
  (fetch: Fetch, settings: Settings): Fetch =>
  (url, init) =>
    fetch(url, init).then((response) => (response.ok ? response : explained(response, settings)));

async function explained(response: Answer, settings: Settings): Promise<never> {
  throw refusedBy(readRefusal(response.status, response.headers, await response.text()), settings);
}

const refusals = new WeakMap<Error, Refusal>();

function refusedBy(refusal: Refusal, settings: Settings): Error {
  const error = refused(refusal, settings);
  refusals.set(error, refusal);
  return error;
}

/** The refusal behind an error that `call` rejected with, if it was one. */
export const refusalOf = (error: unknown): Refusal | undefined => refusals.get(error as Error);
