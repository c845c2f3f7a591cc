/** Who may read the page: whoever came by an address or a name of this machine. */

import { isIP } from "node:net";
import { hostname } from "node:os";

/**
 * Whether a request's Host header names this machine. A page of somebody else's can lead its own name to our address (DNS
 * rebinding) and would then read ours as its own; it cannot do so with an address, nor with a name that is not its own.
 *
 * @param named the host that was given to serve on
 */
export function isOurs(header: string | undefined, named: string): boolean {
  if (header === undefined) return false;
  const name = nameOf(header);
  if (name === undefined) return false;
  if (isIP(name) !== 0 || name === "localhost" || name.endsWith(".localhost")) return true;
  return [named, hostname()].some((own) => own.toLowerCase() === name);
}

/** Without its port, small, and without the brackets of IPv6; undefined for what is no host. */
function nameOf(header: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::\d{1,5})?$/i.exec(header) ?? [];
  return (bracketed ?? plain)?.toLowerCase().replace(/\.$/, "");
}
