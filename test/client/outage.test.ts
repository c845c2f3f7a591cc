/** How long a provider that is away is waited for: by its clock, which is virtual here. */

import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { failure, type MillraceError } from "../../src/errors.ts";
import { pipeline } from "../../src/pipeline.ts";
import { lanes } from "../../src/providers/members.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { analyze } from "../../src/transforms/analyze.ts";
import { collector, numbered, ownProvider } from "../transforms/own-provider.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const away = (fault: () => MillraceError) =>
  ownProvider(() => {
    throw fault();
  });

const unconnected = (code: string) => () =>
  failure("connection_failed", `${code}. Away.`, { cause: Object.assign(new Error(code), { code }) });

/** When a run with this provider has stopped, s, and why; at most ten virtual minutes. */
async function stopped(provider: Provider, maxWait: number) {
  const stage = analyze({ provider, prompt: ({ id }: { id?: unknown }) => `q${id}`, concurrency: 8, maxWait });
  let error: MillraceError | undefined;
  const run = pipeline(numbered(50), stage, collector().stream).catch((reason) => {
    error = reason;
  });
  for (let second = 0; second < 600 && error === undefined; second++) {
    await vi.advanceTimersByTimeAsync(1_000);
    for (let i = 0; i < 20; i++) await turn();
  }
  const seconds = performance.now() / 1_000;
  await run;
  return { seconds, error };
}

describe("a provider that was never heard", () => {
  test.each(["ECONNREFUSED", "ENOTFOUND", "CERT_HAS_EXPIRED", "ERR_TLS_CERT_ALTNAME_INVALID"])(
    "and whose address is wrong (%s) is given up after half a minute",
    async (code) => {
      const { seconds, error } = await stopped(away(unconnected(code)), 300_000);
      expect(error).toMatchObject({ code: "max_wait_exceeded", message: expect.stringContaining(`${code}. Away.`) });
      expect(error?.message).not.toContain("--max-wait");
      expect(seconds).toBeGreaterThan(29);
      expect(seconds).toBeLessThan(60);
    },
  );

  test.each<[string, () => MillraceError]>([
    ["answers 503 from the first call on", () => failure("server_error", "503. Away.", { status: 503 })],
    ["cuts every connection", unconnected("ECONNRESET")],
    ["accepts none in time", unconnected("UND_ERR_CONNECT_TIMEOUT")],
    ["cannot be reached, since the network is away", unconnected("EAI_AGAIN")],
  ])("and %s is waited for as long as maxWait allows", async (_how, fault) => {
    const { seconds, error } = await stopped(away(fault), 300_000);
    expect(error).toMatchObject({ code: "max_wait_exceeded", message: expect.stringContaining("--max-wait") });
    expect(seconds).toBeGreaterThan(299);
    expect(seconds).toBeLessThan(340);
  });

  test("but answered with a fault before it was gone is waited for, too", async () => {
    let calls = 0;
    const restarting = away(() =>
      ++calls < 10 ? failure("server_error", "503. Away.", { status: 503 }) : unconnected("ECONNREFUSED")(),
    );
    expect((await stopped(restarting, 120_000)).seconds).toBeGreaterThan(119);
  });
});

test("one lane out of order for longer than maxWait stops nothing while another one works", async () => {
  const slow = ownProvider(() => ({ text: "ok" }));
  const both = lanes([away(() => failure("server_error", "503. Away.", { status: 503 })), slow]);
  const { records, stream } = collector();
  const prompt = ({ id }: { id?: unknown }) => `q${id}`;
  const stage = analyze({ provider: both, prompt, concurrency: 8, maxWait: 60_000, requestsPerMinute: 60 });
  let done = false;
  const run = pipeline(numbered(200), stage, stream).finally(() => {
    done = true;
  });
  run.catch(() => {});
  for (let second = 0; second < 900 && !done; second++) {
    await vi.advanceTimersByTimeAsync(1_000);
    for (let i = 0; i < 20; i++) await turn();
  }
  await run;
  expect(records.length).toBe(200);
  expect(performance.now()).toBeGreaterThan(120_000);
});
