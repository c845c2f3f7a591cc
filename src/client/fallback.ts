/** The next provider for what one cannot do. */

import { type ErrorCode, isMillraceError } from "../errors.ts";
import type { Client } from "./client.ts";

/** What another provider may do better. */
const ANOTHER_MAY: ReadonlySet<ErrorCode> = new Set([
  "invalid_request",
  "request_too_large",
  "content_filtered",
  "refused",
  "invalid_answer",
  "truncated_answer",
  "timeout",
  "connection_failed",
  "server_error",
  "conflict",
  "bad_response",
  "authentication_failed",
  "permission_denied",
  "unknown_model",
  "no_credit",
  "schema_rejected",
  "max_wait_exceeded",
]);

/**
 * Asks one client after the other until one can. Throws what the last one does.
 *
 * @param ask `replaceable`: there is somebody left to ask
 */
export async function firstAble<T>(
  clients: readonly Client[],
  ask: (client: Client, replaceable: boolean) => Promise<T>,
): Promise<T> {
  const last = clients.at(-1) as Client;
  for (const client of clients) {
    if (client === last) break;
    if (client.gate.open.length === 0) continue;
    try {
      return await ask(client, true);
    } catch (error) {
      if (!isMillraceError(error) || !ANOTHER_MAY.has(error.code)) throw error;
    }
  }
  return ask(last, false);
}
