/** Several lanes, fallbacks, outages and priorities, through whole stages. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { failure } from "../../src/errors.ts";
import { LANE_CHANNEL, type LaneEvent } from "../../src/events.ts";
import { pipeline } from "../../src/pipeline.ts";
import { anthropic } from "../../src/providers/anthropic.ts";
import { fallback, lanes } from "../../src/providers/members.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { analyze } from "../../src/transforms/analyze.ts";
import { articles, baseURL, simulator, TIMED } from "../support.ts";
import { asked, caught, collector, numbered, ownProvider } from "../transforms/own-provider.ts";

const question = { prompt: (record: { readonly id?: unknown }) => `q${record.id}`, retryBaseDelay: 1 };

function events(): LaneEvent[] {
  const heard: LaneEvent[] = [];
  const hear = (event: unknown) => heard.push(event as LaneEvent);
  subscribe(LANE_CHANNEL, hear);
  onTestFinished(() => {
    unsubscribe(LANE_CHANNEL, hear);
  });
  return heard;
}

const badKey = () =>
  ownProvider(() => {
    throw failure("authentication_failed", "401. Check the key.", { status: 401 });
  });

const named = (provider: Provider, name: string): Provider => ({ ...provider, name });

describe("lanes", () => {
  test("close the one whose key is wrong, say so, and go on with the others", async () => {
    const heard = events();
    const [bad, good] = [badKey(), ownProvider(() => ({ text: "ok" }))];
    const report = await pipeline(
      numbered(50),
      analyze({ provider: lanes([bad, good]), ...question, concurrency: 4 }),
      collector().stream,
    );
    expect(report).toMatchObject({ read: 50, written: 50, deadLettered: 0 });
    expect(bad.requests.length).toBeLessThanOrEqual(4);
    expect(heard.filter(({ type }) => type === "lane-closed")).toMatchObject([
      { lane: 1, reason: "401. Check the key." },
    ]);
  });

  test("stop the run when the last one is wrong too", async () => {
    const run = pipeline(
      numbered(50),
      analyze({ provider: lanes([badKey(), badKey()]), ...question }),
      collector().stream,
    );
    expect(await caught(run)).toMatchObject({ code: "authentication_failed" });
  });

  test(
    "of two keys carry nearly twice as much as one; keys of one quota as much as one, with hardly a refusal",
    TIMED,
    async () => {
      const limits = { requestsPerMinute: 6_000, burst: 1 / 120 };
      const timed = async (apiKey: string, scope: "key" | "vendor", count: number) => {
        const server = await simulator({ limits: { ...limits, scope }, latency: 30 });
        const provider = anthropic({ apiKey, baseURL: baseURL(server.url, "anthropic") });
        onTestFinished(() => provider.close());
        const began = performance.now();
        const stage = analyze({ provider, prompt: (article: { content: string }) => article.content, concurrency: 32 });
        const report = await pipeline(Readable.from(articles(count, 10)), stage, collector().stream);
        expect(report.written).toBe(count);
        return { rate: count / (performance.now() - began), refused: report.rateLimited };
      };
      // The first run loads the SDK.
      await timed("k0", "key", 20);
      const one = await timed("k1", "key", 200);
      const two = await timed("k1,k2", "key", 400);
      const shared = await timed("k1,k2", "vendor", 200);
      // Wide margins for a busy machine; `npm run bench:limits two shared` has the figures.
      expect(two.rate / one.rate).toBeGreaterThan(1.4);
      expect(shared.rate / one.rate).toBeGreaterThan(0.6);
      expect(shared.rate / one.rate).toBeLessThan(1.6);
      expect(shared.refused).toBeLessThanOrEqual(one.refused + 20);
    },
  );
});

describe("fallback", () => {
  test("goes on at the first when the one slot comes back from the second, while the first has no more", async () => {
    let asked = 0;
    const first = ownProvider(() => {
      if (asked++ === 0) throw failure("refused", "No.");
      return { text: "ok" };
    });
    // Longer than the pause of a limit: the first's own clock rings while the slot is taken.
    const second = ownProvider(() => sleep(400, { text: "ok" }));
    const report = await pipeline(
      numbered(4),
      analyze({ provider: fallback([first, second]), ...question, concurrency: 1, requestsPerMinute: 300 }),
      collector().stream,
    );
    expect(report).toMatchObject({ written: 4 });
    expect([first.requests.length, second.requests.length]).toEqual([4, 1]);
  });

  test("asks the next one for what the first refuses, and all once its key is wrong; each answer says who gave it", async () => {
    const picky = named(
      ownProvider((request) => ({ text: "a", finishReason: asked(request) === "q3" ? "refusal" : "stop" })),
      "picky",
    );
    const other = named(
      ownProvider(() => ({ text: "b" })),
      "other",
    );
    const run = async (first: Provider) => {
      const { records, stream } = collector();
      const output = ({ id }: { id?: unknown }, { provider }: { provider: string }) => ({ id, provider });
      const stage = analyze({ provider: fallback([first, other]), ...question, output, concurrency: 2 });
      await pipeline(numbered(10), stage, stream);
      return records as { id: number; provider: string }[];
    };
    expect((await run(picky)).filter(({ provider }) => provider === "other")).toEqual([{ id: 3, provider: "other" }]);
    const bad = badKey();
    expect((await run(bad)).every(({ provider }) => provider === "other")).toBe(true);
    expect(bad.requests.length).toBeLessThanOrEqual(2);
  });
});

describe("an outage", () => {
  const out = (until: () => boolean) =>
    ownProvider(() => {
      if (until()) return { text: "ok" };
      throw failure("server_error", "503. Away.", { status: 503 });
    });

  test("is waited out: no record fails and no retry is used up for it", async () => {
    const heard = events();
    let calls = 0;
    let back = Number.POSITIVE_INFINITY;
    const provider = out(() => {
      if (++calls === 20) back = performance.now() + 1_200;
      return calls < 20 || performance.now() > back;
    });
    const stage = analyze({ provider, ...question, retryBaseDelay: 20, concurrency: 8, maxRetries: 3 });
    const report = await pipeline(numbered(100), stage, collector().stream);
    expect(report).toMatchObject({ written: 100, deadLettered: 0 });
    expect(heard.map(({ type }) => type)).toEqual(expect.arrayContaining(["outage", "probe", "resumed"]));
  }, 60_000);

  test("longer than maxWait stops the run, with what was answered kept", async () => {
    let calls = 0;
    const provider = out(() => ++calls < 20);
    const { records, stream } = collector();
    const stage = analyze({ provider, ...question, concurrency: 8, maxWait: 1_500 });
    const error = await caught(pipeline(numbered(1_000), stage, stream, { deadLetters: collector().stream }));
    expect(error).toMatchObject({ code: "max_wait_exceeded", message: expect.stringContaining("503. Away.") });
    expect(records.length).toBeGreaterThan(10);
  });
});

test("of the records that wait, those of higher priority are asked first", async () => {
  const order: string[] = [];
  const provider = ownProvider(async (request) => {
    order.push(asked(request));
    await new Promise((resolve) => setImmediate(resolve));
    return { text: "ok" };
  });
  const priority = ({ id }: { id?: unknown }) => (Number(id) % 10 === 9 ? 5 : 0);
  await pipeline(numbered(30), analyze({ provider, ...question, concurrency: 1, priority }), collector().stream);
  // The first is sent before the others are read.
  const urgent = order.slice(0, 12).filter((one) => one.endsWith("9"));
  expect(urgent).toEqual(["q9", "q19", "q29"]);
});
