/** OpenTelemetry as somebody has registered it in this process, such as by `node --import ./otel.js`. */

import { createRequire } from "node:module";
import type * as OpenTelemetry from "@opentelemetry/api";
import { observe } from "./observe.ts";

/** Where every copy of the API, of whatever version, finds what is registered. */
const REGISTRY = Symbol.for("opentelemetry.js.api.1");

/** How long the last spans and metrics may take to be sent when a run has ended, ms. */
const FLUSH = 5_000;

interface Flushable {
  forceFlush?(): Promise<void>;
  getDelegate?(): Flushable;
}

type Registered = Partial<Record<"trace" | "metrics", Flushable>> & { readonly version?: string };

const registered = (): Registered | undefined => (globalThis as { [REGISTRY]?: Registered })[REGISTRY];

/** Tells what is registered of all runs. @returns ends it and sends the last; undefined: nobody listens */
export function observeRegistered(say: (line: string) => void): (() => Promise<void>) | undefined {
  const found = registered();
  if (found?.trace === undefined && found?.metrics === undefined) return undefined;
  const { trace, metrics } = createRequire(import.meta.url)("@opentelemetry/api") as typeof OpenTelemetry;
  const providers = [trace.getTracerProvider(), metrics.getMeterProvider()].map((one) => flushable(one as Flushable));
  if (!providers.some((one) => one.forceFlush !== undefined)) {
    say(
      `OpenTelemetry is registered with version ${found.version ?? "?"} of its API, which this one cannot use: nothing will be told it.`,
    );
    return undefined;
  }
  const end = observe();
  return async () => {
    end();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FLUSH);
    });
    // What cannot be sent is no reason for a run to fail.
    const flushed = Promise.allSettled(providers.map(async (one) => one.forceFlush?.()));
    await Promise.race([flushed, patience]);
    clearTimeout(timer);
  };
}

const flushable = (provider: Flushable): Flushable => provider.getDelegate?.() ?? provider;
