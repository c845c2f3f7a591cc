/**
 * `npm run bench:store [records]`: a file of 2 kB articles, every answer (2 kB) already stored, through
 * `read → analyze → write`. Prints records/s and RSS for the first 100,000 and for the rest, and the store's bare hits/s.
 */

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { keyOf } from "../../src/client/key.ts";
import { analyze, openai, pipeline, read, write } from "../../src/index.ts";
import { Store } from "../../src/store/store.ts";

const WORDS = "the of river market people after night garden signal and in stone paper money light engine window".split(
  " ",
);
const FIRST = 100_000;

const text = (seed: number, length: number): string => {
  let made = `Number ${seed}:`;
  for (let word = 0; made.length < length; word++)
    made += ` ${WORDS[(seed * 7 + word * (1 + (seed % 5))) % WORDS.length]}`;
  return made;
};

// Nobody listens there: an answer that is not stored fails the run.
const provider = openai({ apiKey: "none", model: "bench", baseURL: "http://127.0.0.1:9/v1" });
const schema = {
  type: "object",
  properties: { summary: { type: "string" }, topics: { type: "array", items: { type: "string" } } },
  required: ["summary", "topics"],
  additionalProperties: false,
};
const prompt = (article: { readonly id?: number; readonly content: string }) =>
  `Summarise this article.\n\n${article.content}`;

async function prepare(input: string, path: string, count: number): Promise<void> {
  const store = await Store.open(path);
  const out = createWriteStream(input);
  const facts = {
    finishReason: "stop",
    usage: { inputTokens: 500, outputTokens: 400 },
    model: "bench",
    requestId: "r",
  };
  let puts: Promise<void>[] = [];
  for (let id = 0; id < count; id++) {
    const article = { id, title: `Article ${id}`, content: text(id, 2_000) };
    const key = keyOf(provider, { messages: [{ role: "user", content: prompt(article) }], schema });
    const answer = JSON.stringify({ summary: text(id, 1_900), topics: ["river", "market"] });
    puts.push(store.put({ key, provider: "openai", model: "bench", outcome: { facts, text: answer, cut: null } }));
    if (!out.write(`${JSON.stringify(article)}\n`)) await once(out, "drain");
    if (puts.length === 2_048) {
      await Promise.all(puts);
      puts = [];
    }
  }
  await Promise.all(puts);
  await store.close();
  out.end();
  await once(out, "finish");
}

async function hits(path: string, count: number): Promise<number> {
  const store = await Store.open(path);
  const keys = Array.from({ length: Math.min(count, FIRST) }, (_, id) =>
    keyOf(provider, { messages: [{ role: "user", content: prompt({ content: text(id, 2_000) }) }], schema }),
  );
  const begun = performance.now();
  for (const key of keys) if ((await store.get(key)) === undefined) throw new Error("It is not stored.");
  const rate = keys.length / ((performance.now() - begun) / 1_000);
  await store.close();
  return rate;
}

interface Mark {
  readonly ms: number;
  readonly mb: number;
}

/** After a collection, where Node was started with --expose-gc: what is held, not what waits to be collected. */
function mark(): Mark {
  globalThis.gc?.();
  return { ms: performance.now(), mb: process.memoryUsage.rss() / 1e6 };
}

async function rerun(input: string, path: string, output: string): Promise<void> {
  const begun = mark();
  let [seen, first]: [number, Mark | undefined] = [0, undefined];
  const stage = analyze({ provider, prompt, schema, output: ({ id }, { value }) => ({ id, ...(value as object) }) });
  const counting = (record: object) => {
    if (++seen === FIRST) first = mark();
    return record;
  };
  const report = await pipeline(read(input), stage, counting, write(output), { store: path });
  const end = mark();
  const say = (what: string, records: number, from: Mark, to: Mark) =>
    console.log(
      `${what}: ${Math.round(records / ((to.ms - from.ms) / 1_000))} records/s, ${(to.mb - from.mb).toFixed(0)} MB more RSS`,
    );
  console.log(`${report.written} written, ${report.cached} from the store, ${report.requests} calls`);
  if (first === undefined) return say("all", seen, begun, end);
  say("the first 100,000", FIRST, begun, first);
  say("the rest", seen - FIRST, first, end);
}

const [first = "100000", ...paths] = process.argv.slice(2);
const [input, path, output] = paths;
if (input !== undefined && path !== undefined && output !== undefined) await rerun(input, path, output);
else await bench(Number(first));

/** The rerun in a process of its own, whose memory knows nothing of what was prepared. */
async function bench(count: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  try {
    const [input, path, output] = ["in.ndjson", "responses.db", "out.ndjson"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await prepare(input, path, count);
    console.log(`store: ${(statSync(path).size / 1e6).toFixed(0)} MB for ${count} answers`);
    console.log(`bare: ${Math.round(await hits(path, count))} hits/s`);
    const args = ["--expose-gc", "--conditions=millrace-source", fileURLToPath(import.meta.url)];
    spawnSync(process.execPath, [...args, first, input, path, output], { stdio: "inherit" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
