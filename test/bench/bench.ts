/**
 * `npm run bench -- [options]`: millrace and its peers on the same work, turn by turn, against the simulator. Prints a table
 * in Markdown; README.md beside this file says what the rows mean.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Bar, Context, Outcome, Row } from "./row.ts";
import { faulty } from "./rows/faulty.ts";
import { formats } from "./rows/formats.ts";
import { limited } from "./rows/limited.ts";
import { uneven } from "./rows/ordered.ts";
import { quick, slow } from "./rows/parallel.ts";
import { sizes } from "./rows/sizes.ts";
import { speedup } from "./rows/speedup.ts";
import { store } from "./rows/store.ts";
import { barsTable, table } from "./table.ts";

const ROWS: Readonly<Record<string, Row>> = {
  a: speedup,
  b: slow,
  c: quick,
  d: limited,
  e: faulty,
  f: uneven,
  g: sizes,
  h: formats,
  i: store,
};
const PEERS = ["floor", "millrace", "sdk-p-map", "readable-map", "ai-sdk", "langchain"];
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const { values: given } = parseArgs({
  options: {
    only: { type: "string", default: Object.keys(ROWS).join(",") },
    peers: { type: "string", default: PEERS.join(",") },
    runs: { type: "string" },
    seed: { type: "string", default: "7" },
    latency: { type: "string", default: "200" },
    concurrency: { type: "string", default: "100" },
    records: { type: "string", default: "100000" },
    scale: { type: "string" },
    quick: { type: "boolean", default: false },
    json: { type: "string" },
  },
});

function chosen(name: "only" | "peers", known: readonly string[]): string[] {
  const asked = given[name].split(",");
  const unknown = asked.filter((one) => !known.includes(one));
  if (unknown.length === 0) return asked;
  console.error(`--${name}: there is no ${unknown.join(", ")}; there are ${known.join(", ")}.`);
  process.exit(2);
}

function number(name: "runs" | "seed" | "latency" | "concurrency" | "records" | "scale", fallback?: number): number {
  const value = given[name] === undefined ? fallback : Number(given[name]);
  if (value !== undefined && Number.isFinite(value) && value >= 0) return value;
  console.error(`--${name} must be a number.`);
  process.exit(2);
}

/** Runs npm and shows what it says on stderr: stdout is the table's. */
function npm(args: readonly string[]): void {
  const { status } = spawnSync("npm", args, { cwd: ROOT, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} failed.`);
}

/** What is measured is what users get: the built package, and the peers as npm installs them. */
function prepare(): void {
  const peers = join(ROOT, "test/bench/peers");
  if (!existsSync(join(peers, "node_modules"))) npm(["ci", "--prefix", peers, "--no-audit", "--no-fund"]);
  npm(["run", "--silent", "build"]);
}

const machine = () =>
  `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), ` +
  `${Math.round(totalmem() / 2 ** 30)} GB`;

async function bench(): Promise<void> {
  const rows = chosen("only", Object.keys(ROWS));
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  const context: Context = {
    folder,
    millrace: pathToFileURL(join(ROOT, "dist/index.js")).href,
    runs: number("runs", given.quick ? 1 : 5),
    seed: number("seed"),
    peers: chosen("peers", PEERS),
    scale: number("scale", given.quick ? 0.2 : 1),
    latency: number("latency"),
    concurrency: number("concurrency"),
    records: number("records"),
    said: (text) => process.stderr.write(`  ${text}\n`),
  };
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  prepare();
  const outcomes: Record<string, Outcome> = {};
  const bars: Bar[] = [];
  console.log(`${machine()}; medians of ${context.runs}, seed ${context.seed}`);
  for (const key of rows) {
    const row = ROWS[key] as Row;
    console.log(`\n**(${key}) ${row.title}**\n`);
    const outcome = await row.run(context);
    outcomes[key] = outcome;
    bars.push(...outcome.bars);
    console.log(table(outcome.lines));
  }
  console.log(`\n${barsTable(bars)}`);
  if (given.json) writeFileSync(given.json, `${JSON.stringify({ machine: machine(), context, outcomes }, null, 2)}\n`);
}

await bench();
