/** The ledger and the statistics: what they say is what happened. */

import { describe, expect, test } from "vitest";
import { drawLatency } from "../../src/simulator/traffic/latency.ts";
import { askAnthropic, askChat, askMistral, simulate, statusOf } from "./support.ts";

describe("the ledger", () => {
  test("has one entry for each call, in order of arrival, with what was billed", async () => {
    const simulator = await simulate({ apiKeys: ["k-0001", "k-0002"], poison: "POISON" });
    const { url } = simulator;
    const first = await askAnthropic(url, { text: "one [[id:a]]", key: "k-0001" });
    await askChat(url, { text: "one [[id:a]]", key: "k-0002" });
    await askMistral(url, { text: "POISON", key: "k-0002" });
    await askChat(url, { key: "wrong" });
    await expect.poll(() => simulator.stats().inFlight).toBe(0);
    const entries = simulator.ledger();
    expect(entries.map(({ sequence, outcome, status }) => [sequence, outcome, status])).toEqual([
      [1, "answered", 200],
      [2, "answered", 200],
      [3, "invalid_request", 400],
      [4, "bad_key", 401],
    ]);
    expect(entries[0]).toMatchObject({
      vendor: "anthropic",
      endpoint: "messages",
      model: "claude-haiku-4-5",
      key: "0001",
      id: "a",
      attempt: 1,
      inputTokens: first.json.usage.input_tokens,
      outputTokens: first.json.usage.output_tokens,
      delivered: true,
      aborted: false,
    });
    expect(entries[1]).toMatchObject({ attempt: 2, text: entries[0]?.text });
    expect(entries[2]).toMatchObject({ inputTokens: 0, outputTokens: 0 });
    expect(entries[3]).toMatchObject({ text: null, attempt: 0 });
    for (const { arrivedAt, startedAt, endedAt } of entries) {
      expect(startedAt).toBeGreaterThanOrEqual(arrivedAt);
      expect(endedAt).toBeGreaterThanOrEqual(startedAt ?? Number.POSITIVE_INFINITY);
    }
    expect(simulator.stats()).toMatchObject({
      requests: 4,
      answered: 2,
      byStatus: { 200: 2, 400: 1, 401: 1 },
      inputTokensBilled: entries.reduce((sum, { inputTokens }) => sum + inputTokens, 0),
      outputTokensBilled: entries.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
      texts: 2,
    });
  });

  test("keeps the latest entries and counts the others", async () => {
    const simulator = await simulate({ ledgerSize: 3 });
    for (let i = 0; i < 8; i++) await askChat(simulator.url);
    expect(simulator.ledger().map(({ sequence }) => sequence)).toEqual([6, 7, 8]);
    expect(simulator.ledger(8).map(({ sequence }) => sequence)).toEqual([8]);
    expect(simulator.stats()).toMatchObject({ requests: 8, entriesDropped: 5 });
  });

  test("tells a client that left from an answer that was cut off here", async () => {
    const simulator = await simulate({ latency: 60_000 });
    const leave = new AbortController();
    const call = statusOf(askChat(simulator.url, { signal: leave.signal }));
    await expect.poll(() => simulator.ledger()[0]?.startedAt ?? 0).toBeGreaterThan(0);
    leave.abort();
    await call;
    await expect.poll(() => simulator.stats().inFlight).toBe(0);
    simulator.set({ latency: 0, faults: { cutBody: 1 } });
    await statusOf(askChat(simulator.url));
    await expect.poll(() => simulator.stats().inFlight).toBe(0);
    const [left, cut] = simulator.ledger();
    expect(left).toMatchObject({ aborted: true, delivered: false, outcome: "pending", status: null, outputTokens: 0 });
    expect(cut).toMatchObject({ aborted: false, delivered: false, outcome: "cutBody", status: 200 });
    expect(cut?.outputTokens).toBeGreaterThan(0);
  });
});

test("statistics know the peaks of calls and sockets", async () => {
  const simulator = await simulate({ latency: 30 });
  await Promise.all(Array.from({ length: 20 }, (_, i) => askChat(simulator.url, { text: `t${i}` })));
  await expect.poll(() => simulator.stats().inFlight).toBe(0);
  const stats = simulator.stats();
  expect(stats.peakInFlight).toBe(20);
  expect(stats.peakSockets).toBe(20);
  expect(stats.socketsOpened).toBe(20);
});

test("closing ends calls under way and every connection", async () => {
  const simulator = await simulate({ latency: 60_000 });
  const calls = Array.from({ length: 3 }, () => statusOf(askChat(simulator.url)));
  await expect.poll(() => simulator.stats().inFlight).toBe(3);
  await simulator.close();
  expect(await Promise.all(calls)).toEqual(["broken", "broken", "broken"]);
  await expect.poll(() => simulator.stats().openSockets).toBe(0);
});

describe("latency", () => {
  test("is fixed, uniform or log-normal, and the same for the same key", () => {
    expect(drawLatency(25, "a")).toBe(25);
    const draws = (latency: Parameters<typeof drawLatency>[0]) =>
      Array.from({ length: 4000 }, (_, i) => drawLatency(latency, "key", i)).toSorted((a, b) => a - b);
    const uniform = draws({ min: 10, max: 20 });
    expect(uniform[0]).toBeGreaterThanOrEqual(10);
    expect(uniform.at(-1)).toBeLessThanOrEqual(20);
    expect(uniform[2000]).toBeCloseTo(15, 0);
    const normal = draws({ median: 800, sigma: 0.5 });
    expect(Math.abs((normal[2000] ?? 0) - 800)).toBeLessThan(40);
    // One standard deviation above the median: e^0.5 times it.
    expect(Math.abs((normal[Math.floor(4000 * 0.8413)] ?? 0) / 800 - Math.exp(0.5))).toBeLessThan(0.15);
    expect(draws({ median: 800, sigma: 0.5 })).toEqual(normal);
  });

  test("grows with the output, and spreads a stream over it", async () => {
    const { url } = await simulate({ outputTokens: 40, msPerOutputToken: 2 });
    const start = performance.now();
    await askChat(url);
    const plain = performance.now() - start;
    await askChat(url, { stream: true });
    expect(plain).toBeGreaterThan(75);
    expect(performance.now() - start - plain).toBeGreaterThan(60);
  });
});
