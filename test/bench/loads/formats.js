/**
 * `node formats.js <job>`: reads or writes one file of records, by millrace or by the bare loop that somebody would write in
 * its place, and says the time.
 */

import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { PassThrough, Readable } from "node:stream";
import { finished, pipeline as joined } from "node:stream/promises";
import * as zlib from "node:zlib";
import { parse } from "csv-parse";
import { stringify } from "csv-stringify";

const { millrace, how, what, format, path, records } = JSON.parse(process.argv[2] ?? "");
const { pipeline, read, write } = await import(millrace);
const [kind, packing] = format.split(".");

const unpacked = (/** @type {string} */ file) => {
  const bytes = createReadStream(file);
  if (packing === "gz") return bytes.pipe(zlib.createGunzip());
  return packing === "zst" ? bytes.pipe(zlib.createZstdDecompress()) : bytes;
};
const packer = () => {
  if (packing === "gz") return zlib.createGzip();
  return packing === "zst" ? zlib.createZstdCompress() : new PassThrough();
};

let seen = 0;
let characters = 0;
/** Looks into each record, so that nobody gains by leaving it unread. */
const take = (/** @type {{ content: string }} */ { content }) => {
  seen++;
  characters += content.length;
};

const readers = {
  ndjson: async () => {
    let rest = "";
    for await (const chunk of unpacked(path).setEncoding("utf8")) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) take(JSON.parse(line));
    }
  },
  json: async () => {
    for (const record of JSON.parse(await readFile(path, "utf8"))) take(record);
  },
  csv: async () => {
    for await (const record of unpacked(path).pipe(parse({ columns: true }))) take(record);
  },
};

/** @param {object[]} all @param {import("node:stream").Writable} out */
const lines = async (all, out) => {
  for (const record of all) if (!out.write(`${JSON.stringify(record)}\n`)) await once(out, "drain");
  out.end();
};

/** @type {Record<string, (all: object[]) => Promise<unknown>>} */
const writers = {
  ndjson: async (all) => {
    const first = packer();
    const written = packing === undefined ? undefined : joined(first, createWriteStream(path));
    const out = written === undefined ? createWriteStream(path) : first;
    await Promise.all([lines(all, out), written ?? finished(out)]);
  },
  json: async (all) => {
    const out = createWriteStream(path);
    let before = "[";
    for (const record of all) {
      if (!out.write(`${before}\n${JSON.stringify(record)}`)) await once(out, "drain");
      before = ",";
    }
    out.end("]\n");
    await finished(out);
  },
  csv: (all) => joined(Readable.from(all), stringify({ header: true }), createWriteStream(path)),
};

/** As many as asked for, those of a file over and over. */
async function made() {
  const distinct = (await readFile(records.from, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  return Array.from({ length: records.count }, (_, at) => distinct[at % distinct.length]);
}

const all = what === "write" ? await made() : [];
const begun = performance.now();
if (what === "write") {
  await (how === "bare" ? writers[kind]?.(all) : pipeline(Readable.from(all), write(path)));
} else if (how === "bare") {
  await readers[/** @type {"ndjson"} */ (kind)]();
} else {
  await once(read(path).on("data", take), "end");
}
console.log(JSON.stringify({ ms: performance.now() - begun, seen, characters }));
process.exit(0);
