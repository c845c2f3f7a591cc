/** Whether a call that brought no answer may have been billed all the same. */

import type { MillraceError } from "../errors.ts";

/** Faults of a connection that never came to be: nothing was sent. */
const NOT_SENT = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_|ERR_TLS)/;

/** Said by what stands before a server that may have worked all the same. */
const PERHAPS_WORKED: ReadonlySet<number> = new Set([408, 502, 504, 524]);

/**
 * A status that refuses is the provider's word that it has answered nothing. Whatever else ended without an answer (timed
 * out, taken back, broken off, unreadable) may have been billed; what, nobody says.
 *
 * @param error undefined: the call was taken back
 */
export function perhapsBilled(error: MillraceError | undefined): boolean {
  if (error === undefined) return true;
  const { status = 0, code, cause } = error;
  if (status >= 300 && !PERHAPS_WORKED.has(status)) return false;
  const fault = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  return !(code === "connection_failed" && NOT_SENT.test(fault));
}
