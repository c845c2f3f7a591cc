/**
 * kill -9 at seeded random moments of real runs, each followed by the same command to its end. 25 kills; more with
 * `MILLRACE_KILLS=200 npm run vitest -- test/store/kills`.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { articles, environment, folder, simulator, startCli } from "../support.ts";

const KILLS = Number(process.env.MILLRACE_KILLS ?? 25);
const RECORDS = 90;
const IN_FLIGHT = 6;

/** A kind of run: where it reads, how it is packed, in which order it writes. */
const KINDS = ["file", "stdin"].flatMap((from) =>
  [false, true].flatMap((gzip) => ["--ordered", "--unordered"].map((order) => ({ from, gzip, order }))),
);
type Kind = (typeof KINDS)[number];

/** A number from 0 to 1 for each seed: mulberry32. */
function random(seed: number): number {
  let state = Math.imul(seed + 0x6d2b79f5, 1 | (seed + 0x9e3779b9));
  state = (state + Math.imul(state ^ (state >>> 7), 61 | state)) ^ state;
  return ((state ^ (state >>> 14)) >>> 0) / 2 ** 32;
}

const text = Buffer.from(
  articles(RECORDS, 5)
    .map((each) => `${JSON.stringify(each)}\n`)
    .join(""),
);

/** What a run of each kind writes that nobody disturbs. */
const undisturbed = new Map<string, Promise<{ readonly bytes: Buffer; readonly lines: string[] }>>();

/** One after the other on a simulator of its own: kills of the kinds that fall to this lane, of so many. */
async function lane(number: number, lanes: number): Promise<{ midway: number; kills: number }> {
  const server = await simulator({ latency: 15 });
  const env = environment(server.url, "mistral");
  const start = (cwd: string, { from, gzip, order }: Kind) => {
    const input = gzip ? gzipSync(text) : text;
    const [source, output] = [gzip ? "in.ndjson.gz" : "in.ndjson", gzip ? "out.ndjson.gz" : "out.ndjson"];
    if (from === "file") writeFileSync(join(cwd, source), input);
    const args = ["analyze", from === "file" ? source : "-", "-o", output, "-c", `${IN_FLIGHT}`, order];
    const run = startCli(args, { cwd, env });
    run.child.stdin.end(from === "file" ? "" : input);
    const out = () => readFileSync(join(cwd, output));
    const lines = () => (gzip ? gunzipSync(out()) : out()).toString().split("\n").sort();
    return { ...run, out, lines };
  };
  const wholly = async (kind: Kind) => {
    const whole = start(folder(), kind);
    expect((await whole.ended).code).toBe(0);
    return { bytes: whole.out(), lines: whole.lines() };
  };
  let midway = 0;
  let kills = 0;
  for (let seed = number; seed < KILLS; seed += lanes) {
    const kind = KINDS[seed % KINDS.length] as Kind;
    const name = JSON.stringify(kind);
    const expected = undisturbed.get(name) ?? wholly(kind);
    undisturbed.set(name, expected);
    const { bytes, lines } = await expected;
    const cwd = folder();
    const before = (await server.stats()).requests;
    const killed = start(cwd, kind);
    const moment = Math.ceil(RECORDS * random(seed));
    const over = killed.ended.then(() => true);
    // A moment later, so that a kill may fall before, within and after a commit.
    while ((await server.stats()).requests - before < moment && (await Promise.race([over, delay(2)])) !== true);
    await delay(25 * random(seed + KILLS));
    killed.child.kill("SIGKILL");
    const { signal } = await killed.ended;
    const then = (await server.stats()).requests - before;
    if (signal === "SIGKILL") kills++;
    if (signal === "SIGKILL" && then > 0 && then < RECORDS) midway++;
    const resumed = start(cwd, kind);
    expect({ seed, code: (await resumed.ended).code }).toEqual({ seed, code: 0 });
    expect(resumed.lines()).toEqual(lines);
    if (kind.order === "--ordered") expect(resumed.out().equals(bytes)).toBe(true);
    const calls = (await server.stats()).requests - before;
    expect(calls).toBeGreaterThanOrEqual(RECORDS);
    expect(calls).toBeLessThanOrEqual(RECORDS + IN_FLIGHT);
  }
  return { midway, kills };
}

test(
  `after each of ${KILLS} kills, the same command completes the output and pays only for what was in flight`,
  async () => {
    const lanes = await Promise.all([0, 1, 2].map((number) => lane(number, 3)));
    // A kill before the first call or after the last shows little; most must fall between.
    expect(lanes.reduce((sum, { midway }) => sum + midway, 0)).toBeGreaterThan(KILLS / 4);
  },
  60_000 + KILLS * 6_000,
);
