/**
 * `npm run bench:formats [MB] [beginning of a name]`: reads files of each format, with small, middling and large rows, plain and
 * compressed, beside what a user would take instead: stream-json, csv-parse and ndjson alone. What is compressed is held
 * against the plain form and the decompressor alone, one after the other. Each run has a process of its own, in turn;
 * medians of `RUNS`. Only the ratios mean something on a machine that does other work.
 */

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createReadStream, createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createGunzip, createGzip, createZstdCompress, createZstdDecompress } from "node:zlib";
import { parse } from "csv-parse";
import ndjson from "ndjson";
import chain from "stream-chain";
import { parser } from "stream-json";
import { streamArray } from "stream-json/streamers/stream-array.js";
import { read } from "../../src/index.ts";

const RUNS = 3;
const ROW_BYTES = [250, 2_000, 11_000];
const COLUMNS = 60;

interface Row {
  readonly id: number;
  readonly title: string;
  readonly language: string;
  readonly url: string;
  readonly content: string;
}

interface Form {
  readonly ending: "ndjson" | "json" | "csv";
  readonly head: string;
  readonly row: (row: Row) => string;
  readonly tail: string;
  /** What others read it with: of stream-json no one way is the quickest for all rows. */
  readonly peers: readonly string[];
}

const quoted = (field: string): string => `"${field.replaceAll('"', '""')}"`;
const fieldsOf = ({ id, title, language, url, content }: Row) => [String(id), title, language, url, content];
const names = Array.from({ length: COLUMNS }, (_, at) => `column${at}`);

const FORMS: Readonly<Record<string, Form>> = {
  ndjson: { ending: "ndjson", head: "", row: (row) => `${JSON.stringify(row)}\n`, tail: "", peers: ["ndjson"] },
  json: {
    ending: "json",
    head: "[{}",
    row: (row) => `,\n${JSON.stringify(row)}`,
    tail: "]\n",
    peers: ["chain", "packed", "withParser", "asStream"],
  },
  csv: {
    ending: "csv",
    head: "id,title,language,url,content\n",
    row: (row) => `${fieldsOf(row).join(",")}\n`,
    tail: "",
    peers: ["csv-parse"],
  },
  "csv, quoted": {
    ending: "csv",
    head: '"id","title","language","url","content"\n',
    row: (row) =>
      `${fieldsOf({ ...row, content: row.content.replace(" ", ' "so", \n') })
        .map(quoted)
        .join(",")}\n`,
    tail: "",
    peers: ["csv-parse"],
  },
  "csv, wide": {
    ending: "csv",
    head: `${names.join(",")}\n`,
    row: ({ id, content }) =>
      `${names.map((_, at) => (at % 3 === 0 ? content.slice(at * 2, at * 2 + 6) : id * at)).join(",")}\n`,
    tail: "",
    peers: ["csv-parse"],
  },
};

/** Ten million letters in words of which no two stretches are alike; every fourth text has letters past ASCII. */
function words(): string {
  let state = 1;
  const next = (most: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return (state >> 8) % most;
  };
  const syllables = "ka lo mi ter san ve ru en ti on ar pe du gra sil".split(" ");
  const vocabulary = Array.from({ length: 5_000 }, () =>
    Array.from({ length: 1 + next(4) }, () => syllables[next(syllables.length)]).join(""),
  );
  return Array.from({ length: 1_500_000 }, () => vocabulary[next(next(vocabulary.length) + 1)]).join(" ");
}

async function generate(path: string, form: Form, { bytes, text }: { bytes: number; text: string }, rowBytes: number) {
  const out = createWriteStream(path);
  out.write(form.head);
  const length = rowBytes - 110;
  let at = 0;
  for (let id = 0, made = 0; made < bytes; ) {
    let rows = "";
    while (rows.length < 1_000_000 && made + rows.length < bytes) {
      at = (at + length) % (text.length - length);
      const content = `${id % 4 === 0 ? "é’ " : ""}${text.slice(at, at + length)}`;
      rows += form.row({ id, title: `Article ${id}`, language: "en", url: `https://example.org/${id}`, content });
      id++;
    }
    made += rows.length;
    if (!out.write(rows)) await once(out, "drain");
  }
  out.end(form.tail);
  await once(out, "finish");
}

const COMPRESSORS = { gz: createGzip, zst: createZstdCompress };
const DECOMPRESSORS = { gz: createGunzip, zst: createZstdDecompress };

const compress = (path: string, by: "gz" | "zst"): Promise<void> =>
  pipeline(createReadStream(path), COMPRESSORS[by](), createWriteStream(`${path}.${by}`));

/** Each as its own documentation shows it. */
const READERS: Readonly<Record<string, (path: string) => Readable>> = {
  millrace: (path) => read(path),
  ndjson: (path) => createReadStream(path).pipe(ndjson.parse()),
  chain: (path) => chain([createReadStream(path), parser({ streamValues: false }), streamArray()]),
  packed: (path) => chain([createReadStream(path), parser(), streamArray()]),
  withParser: (path) => createReadStream(path).pipe(streamArray.withParserAsStream({ streamValues: false })),
  asStream: (path) =>
    createReadStream(path)
      .pipe(parser.asStream({ streamValues: false }))
      .pipe(streamArray.asStream()),
  "csv-parse": (path) => createReadStream(path).pipe(parse({ columns: true, bom: true })),
  gz: (path) => createReadStream(path).pipe(DECOMPRESSORS.gz()),
  zst: (path) => createReadStream(path).pipe(DECOMPRESSORS.zst()),
};

/** In a process of its own: time, and the highest RSS above what it had at the start. */
async function measure(reader: string, path: string): Promise<void> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 10);
  const startedAt = performance.now();
  const source = READERS[reader]?.(path) as Readable;
  await once(
    source.on("data", () => {}),
    "end",
  );
  clearInterval(timer);
  console.log(JSON.stringify({ ms: performance.now() - startedAt, mb: (peak - before) / 1e6 }));
}

interface Measured {
  readonly ms: number;
  readonly mb: number;
}

function inProcess(reader: string, path: string): Measured {
  const args = ["--conditions=millrace-source", fileURLToPath(import.meta.url), reader, path, "measure"];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function interleaved(runs: readonly (readonly [string, string])[]): Measured[] {
  const seen = runs.map((): Measured[] => []);
  for (let run = 0; run < RUNS; run++) for (const [at, args] of runs.entries()) seen[at]?.push(inProcess(...args));
  return seen.map((each) => ({ ms: median(each.map(({ ms }) => ms)), mb: Math.max(...each.map(({ mb }) => mb)) }));
}

function line(name: string, bytes: number, [ours, theirs, peer]: readonly [Measured, number, string]): void {
  const speed = (ms: number) => `${(bytes / 1_000 / ms).toFixed(0).padStart(5)} MB/s`;
  const ratio = `${(theirs / ours.ms).toFixed(2).padStart(6)} x`;
  console.log(
    `${name.padEnd(26)}${speed(ours.ms)}${speed(theirs)}${ratio}   +${ours.mb.toFixed(0).padStart(3)} MB   ${peer}`,
  );
}

function compare(name: string, form: Form, path: string): void {
  const bytes = statSync(path).size;
  const archives = (["gz", "zst"] as const).map((by) => [by, `${path}.${by}`] as const);
  const [ours, ...rest] = interleaved([
    ["millrace", path],
    ...form.peers.map((peer) => [peer, path] as const),
    ...archives.flatMap(([by, archive]) => [["millrace", archive] as const, [by, archive] as const]),
  ]) as [Measured, ...Measured[]];
  const peers = form.peers.map((peer, at) => ({ peer, ms: rest[at]?.ms ?? 0 }));
  const best = peers.reduce((quickest, each) => (each.ms < quickest.ms ? each : quickest));
  line(name, bytes, [ours, best.ms, best.peer]);
  for (const [at, [by]] of archives.entries()) {
    const [packed, alone] = rest.slice(form.peers.length + 2 * at) as [Measured, Measured];
    line(`${name}, ${by}`, bytes, [packed, ours.ms + alone.ms, "plain + decompressor"]);
  }
}

async function compareAll(megabytes: number, beginning: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  console.log(`${"".padEnd(28)}millrace     others   ratio   RSS above the start`);
  try {
    const text = words();
    for (const [kind, form] of Object.entries(FORMS)) {
      for (const rowBytes of kind === "csv, wide" ? [550] : ROW_BYTES) {
        const name = `${kind}, ${rowBytes} B`;
        if (!name.startsWith(beginning)) continue;
        const path = join(folder, `in.${form.ending}`);
        await generate(path, form, { bytes: megabytes * 1e6, text }, rowBytes);
        await Promise.all([compress(path, "gz"), compress(path, "zst")]);
        compare(name, form, path);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [first = "200", second = "", mode] = process.argv.slice(2);
if (mode === "measure") await measure(first, second);
else await compareAll(Number(first), second);
