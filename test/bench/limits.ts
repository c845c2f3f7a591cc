/** How well the limits of a provider are filled, against the simulator: `npm run bench:limits [case…]`. */

import { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { SimulatorOptions } from "../../src/simulator/options.ts";
import { spawnSimulator } from "../../src/simulator/process.ts";

const { analyze, anthropic, mistral, openai, pipeline } = await import("millrace");

type Vendor = "anthropic" | "openai" | "mistral";
const make = { anthropic, openai, mistral };
const base = (url: string, vendor: Vendor) =>
  ({ anthropic: `${url}/anthropic`, openai: `${url}/openai/v1`, mistral: `${url}/mistral` })[vendor];

interface Case {
  readonly simulator: SimulatorOptions;
  readonly records: number;
  readonly concurrency?: number;
  readonly keys?: readonly string[];
  readonly ideal: number;
}

const rps50 = { requestsPerMinute: 3_000, burst: 1 / 30 };
const untold = { headers: false, limits: rps50, latency: 100 } as const;

const CASES: Readonly<Record<string, Case>> = {
  untold: { simulator: untold, records: 1_000, concurrency: 64, ideal: 18 },
  told: { simulator: { limits: rps50, latency: 100 }, records: 1_000, concurrency: 64, ideal: 18 },
  auto: { simulator: { ...untold, retryAfter: false }, records: 1_000, ideal: 18 },
  knee: { simulator: { knee: 200, latency: 250 }, records: 8_000, ideal: 10 },
  two: { simulator: { limits: rps50, latency: 100 }, records: 2_000, concurrency: 64, keys: ["a1", "b1"], ideal: 18 },
  shared: {
    simulator: { limits: { ...rps50, scope: "vendor" }, latency: 100 },
    records: 1_000,
    concurrency: 64,
    keys: ["a1", "b1"],
    ideal: 18,
  },
  input: {
    simulator: { headers: false, limits: { inputTokensPerMinute: 3_000 * 160, burst: 1 / 30 }, latency: 100 },
    records: 1_000,
    concurrency: 64,
    ideal: 18,
  },
  output: {
    simulator: {
      headers: false,
      outputTokens: 300,
      limits: { outputTokensPerMinute: 3_000 * 300, burst: 1 / 30 },
      latency: 100,
    },
    records: 1_000,
    concurrency: 64,
    ideal: 18,
  },
  inputTold: {
    simulator: { limits: { inputTokensPerMinute: 3_000 * 160, burst: 1 / 30 }, latency: 100 },
    records: 1_000,
    concurrency: 64,
    ideal: 18,
  },
  outputTold: {
    simulator: { outputTokens: 300, limits: { outputTokensPerMinute: 3_000 * 300, burst: 1 / 30 }, latency: 100 },
    records: 1_000,
    concurrency: 64,
    ideal: 18,
  },
};

async function measure(name: string, vendor: Vendor): Promise<void> {
  const one = CASES[name] as Case;
  const simulator = await spawnSimulator(one.simulator);
  try {
    const provider = make[vendor]({
      apiKey: (one.keys ?? ["k1"]).join(","),
      baseURL: base(simulator.url, vendor),
      maxOutputTokens: 1_000,
    });
    const records = Array.from({ length: one.records }, (_, id) => ({
      id,
      content: `[[id:${id}]] ${"word ".repeat(100)}`,
    }));
    let out = 0;
    const sink = new Writable({
      objectMode: true,
      write: (_r, _e, done) => {
        out++;
        done();
      },
    });
    const start = performance.now();
    const stage = analyze<{ content: string }>({
      provider,
      prompt: (r) => r.content,
      ...(one.concurrency === undefined ? {} : { concurrency: one.concurrency }),
    });
    const report = await pipeline(Readable.from(records), stage, sink, {
      deadLetters: new Writable({ objectMode: true, write: (_r, _e, done) => done() }),
    });
    const seconds = (performance.now() - start) / 1_000;
    console.log(
      `${name.padEnd(11)} ${vendor.padEnd(10)} ${seconds.toFixed(2)} s (ideal ${one.ideal}) 429: ${report.rateLimited} out ${out} requests ${report.requests} peak ${report.peakConcurrency} held ${JSON.stringify(report.heldBackMs)} ${JSON.stringify(report.limits.map(({ kind, perMinute, used, lane }) => [lane, kind, perMinute, used]))}`,
    );
    await provider.close();
  } finally {
    await simulator.close();
  }
  await delay(50);
}

const vendors = (process.env.VENDORS ?? "anthropic,openai,mistral").split(",") as Vendor[];
const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : Object.keys(CASES))
  for (const vendor of vendors) await measure(name, vendor);
