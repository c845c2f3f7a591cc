/**
 * `npm run bench:copy [MB]`: a file of 10 kB articles through `read → filter → write`, beside a bare loop that splits,
 * parses, stringifies and writes the same. Each runs in a process of its own, in turn; medians of three.
 */

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { filter, pipeline, read, write } from "../../src/index.ts";

const WORDS = "the of river market people after night garden signal and in stone paper money light engine window".split(
  " ",
);
const RUNS = 3;

/** Ten thousand bytes of words; every other text holds what ASCII does not. */
function text(seed: number): string {
  let state = seed * 2_654_435_761;
  let made = seed % 2 === 0 ? "" : "é ’ ";
  while (made.length < 9_850) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    made += `${WORDS[state % WORDS.length]} `;
  }
  return made;
}

async function generate(path: string, megabytes: number): Promise<void> {
  const texts = Array.from({ length: 50 }, (_, seed) => text(seed));
  const out = createWriteStream(path);
  for (let id = 0; id < megabytes * 100; id++) {
    const article = { id, title: `Article ${id}`, language: id % 10 === 0 ? "de" : "en", content: texts[id % 50] };
    if (!out.write(`${JSON.stringify(article)}\n`)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
}

async function bare(input: string, output: string): Promise<void> {
  const out = createWriteStream(output);
  let rest = "";
  for await (const chunk of createReadStream(input, { encoding: "utf8" })) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    let kept = "";
    for (const line of lines) {
      const article = JSON.parse(line);
      if (article.language === "en") kept += `${JSON.stringify(article)}\n`;
    }
    if (!out.write(kept)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
}

async function millrace(input: string, output: string): Promise<void> {
  await pipeline(
    read(input),
    filter((article) => article.language === "en"),
    write(output),
  );
}

/** In a process of its own: time, and the highest RSS above what it had at the start. */
async function measure(name: string, input: string, output: string): Promise<void> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  const startedAt = performance.now();
  await (name === "bare" ? bare : millrace)(input, output);
  clearInterval(timer);
  console.log(JSON.stringify({ ms: performance.now() - startedAt, mb: (peak - before) / 1e6 }));
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function compare(megabytes: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  try {
    const input = join(folder, "in.ndjson");
    await generate(input, megabytes);
    const results: Record<string, { ms: number; mb: number }[]> = { bare: [], millrace: [] };
    for (let run = 0; run < RUNS; run++) {
      for (const [name, seen] of Object.entries(results)) {
        const args = [fileURLToPath(import.meta.url), name, input, join(folder, `${name}.ndjson`)];
        seen.push(JSON.parse(spawnSync(process.execPath, args, { encoding: "utf8" }).stdout));
      }
    }
    for (const [name, seen] of Object.entries(results)) {
      const ms = median(seen.map((each) => each.ms));
      const mb = Math.max(...seen.map((each) => each.mb));
      console.log(`${name.padEnd(10)}${(ms / 1_000).toFixed(1)} s   at most ${mb.toFixed(0)} MB above the start`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [first = "1000", input, output] = process.argv.slice(2);
if (input !== undefined && output !== undefined) await measure(first, input, output);
else await compare(Number(first));
