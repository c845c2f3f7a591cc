/** The bench's short form: the same peers, work and counting, with margins that a busy machine keeps. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { folder, ROOT, TIMED, writeLines } from "../support.ts";
import { asked } from "./asked.ts";
import { compare, type Measure, type Work } from "./compare.ts";
import { holds, median } from "./row.ts";
import { tally, traffic } from "./tally.ts";

/** The sources, which need no build; they cost some time and memory to start. */
const millrace = pathToFileURL(join(ROOT, "src/index.ts")).href;
const base = { words: 2_000, seed: 23 } as const;

async function raced(work: Omit<Work, "words" | "seed">): Promise<(who: string) => Measure> {
  const seen = await compare({ ...base, ...work }, { folder: folder(), millrace, runs: 1, said: () => {} });
  return (who) => seen.get(who)?.[0] as Measure;
}

const whole = { lost: 0, failed: 0, doubled: 0, wrong: 0 };

describe("the bench, in short", () => {
  test("millrace is many times faster than one call after the other, and near the floor", {
    ...TIMED,
    timeout: 60_000,
  }, async () => {
    const entrants = [{ peer: "sequential", count: 6 }, { peer: "floor" }, { peer: "millrace" }];
    const of = await raced({ count: 200, concurrency: 20, simulator: { latency: 250 }, entrants });
    const [sequential, floor, ours] = [of("sequential"), of("floor"), of("millrace")];
    expect(ours).toMatchObject({ ...whole, written: 200, requests: 200, peakInFlight: 20 });
    const speedup = sequential.wallMs / sequential.articles / (ours.wallMs / ours.articles);
    expect(speedup).toBeGreaterThan(7);
    expect(ours.wallMs / floor.wallMs).toBeLessThan(3);
    expect(ours.rssMB / floor.rssMB).toBeLessThan(4);
  });

  test("millrace keeps a limit of 50/s where the floor runs into it", { ...TIMED, timeout: 60_000 }, async () => {
    const simulator = { latency: 50, limits: { requestsPerMinute: 3_000, burst: 1 / 60 } };
    const of = await raced({
      count: 200,
      concurrency: 50,
      simulator,
      entrants: [{ peer: "floor" }, { peer: "millrace" }],
    });
    expect(of("floor").refused429).toBeGreaterThan(50);
    expect(of("floor").failed).toBe(of("floor").refused429);
    expect(of("millrace")).toMatchObject({ ...whole, written: 200 });
    expect(of("millrace").refused429).toBeLessThan(of("floor").refused429 / 3);
  });

  test("millrace loses and doubles nothing under faults", { ...TIMED, timeout: 60_000 }, async () => {
    const simulator = { latency: 20, faults: { error500: 0.1, resetMidBody: 0.05, cutBody: 0.05, wrongSchema: 0.05 } };
    const of = await raced({
      count: 200,
      concurrency: 40,
      simulator,
      entrants: [{ peer: "floor" }, { peer: "millrace" }],
    });
    expect(of("floor").failed).toBeGreaterThan(10);
    expect(of("floor").wrong).toBeGreaterThan(0);
    expect(of("millrace")).toMatchObject({ ...whole, written: 200 });
  });
});

describe("the bench's options", () => {
  const known = { rows: ["a", "b"], peers: ["floor", "millrace"] };

  test("take part of the rows and peers, and numbers", () => {
    const { rows, peers, numbers } = asked(["--only", "b", "--peers", "floor", "--seed", "3", "--quick"], known);
    expect([rows, peers, numbers.seed, numbers.runs, numbers.scale]).toEqual([["b"], ["floor"], 3, 1, 0.2]);
  });

  test("say what is wrong with them", () => {
    expect(() => asked(["--only", "z"], known)).toThrow("--only: there is no z; there are a, b.");
    expect(() => asked(["--runs", "0"], known)).toThrow("--runs must be a whole number above 0");
  });
});

describe("the bench's counting", () => {
  test("tells lost, failed, doubled and wrong answers from good ones", () => {
    const right = (id: string) => ({ id, analysis: { summary: `sim-1 ${id}`, keyPoints: [], sentiment: "neutral" } });
    const dir = folder();
    const output = writeLines(join(dir, "out.ndjson"), [
      right("a0"),
      right("a1"),
      right("a1"),
      { ...right("a0"), id: "a2" },
    ]);
    const letters = [
      { id: "a3", error: "no" },
      { error: { code: "x" }, record: { id: "a4" } },
    ];
    const failed = writeLines(join(dir, "failed.ndjson"), letters);
    expect(tally(6, output, failed)).toEqual({ written: 3, lost: 1, failed: 2, doubled: 1, wrong: 1 });
  });

  test("reads wall time, 429s and calls in flight from the ledger", () => {
    const entry = (arrivedAt: number, endedAt: number, status: number) => ({ arrivedAt, endedAt, status }) as never;
    const seen = traffic([entry(10, 40, 200), entry(20, 30, 429), entry(30, 60, 200)]);
    expect(seen).toEqual({ wallMs: 50, requests: 3, refused429: 1, peakInFlight: 2 });
  });

  test("judges a bar by its bounds and takes the middle of runs", () => {
    expect(holds({ row: "a", what: "", value: 9.5, least: 9.6 })).toBe(false);
    expect(holds({ row: "b", what: "", value: 1.05, most: 1.05 })).toBe(true);
    expect(holds({ row: "b", what: "", value: Number.NaN, most: 1 })).toBe(false);
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
  });

  test("has its peers use the SDK, undici and Zod that millrace uses", () => {
    const read = (path: string) => JSON.parse(readFileSync(join(ROOT, path), "utf8"));
    const peers = read("test/bench/peers/package.json").dependencies;
    const ours = read("package-lock.json").packages;
    for (const name of ["openai", "undici", "zod"]) expect(peers[name]).toBe(ours[`node_modules/${name}`].version);
  });
});
