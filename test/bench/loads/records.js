/**
 * `node records.js <job>`: so many records through `read → analyze → write` with a provider that answers at once, so that
 * what is seen is millrace alone. Says the time a record takes once the code is warm, and the highest memory.
 */

import { peakMB } from "./peak.js";

const { millrace, input, output, store } = JSON.parse(process.argv[2] ?? "");
const { analyze, pipeline, read, write } = await import(millrace);

/** Records before the clock starts: the compiler has settled by then. */
const WARM = 5_000;

const usage = { inputTokens: 1, outputTokens: 1 };
const text = JSON.stringify({ topic: "rivers", tone: "neutral" });
const provider = {
  name: "instant",
  model: "instant",
  complete: async () => ({ text, usage, finishReason: "stop", model: "instant" }),
};
const schema = {
  type: "object",
  properties: { topic: { type: "string" }, tone: { type: "string" } },
  required: ["topic", "tone"],
  additionalProperties: false,
};

let seen = 0;
let warmAt = 0;
/** @param {object} record */
const counted = (record) => {
  if (++seen === WARM) warmAt = performance.now();
  return record;
};

const report = await pipeline(
  read(input),
  analyze({
    provider,
    prompt: (/** @type {{ content: string }} */ record) => record.content,
    schema,
    output: (/** @type {{ id: string }} */ record, /** @type {{ value: object }} */ { value }) => ({
      id: record.id,
      ...value,
    }),
    concurrency: 100,
  }),
  counted,
  write(output),
  store === undefined ? {} : { store },
);
const ms = performance.now() - warmAt;
console.log(JSON.stringify({ written: report.written, usPerRecord: (ms * 1_000) / (seen - WARM), rssMB: peakMB() }));
process.exit(0);
