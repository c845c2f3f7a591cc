/** Where `--serve` listens, as it is typed or stands in a file. */

import { failure } from "../errors.ts";
import type { Reader } from "./values.ts";

export interface Address {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** Reached from this machine alone. */
const LOOPBACK = "127.0.0.1";

const MOST = 65_535;

/** `PORT`, `HOST:PORT`, `[IPv6]:PORT`; without a host this machine alone. @throws ConfigurationError for anything else */
export const address: Reader<Address> = Object.assign(
  (text: string): Address => {
    const [, bracketed, plain, digits = ""] = /^(?:(?:\[([\da-f:.]+)\]|([\w.-]+)):)?(\d{1,5})$/i.exec(text) ?? [];
    const port = digits === "" ? Number.NaN : Number(digits);
    if (port <= MOST) return { host: bracketed ?? plain ?? LOOPBACK, port };
    throw failure(
      "invalid_option",
      `--serve takes a port, as 9464, or a host and a port, as 0.0.0.0:9464 or [::1]:9464; 0 is any free port. It got "${text}".`,
    );
  },
  {
    schema: {
      anyOf: [
        { type: "integer", minimum: 0, maximum: MOST },
        // To the letter but for the largest port.
        { type: "string", pattern: "^((\\[[\\dA-Fa-f:.]+\\]|[\\w.-]+):)?\\d{1,5}$" },
      ],
    } as const,
    write: ({ host, port }: Address) =>
      host === LOOPBACK ? port : `${host.includes(":") ? `[${host}]` : host}:${port}`,
  },
);
