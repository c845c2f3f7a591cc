/** Runs peers on the same work, each in a process of its own against a simulator of its own, turn by turn. */

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { spawnSimulator } from "../../src/simulator/process.ts";
import type { SimulatorOptions } from "../../src/simulator/simulator.ts";
import { articlesFile, type Made } from "./articles.ts";
import { inProcess } from "./load.ts";
import type { Context } from "./row.ts";
import { type Tally, type Traffic, tally, traffic } from "./tally.ts";

/** Everything a peer can be told. */
export interface Entrant {
  /** The file in `peers/`. */
  readonly peer: string;
  /** What the table calls it; the peer's own name if left out. */
  readonly label?: string;
  /** Default true; only some have the choice. */
  readonly ordered?: boolean;
  /** The protocol millrace speaks. Default OpenAI's, the one that all others speak. */
  readonly vendor?: "anthropic" | "openai" | "mistral";
  /** Fewer articles than the work has, for one that would take too long. */
  readonly count?: number;
}

export interface Work extends Made {
  readonly concurrency: number;
  readonly simulator: SimulatorOptions;
  readonly entrants: readonly Entrant[];
}

/** Of one run. */
export interface Measure extends Tally, Traffic {
  readonly articles: number;
  /** From the start of the process to its end, ms. */
  readonly totalMs: number;
  /** Of the client's process alone, all its threads, its start included. */
  readonly cpuMs: number;
  readonly rssMB: number;
}

type Cost = Pick<Measure, "cpuMs" | "rssMB" | "totalMs">;
type Ground = Pick<Context, "folder" | "millrace" | "runs" | "said">;

export const labelOf = ({ peer, label }: Entrant): string => label ?? peer;

/** The runs of each entrant, by its label. Each round begins with another one, so that none always follows the same. */
export async function compare(work: Work, ground: Ground): Promise<Map<string, Measure[]>> {
  const seen = new Map(work.entrants.map((entrant) => [labelOf(entrant), [] as Measure[]]));
  for (let round = 0; round < ground.runs; round++) {
    for (let turn = 0; turn < work.entrants.length; turn++) {
      const entrant = work.entrants[(turn + round) % work.entrants.length] as Entrant;
      const measure = await measured(entrant, work, ground);
      seen.get(labelOf(entrant))?.push(measure);
      ground.said(`${labelOf(entrant)}: ${(measure.wallMs / 1_000).toFixed(2)} s`);
    }
  }
  return seen;
}

async function measured(entrant: Entrant, work: Work, ground: Ground): Promise<Measure> {
  const count = Math.min(entrant.count ?? work.count, work.count);
  const input = await articlesFile(ground.folder, { count, words: work.words, seed: work.seed });
  const folder = mkdtempSync(join(ground.folder, "run-"));
  const server = await spawnSimulator({ seed: work.seed, ...work.simulator, latency: 0, limits: {}, faults: {} });
  try {
    const warm = await warmed(server.url);
    await server.set(work.simulator);
    const [output, failed, store] = ["out.ndjson", "failed.ndjson", "responses.db"].map((name) => join(folder, name));
    const { concurrency } = work;
    const { vendor = "openai", ordered = true } = entrant;
    const job = {
      input,
      output,
      failed,
      store,
      url: server.url,
      concurrency,
      ordered,
      vendor,
      millrace: ground.millrace,
    };
    const cost = await inProcess<Cost>("peers/run.js", [entrant.peer, JSON.stringify(job)]);
    const entries = await server.ledger(warm + 1);
    return { articles: count, ...cost, ...tally(count, output as string, failed as string), ...traffic(entries) };
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Requests before the measured ones, so that no peer waits for a server that is just being compiled. */
const WARM_UP = 400;

async function warmed(url: string): Promise<number> {
  const body = JSON.stringify({ model: "warm", messages: [{ role: "user", content: "warm ".repeat(2_400) }] });
  const headers = { "content-type": "application/json", authorization: "Bearer warm" };
  const worker = async () => {
    for (let sent = 0; sent < WARM_UP / 8; sent++) {
      await (await fetch(`${url}/openai/v1/chat/completions`, { method: "POST", headers, body })).text();
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return WARM_UP;
}
