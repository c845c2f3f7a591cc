/** Archives that are cut, corrupt, padded or several: all that can be unpacked before a fault comes out as records. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { isMillraceError } from "../../src/errors.ts";
import type { Format } from "../../src/formats.ts";
import { read } from "../../src/sources/read.ts";
import { letterBox, script } from "../streams.ts";
import { folder } from "../support.ts";

const COUNT = 40;
const ids = (from: number, count: number) => Array.from({ length: count }, (_, at) => String(from + at));
/** Hard to pack, so that an archive of few records has many bytes. */
const text = (id: string) => `Zoë ${Math.imul(Number(id) + 7, 2_654_435_761)} 🎉`;

const DOCUMENTS: Readonly<Record<Format, (from: number, count: number) => string>> = {
  ndjson: (from, count) =>
    ids(from, count)
      .map((id) => `${JSON.stringify({ id, text: text(id) })}\n`)
      .join(""),
  json: (from, count) => `[${ids(from, count).map((id) => JSON.stringify({ id, text: text(id) }))}]`,
  csv: (from, count) =>
    ids(from, count)
      .map((id) => `${id},${text(id)}\n`)
      .join(""),
};
const HEADER: Readonly<Record<Format, string>> = { ndjson: "", json: "", csv: "id,text\n" };

async function taken(name: string, bytes: Buffer, format: Format) {
  const path = join(folder(), name);
  writeFileSync(path, bytes);
  const { letters, stream: deadLetters } = letterBox();
  const records: { id: string; text: string }[] = [];
  let fault = "";
  try {
    for await (const record of read(path, { format, deadLetters })) records.push(record);
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    fault = `${error.code}: ${error.message.replaceAll(path, "NAME")}`;
  }
  for (const record of records) expect(record.text).toBe(text(record.id));
  return { ids: records.map(({ id }) => id), letters: letters.map(({ error }) => error.code), fault };
}

const PACKERS = [
  ["gzip", ".gz", gzipSync],
  ["zstd", ".zst", zstdCompressSync],
] as const;
const cases = (Object.keys(DOCUMENTS) as Format[]).flatMap((format) =>
  PACKERS.map(([how, ending, pack]) => [format, how, ending, pack] as const),
);

describe.each(cases)("%s in %s", (format, how, ending, pack) => {
  const document = DOCUMENTS[format];
  const all = ids(0, COUNT);
  const packed = pack(HEADER[format] + document(0, COUNT));
  const zeros = Buffer.alloc(40_000);
  const come = (...parts: (Buffer | string)[]) =>
    taken(`in${ending}`, Buffer.concat(parts.map((part) => Buffer.from(part as string))), format);

  test("with garbage behind it loses no record", async () => {
    for (const garbage of ["garbage", "x".repeat(100_000), Buffer.concat([zeros, Buffer.from("garbage")])]) {
      const { ids, letters, fault } = await come(packed, garbage);
      expect([ids, letters]).toEqual([all, []]);
      expect(fault).toMatch(`source_failed: Reading NAME failed: the ${how} archive is corrupt`);
    }
  });

  test("may be followed by zeros, and by another archive behind them", async () => {
    expect(await come(packed, zeros)).toEqual({ ids: all, letters: [], fault: "" });
    if (format === "json") return;
    const more = pack(document(COUNT, 5));
    for (const parts of [
      [packed, more],
      [packed, Buffer.alloc(3), more],
      [packed, zeros, more, zeros],
    ]) {
      expect(await come(...parts)).toEqual({ ids: ids(0, COUNT + 5), letters: [], fault: "" });
    }
  });

  test("cut at any byte gives all records that can be unpacked, and says that it is cut", async () => {
    const step = Math.ceil(packed.length / 60);
    for (let at = 1; at < packed.length; at += step) {
      const { ids, letters, fault } = await come(packed.subarray(0, at));
      expect(fault).toMatch(/^source_failed: .* ends too early: it is cut\. What stood before was read/);
      expect([ids, letters]).toEqual([all.slice(0, ids.length), []]);
      if (how !== "gzip" || at < 10) continue;
      const whole = gunzipSync(packed.subarray(0, at), { finishFlush: constants.Z_SYNC_FLUSH }).toString("latin1");
      const ends = format === "json" ? /\}(?=[,\]]|$)/g : /\n/g;
      expect(ids).toHaveLength(Math.max(0, [...whole.matchAll(ends)].length - (format === "csv" ? 1 : 0)));
    }
  });

  test("whose second archive is corrupt gives all of the first, and of the second what stood before", async () => {
    if (format === "json") return;
    const second = pack(document(COUNT, COUNT));
    for (let at = 0; at < second.length; at += Math.ceil(second.length / 40)) {
      const broken = Buffer.from(second);
      broken[at] = (broken[at] as number) ^ 0xff;
      const path = join(folder(), `in${ending}`);
      writeFileSync(path, Buffer.concat([packed, broken]));
      const records: { id: string }[] = [];
      const source = read(path, { format, deadLetters: letterBox().stream });
      await (async () => {
        for await (const record of source) records.push(record as { id: string });
      })().catch((error) => expect(error).toMatchObject({ code: "source_failed" }));
      expect(records.slice(0, COUNT).map(({ id }) => id)).toEqual(all);
    }
  });

  test("that is empty is an empty input; one that is none is refused", async () => {
    const { ids, fault } = await come("");
    expect(ids).toEqual([]);
    expect(fault).toMatch(format === "json" ? /is empty/ : /^$/);
    expect((await come(document(0, 1))).fault).toMatch("is corrupt");
  });
});

test("what a checksum finds wrong is told to be all that was read", async () => {
  const packed = gzipSync(DOCUMENTS.ndjson(0, COUNT));
  packed[packed.length - 6] = (packed[packed.length - 6] as number) ^ 1;
  const { ids: read, fault } = await taken("in.gz", packed, "ndjson");
  expect(read).toEqual(ids(0, COUNT));
  expect(fault).toContain("What it held was read, but some of it may be wrong");
});

test("a fault behind megabytes loses nothing of a file, nor of stdin", async () => {
  const lines = Array.from({ length: 60_000 }, (_, id) => JSON.stringify({ id, text: text(String(id)) }));
  const path = join(folder(), "in.ndjson.gz");
  writeFileSync(path, Buffer.concat([gzipSync(`${lines.join("\n")}\n`), Buffer.from("garbage")]));
  for (const input of [path, "-"]) {
    const { stdout, stderr } = await script(
      `import { read } from "./src/sources/read.ts";
      let count = 0;
      try {
        for await (const _ of read(process.argv[1])) count++;
      } catch (error) {
        console.log(count, error.code);
      }`,
      { args: [input], first: `exec < ${path}` },
    );
    expect([stdout, stderr]).toEqual(["60000 source_failed\n", ""]);
  }
});
