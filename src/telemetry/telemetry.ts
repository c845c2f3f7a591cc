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
  const dashboard = serve && (await openDashboard(serve, { title, say }));
  const flush = isRegistered() ? (await import("./registered.ts")).observeRegistered(say) : undefined;
  return {
    follow: (report) => dashboard?.follow(report),
    async end(outcome) {
      await Promise.all([dashboard?.end(outcome), flush?.()]);
    },
  };
}

async function openDashboard(serve: Address, { title, say }: Pick<TelemetryOptions, "title" | "say">) {
  const { Dashboard } = await import("./dashboard.ts");
  const dashboard = await Dashboard.open(serve, { title });
  say(`live page on ${dashboard.url}${LOOPBACK.has(serve.host) ? "" : OPEN}`);
  return dashboard;
}

/** Where every copy of OpenTelemetry's API finds what is registered; looked at here, so that it is loaded for nobody else. */
const isRegistered = (): boolean => Symbol.for("opentelemetry.js.api.1") in globalThis;

/** Reached from this machine alone. */
const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "::1"]);

const OPEN = " (whoever reaches that address can read it; there is no password)";
