/** What listens to a run of the command line. */

import type { RunReport } from "../report.ts";
import type { Address } from "./server.ts";

export interface TelemetryOptions {
  /** Where the live page is served; undefined: nowhere. */
  readonly serve: Address | undefined;
  /** What is run, in a few words. */
  readonly title: string;
  readonly say: (line: string) => void;
}

export interface Telemetry {
  /** The run has begun. */
  follow(report: () => RunReport): void;
  /** It has ended. Resolves when whoever listens has the final numbers, at the latest after a second. */
  end(outcome: { readonly report: RunReport; readonly error: { readonly message: string } | undefined }): Promise<void>;
}

/** To be called before anything is sent. @throws ConfigurationError when the page cannot be served where it should be */
export async function openTelemetry({ serve, title, say }: TelemetryOptions): Promise<Telemetry> {
  if (serve === undefined) return { follow() {}, async end() {} };
  const { Dashboard } = await import("./dashboard.ts");
  const dashboard = await Dashboard.open(serve, { title });
  say(`millrace: live page on ${dashboard.url}${serve.host === LOOPBACK ? "" : OPEN}`);
  return dashboard;
}

/** Where the page is served unless a host is named. */
export const LOOPBACK = "127.0.0.1";

const OPEN = " (whoever reaches that address can read it; there is no password)";
