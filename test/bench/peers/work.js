/** What every peer does alike: it reads the same lines, asks the same question and writes the same lines. */

import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { createInterface } from "node:readline";

/**
 * @typedef {object} Job
 * @property {string} input articles, NDJSON
 * @property {string} output `{ id, title, analysis }` or `{ id, error }`, NDJSON
 * @property {string} failed where a peer that has one puts its dead letters
 * @property {string} store where a peer that has one keeps its answers
 * @property {string} url of the simulator
 * @property {number} concurrency calls in flight
 * @property {boolean} ordered results leave in the order of the articles, where a peer has the choice
 * @property {"anthropic" | "openai" | "mistral"} vendor the protocol that millrace speaks; the others speak OpenAI's
 * @property {string} millrace the module that is `millrace`
 */

export const MODEL = "bench-model";
export const KEY = "sk-bench";

/** @param {{ title: string, content: string }} article */
export const question = (article) => `Analyse this article.\n\n${article.title}\n\n${article.content}`;

/** One article after the other, as Node's documentation reads a file line by line. @param {Job} job */
export async function* articles({ input }) {
  const lines = createInterface({ input: createReadStream(input), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) yield JSON.parse(line);
}

export const answered = (article, analysis) => ({ id: article.id, title: article.title, analysis });

/** A failure is a line too, so that no article vanishes without a word. */
export const failed = (article, error) => ({ id: article.id, error: String(error?.message ?? error) });

/** @param {string} path @param {Iterable<object> | AsyncIterable<object>} rows */
export async function writeRows(path, rows) {
  const out = createWriteStream(path);
  for await (const row of rows) if (!out.write(`${JSON.stringify(row)}\n`)) await once(out, "drain");
  out.end();
  await once(out, "finish");
}
