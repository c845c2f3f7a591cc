/** The report of a run under way: what the panel and the dashboard show. */

import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { analyze, anthropic, type RunReport, read, type StageInput, write } from "../src/index.ts";
import { startRun } from "../src/pipeline.ts";
import { articles, baseURL, folder, KEY, simulator, writeLines } from "./support.ts";

const bytes = ({ bytesRead, bytesTotal }: RunReport) => ({ bytesRead, bytesTotal });

/** Takes records one at a time, when it is let. */
function gated() {
  const waiting: (() => void)[] = [];
  let seen = 0;
  const stage = async (record: object) => {
    seen++;
    await new Promise<void>((resolve) => waiting.push(resolve));
    return record;
  };
  const open = () => {
    for (const go of waiting.splice(0)) go();
  };
  return { stage, open, seen: () => seen };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

const copied = (...stages: StageInput[]) => startRun([...stages, write(join(folder(), "out.ndjson"))]);

describe("the bytes of the input", () => {
  const records = articles(200, 40);
  const json = JSON.stringify(records);
  const lines = `${records.map((record) => JSON.stringify(record)).join("\n")}\n`;
  const csv = `id,content\r\n${records.map(({ id, content }) => `${id},"${content}"`).join("\r\n")}\r\n`;

  for (const [name, text] of [
    ["a.ndjson", lines],
    ["a.json", json],
    ["a.csv", csv],
    ["a.ndjson.gz", gzipSync(lines)],
    ["a.json.zst", zstdCompressSync(json)],
  ] as const) {
    test(`of ${name} are all read when the run is over, as they lie on disk`, async () => {
      const path = join(folder(), name);
      writeFileSync(path, text);
      const report = await copied(read(path)).done;
      expect(report.read).toBe(200);
      const { size } = statSync(path);
      expect(bytes(report)).toEqual({ bytesRead: size, bytesTotal: size });
    });
  }

  test("are those of all inputs together", async () => {
    const cwd = folder();
    writeFileSync(join(cwd, "a.ndjson"), lines);
    writeFileSync(join(cwd, "b.ndjson.gz"), gzipSync(lines));
    const paths = [join(cwd, "a.ndjson"), join(cwd, "b.ndjson.gz")];
    const size = paths.reduce((sum, path) => sum + statSync(path).size, 0);
    expect(bytes(await copied(read(paths)).done)).toEqual({ bytesRead: size, bytesTotal: size });
  });

  test("have no known total where they come through a stream", async () => {
    const report = await copied(read(Readable.from([Buffer.from(lines)]))).done;
    expect(bytes(report)).toEqual({ bytesRead: Buffer.byteLength(lines), bytesTotal: null });
  });

  test("are counted as far as records were taken, not as far as the file was read ahead", async () => {
    const path = join(folder(), "a.ndjson");
    writeFileSync(path, lines);
    const gate = gated();
    const run = copied(read(path), gate.stage);
    await until(() => gate.seen() > 0);
    const { bytesRead, bytesTotal, read: taken } = run.report();
    expect(taken).toBeLessThan(50);
    expect(bytesRead / (bytesTotal ?? 0)).toBeLessThan(taken / 200);
    const opening = setInterval(gate.open, 1);
    await run.done;
    clearInterval(opening);
  });

  test("stand where the reading ended when only the first records were wanted", async () => {
    const path = join(folder(), "a.ndjson");
    writeFileSync(path, lines);
    const { bytesRead } = await copied(read(path, { limit: 20 })).done;
    expect(bytesRead / readFileSync(path).length).toBeCloseTo(0.1, 1);
  });
});

describe("the calls of a run under way", () => {
  test("are shown in flight, allowed and waiting with what holds them back, and none when it is over", async () => {
    const server = await simulator({ latency: 200 });
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), articles(30, 5));
    const provider = anthropic({ apiKey: KEY, baseURL: baseURL(server.url, "anthropic") });
    const run = copied(read(join(cwd, "in.ndjson")), analyze({ provider, concurrency: 5, requestsPerMinute: 60_000 }));
    await until(async () => (await server.stats()).inFlight === 5);
    const live = run.report();
    expect(live).toMatchObject({ inFlight: 5, allowed: 5, heldBy: null, latencyMs: null });
    expect(live.waiting).toBeGreaterThan(0);
    expect(live.lanes).toEqual([
      {
        provider: "anthropic",
        model: provider.model,
        lane: 1,
        inFlight: 5,
        allowed: 5,
        state: "open",
        pacePerMinute: null,
      },
    ]);
    const report = await run.done;
    expect(report).toMatchObject({ inFlight: 0, waiting: 0, backingOff: 0, heldBy: null, requests: 30 });
    expect(report.latencyMs?.p50).toBeGreaterThanOrEqual(200);
    expect(report.limits).toMatchObject([{ kind: "requests", from: "own", perMinute: 60_000, spent: 30 }]);
  });

  test("say that a limit holds them back while it does", async () => {
    const server = await simulator();
    const provider = anthropic({ apiKey: KEY, baseURL: baseURL(server.url, "anthropic") });
    const source = read(articles(30, 5));
    const run = copied(source, analyze({ provider, concurrency: 5, requestsPerMinute: 600 }));
    // Between two starts nothing is held back for a moment.
    await until(() => run.report().heldBy === "requests");
    const { heldBackMs } = await run.done;
    expect(heldBackMs.requests).toBeGreaterThan(0);
  });

  test("count records that were told to wait while they wait", async () => {
    const server = await simulator({ faults: { rateLimit429: 1 }, retryAfter: 60 });
    const stop = new AbortController();
    const provider = anthropic({ apiKey: KEY, baseURL: baseURL(server.url, "anthropic") });
    const out = write(join(folder(), "out.ndjson"));
    const run = startRun([read(articles(3, 5)), analyze({ provider, concurrency: 3 }), out], { stop: stop.signal });
    await until(() => run.report().backingOff === 3);
    expect(run.report().rateLimited).toBe(3);
    stop.abort();
    await run.done.catch(() => {});
    // They did not wait the minute that they were told.
    expect(run.report().waitedMs).toBeLessThan(60_000);
    expect(run.report().backingOff).toBe(0);
  });
});
