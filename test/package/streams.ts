/** A user's script, in a project that has nothing but the package: Node's own pipeline, schemas of two kinds, an abort. */

import { Transform, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { analyze, filter, isMillraceError, openai, read, write } from "millrace";
import { z } from "zod";

interface Row {
  readonly id: string;
  readonly content: string;
}

const provider = openai();
const prompt = ({ content }: Row) => `Classify this.\n\n${content}`;

// Zod says what `value` is.
const Verdict = z.object({ topic: z.string(), tone: z.enum(["negative", "neutral", "positive"]) });
const tones: string[] = [];
const typed = analyze({
  provider,
  prompt,
  schema: Verdict,
  concurrency: 8,
  output: ({ id }: Row, { value }) => {
    tones.push(value.tone);
    return { id, topic: value.topic };
  },
});
const shout = new Transform({
  objectMode: true,
  transform: (row: { id: string }, _encoding, callback) => callback(null, { ...row, id: row.id.toUpperCase() }),
});
await pipeline(
  read("in.ndjson"),
  filter(({ id }) => id !== "a1"),
  typed,
  shout,
  write("typed.ndjson"),
);

// Plain JSON Schema: `value` is unknown until it is looked at.
const Count = { type: "object", properties: { n: { type: "integer" } }, required: ["n"], additionalProperties: false };
const counted: unknown[] = [];
await pipeline(
  read("in.ndjson"),
  async function* (rows: AsyncIterable<unknown>) {
    for await (const row of rows) yield row;
  },
  analyze({ provider, prompt, schema: Count, output: ({ id }: Row, { value }) => ({ id, value }) }),
  new Writable({
    objectMode: true,
    write(row, _encoding, callback) {
      counted.push(row);
      callback();
    },
  }),
);

// Aborted in mid-run: nothing may stay that keeps the process alive; the sink leaves what was done.
const abort = new AbortController();
let calls = 0;
const slow = analyze({
  provider,
  prompt: ({ content }: Row) => {
    if (++calls === 3) setTimeout(() => abort.abort(), 20);
    return `[[slow]] ${content}`;
  },
  concurrency: 2,
});
const aborted = await pipeline(read("in.ndjson"), slow, write("aborted.ndjson"), { signal: abort.signal }).then(
  () => "finished",
  (error: unknown) => (isMillraceError(error) ? error.code : (error as Error).name),
);
await provider.close();
console.log(JSON.stringify({ typed: typed.report.out, tones, counted, aborted }));
