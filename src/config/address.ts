/** Where `--serve` listens, as it is typed. */

import { failure } from "../errors.ts";

/** Reached from this machine alone. */
const LOOPBACK = "127.0.0.1";

/** `PORT`, `HOST:PORT`, `[IPv6]:PORT`; without a host this machine alone. @throws ConfigurationError for anything else */
export function address(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits = ""] = /^(?:(?:\[([\da-f:.]+)\]|([\w.-]+)):)?(\d{1,5})$/i.exec(text) ?? [];
  const port = digits === "" ? Number.NaN : Number(digits);
  if (port <= 65_535) return { host: bracketed ?? plain ?? LOOPBACK, port };
  throw failure(
    "invalid_option",
    `--serve takes a port, as 9464, or a host and a port, as 0.0.0.0:9464 or [::1]:9464; 0 is any free port. It got "${text}".`,
  );
}
