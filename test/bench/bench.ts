/**
 * `npm run bench -- [options]`: millrace and its peers on the same work, turn by turn, against the simulator. Prints a table
 * in Markdown; README.md beside this file says what the rows mean.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Asked, asked } from "./asked.ts";
import type { Bar, Context, Outcome, Row } from "./row.ts";
import { faulty } from "./rows/faulty.ts";
import { formats } from "./rows/formats.ts";
import { limited } from "./rows/limited.ts";
import { uneven } from "./rows/ordered.ts";
import { quick, slow } from "./rows/parallel.ts";
import { sizes } from "./rows/sizes.ts";
import { speedup } from "./rows/speedup.ts";
import { store } from "./rows/store.ts";
import { barsTable, judged, table } from "./table.ts";

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

async function bench({ rows, peers, numbers, json }: Asked): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  prepare();
  const millrace = pathToFileURL(join(ROOT, "dist/index.js")).href;
  const said = (text: string) => process.stderr.write(`  ${text}\n`);
  const context: Context = { ...numbers, peers, folder, millrace, said };
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
  const judgements = judged(bars);
  if (judgements.length > 0) console.log(`\n${barsTable(judgements)}`);
  const all = { machine: machine(), numbers, peers, outcomes };
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(all, null, 2)}\n`);
}

function asking(): Asked {
  try {
    return asked(process.argv.slice(2), { rows: Object.keys(ROWS), peers: PEERS });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}

await bench(asking());
