/**
 * What a call costs: `npm run bench:calls [-- --latency 100 --concurrency 10,100,500 --vendor anthropic --rounds 5 …]`.
 * The same calls by a bare loop of undici.request, by the vendor's SDK as it comes, and by millrace with less and more
 * switched on; each in a process of its own, turn by turn, against one canned server. Medians, and ratios to the bare loop.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Cost, Job, Variant } from "./call-variants.ts";
import { article } from "./call-variants.ts";

const { values } = parseArgs({
  options: {
    latency: { type: "string", default: "100" },
    concurrency: { type: "string", default: "10,100,500" },
    count: { type: "string" },
    words: { type: "string", default: "2000" },
    answer: { type: "string", default: "1000" },
    vendor: { type: "string", default: "anthropic" },
    rounds: { type: "string", default: "5" },
    variants: { type: "string", default: "floor,sdk,provider,plain,full" },
    node: { type: "string", default: "" },
    url: { type: "string" },
  },
});

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;

async function lineOf(args: readonly string[], given?: string) {
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  if (given !== undefined) child.stdin.end(given);
  const lines = createInterface(child.stdout);
  const [line] = (await Promise.race([once(lines, "line"), once(child, "exit").then(() => [""])])) as [string];
  return { line, child };
}

async function input(folder: string, count: number, words: number): Promise<string> {
  const path = join(folder, `${count}.ndjson`);
  const out = createWriteStream(path);
  for (let id = 0; id < count; id++) {
    if (!out.write(`${JSON.stringify(article(id, words))}\n`)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
  return path;
}

async function measured(job: Job): Promise<Cost> {
  const flags = values.node === "" ? [] : values.node.split(" ");
  const args = [...flags, "--conditions=millrace-source", here("call-variants.ts")];
  const { line, child } = await lineOf(args, JSON.stringify(job));
  if (child.exitCode === null) await once(child, "exit");
  return JSON.parse(line) as Cost;
}

const names = values.variants.split(",") as Variant[];
const folder = mkdtempSync(join(tmpdir(), "millrace-calls-"));
const server = values.url ? undefined : await lineOf([here("canned.ts"), values.latency, values.answer]);
const url = values.url ?? server?.line ?? "";
try {
  for (const concurrency of values.concurrency.split(",").map(Number)) {
    const count = Number(values.count ?? Math.max(1_000, 10 * concurrency));
    const words = Number(values.words);
    const path = await input(folder, count, words);
    const costs = new Map<Variant, Cost[]>(names.map((name) => [name, []]));
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const variant of names) {
        const job = { variant, url, concurrency, count, words, vendor: values.vendor, input: path, folder };
        costs.get(variant)?.push(await measured(job));
      }
    }
    console.log(
      `\n${values.vendor}, ${count} articles of ${words} words, ${values.latency} ms, ${concurrency} in flight`,
    );
    console.log("              wall s    ×  | CPU ms/call    ×  | with start    ×  | peak RSS MB    ×");
    const of = (name: Variant, field: keyof Cost) => median((costs.get(name) ?? []).map((cost) => cost[field]));
    const first = names[0] as Variant;
    for (const name of names) {
      const part = (field: keyof Cost, unit: number, digits: number) =>
        `${(of(name, field) / unit).toFixed(digits).padStart(8)} ${(of(name, field) / of(first, field)).toFixed(2).padStart(6)}`;
      console.log(
        `${name.padEnd(11)} ${part("wallMs", 1_000, 2)}  |   ${part("cpuMs", count, 3)}  |  ${part("allCpuMs", count, 3)}  |   ${part("rssMb", 1, 0)}`,
      );
    }
  }
} finally {
  server?.child.stdin.end();
  rmSync(folder, { recursive: true, force: true });
}
