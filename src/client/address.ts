/** Whether a fault shows a wrong address rather than an outage: what is mistyped does not come back by waiting. */

import type { MillraceError } from "../errors.ts";

/**
 * No such name, nothing that listens, and a certificate or a protocol that is not the provider's. A server that answers with
 * a fault, a network that is away, a connection that is cut or not accepted in time are outages.
 */
const WRONG = /^(?:ENOTFOUND$|ECONNREFUSED$|CERT_|ERR_TLS|ERR_SSL|DEPTH_|SELF_|UNABLE_|EPROTO$)/;

export function misaddressed(fault: MillraceError | undefined): boolean {
  const cause = fault?.cause;
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
  return fault?.code === "connection_failed" && fault.status === undefined && WRONG.test(code);
}
