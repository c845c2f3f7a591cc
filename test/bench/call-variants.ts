/** One variant of the same calls, in a process of its own: takes its job from stdin, prints what it cost. */

import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";

export type Variant = "floor" | "sdk" | "provider" | "plain" | "schema" | "store" | "full" | "unordered";

export interface Job {
  readonly variant: Variant;
  readonly url: string;
  readonly concurrency: number;
  readonly count: number;
  readonly words: number;
  readonly vendor: string;
  /** The articles as NDJSON. */
  readonly input: string;
  readonly folder: string;
}

export interface Cost {
  readonly wallMs: number;
  /** From the first article to the last answer. */
  readonly cpuMs: number;
  /** From the process's start. */
  readonly allCpuMs: number;
  readonly rssMb: number;
}

const WORDS = "the of river market people after night garden signal and in stone paper money light engine".split(" ");
const PROSE = Array.from({ length: 20_000 }, (_, at) => WORDS[(at * 7 + (at >> 3)) % WORDS.length]).join(" ");

export interface BenchArticle {
  readonly id: number;
  readonly title: string;
  readonly content: string;
}

/** Some six characters a word; no two articles are equal. */
export function article(id: number, words: number): BenchArticle {
  const from = (id * 131) % 1_000;
  return { id, title: `Article ${id}`, content: `${id}: ${PROSE.slice(from, from + words * 6)}` };
}

const prompt = ({ title, content }: BenchArticle) => `Analyse this article.\n\n${title}\n\n${content}`;

/** `count` calls, so many at a time. */
async function loop({ concurrency, count, words }: Job, call: (article: BenchArticle) => Promise<unknown>) {
  let next = 0;
  const worker = async () => {
    while (next < count) await call(article(next++, words));
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

type Run = () => Promise<unknown>;

const paths: Readonly<Record<string, string>> = {
  anthropic: "/v1/messages",
  openai: "/chat/completions",
  mistral: "/v1/chat/completions",
};

const body = (one: BenchArticle) => ({
  model: "bench",
  max_tokens: 1_000,
  messages: [{ role: "user" as const, content: prompt(one) }],
});

async function floor(job: Job): Promise<Run> {
  const { Agent, request } = await import("undici");
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  const headers = { "content-type": "application/json", "x-api-key": "key" };
  return () =>
    loop(job, async (one) => {
      const url = job.url + paths[job.vendor];
      const answer = await request(url, { method: "POST", headers, body: JSON.stringify(body(one)), dispatcher });
      return answer.body.json();
    });
}

async function sdk(job: Job): Promise<Run> {
  const options = { apiKey: "key", baseURL: job.url, maxRetries: 0 };
  if (job.vendor === "openai") {
    const { OpenAI } = await import("openai");
    const client = new OpenAI(options);
    return () => loop(job, (one) => client.chat.completions.create(body(one)));
  }
  const { Anthropic } = await import("@anthropic-ai/sdk");
  const client = new Anthropic(options);
  return () => loop(job, (one) => client.messages.create(body(one)));
}

async function providerOf({ url, vendor }: Job) {
  const { anthropic, openai, mistral } = await import("millrace");
  const make = { anthropic, openai, mistral }[vendor];
  if (make === undefined) throw new Error(`There is no vendor ${vendor}.`);
  return make({ apiKey: "key-of-the-bench", baseURL: url, model: "bench", maxOutputTokens: 1_000 });
}

async function provider(job: Job): Promise<Run> {
  const asked = await providerOf(job);
  const { signal } = new AbortController();
  const done = () => asked.close?.();
  return () =>
    loop(job, (one) => asked.complete({ messages: [{ role: "user", content: prompt(one) }] }, { signal })).then(done);
}

/** A stage between an array and nothing. */
async function plain(job: Job, ordered = true): Promise<Run> {
  const { analyze, pipeline } = await import("millrace");
  const asked = await providerOf(job);
  function* articles() {
    for (let id = 0; id < job.count; id++) yield article(id, job.words);
  }
  const stage = analyze<BenchArticle>({ provider: asked, prompt, concurrency: job.concurrency, ordered });
  const sink = new Writable({ objectMode: true, write: (_record, _encoding, done) => done() });
  return () => pipeline(Readable.from(articles()), stage, sink).then(() => asked.close?.());
}

/** As the command line runs it: file, built-in analysis with its schema, admission, file; with the store or not. */
async function whole(job: Job, withStore: boolean): Promise<Run> {
  const { analyze, pipeline, read, write } = await import("millrace");
  const asked = await providerOf(job);
  const name = join(job.folder, `${job.variant}-${process.pid}`);
  const stage = analyze({ provider: asked, concurrency: job.concurrency });
  const store = withStore ? { store: `${name}.db` } : {};
  return () => pipeline(read(job.input), stage, write(`${name}.ndjson`), store).then(() => asked.close?.());
}

const VARIANTS: Readonly<Record<Variant, (job: Job) => Promise<Run>>> = {
  floor,
  sdk,
  provider,
  plain: (job) => plain(job),
  unordered: (job) => plain(job, false),
  schema: (job) => whole(job, false),
  store: (job) => whole(job, true),
  full: (job) => whole(job, true),
};

if (process.argv[1]?.endsWith("call-variants.ts")) {
  const job = JSON.parse(await text(process.stdin)) as Job;
  const run = await VARIANTS[job.variant](job);
  const [cpu, since] = [process.cpuUsage(), performance.now()];
  await run();
  const wallMs = performance.now() - since;
  const ms = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1_000;
  const cost: Cost = {
    wallMs,
    cpuMs: ms(process.cpuUsage(cpu)),
    allCpuMs: ms(process.cpuUsage()),
    rssMb: process.resourceUsage().maxRSS / 1_024,
  };
  console.log(JSON.stringify(cost));
  process.exit();
}
