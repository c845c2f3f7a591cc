/** gzip and zstd over a source. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { read } from "../../src/sources/read.ts";
import { caught, letterBox, script, timesOpen } from "../streams.ts";
import { folder } from "../support.ts";

const RECORDS = Array.from({ length: 5_000 }, (_, id) => ({ id, text: `é ${Math.imul(id, 2_654_435_761)}` }));
const TEXT = RECORDS.map((record) => `${JSON.stringify(record)}\n`).join("");

/** What was taken before the fault, and the fault. */
async function takenUntil(path: string, options = {}) {
  const records: { id: number }[] = [];
  const error = await caught(
    (async () => {
      for await (const record of read(path, { ...options, deadLetters: letterBox().stream })) records.push(record);
    })(),
  );
  return { records, error };
}

function fileOf(name: string, bytes: Buffer): string {
  const path = join(folder(), name);
  writeFileSync(path, bytes);
  return path;
}

describe.each([
  ["gzip", ".gz", gzipSync],
  ["zstd", ".zst", zstdCompressSync],
] as const)("%s", (name, ending, compress) => {
  const packed = compress(TEXT);

  test("gives the records with their place in the text", async () => {
    const { letters, stream } = letterBox();
    const path = fileOf(`in.ndjson${ending}`, compress(`{"id":1}\nSECRET\n{"id":2}`));
    const records: unknown[] = [];
    for await (const record of read(path, { deadLetters: stream })) records.push(record);
    expect(records).toEqual([{ id: 1 }, { id: 2 }]);
    expect(letters).toMatchObject([{ source: { file: path, line: 2, byteOffset: 9 } }]);
  });

  test("may consist of several archives one after the other", async () => {
    const path = fileOf(`in${ending}`, Buffer.concat([packed, packed]));
    let count = 0;
    for await (const record of read(path)) expect(record).toEqual(RECORDS[count++ % RECORDS.length]);
    expect(count).toBe(2 * RECORDS.length);
  });

  test("that is cut ends the stream after the records before the cut", async () => {
    const path = fileOf(`in.jsonl${ending}`, packed.subarray(0, -20));
    const { records, error } = await takenUntil(path);
    expect(error).toMatchObject({ code: "source_failed" });
    expect(error.message).toBe(
      `Reading ${path} failed: the ${name} archive ends too early: it is cut. What stood before was read; get the file again.`,
    );
    expect(records.length).toBeGreaterThan(1_000);
    expect(records).toEqual(RECORDS.slice(0, records.length));
    expect(timesOpen(path)).toBe(0);
  });

  test("that is corrupt ends the stream after the records before that", async () => {
    const broken = Buffer.from(Buffer.concat([packed, packed]));
    broken.fill(0x5a, packed.length, packed.length + 50);
    const { records, error } = await takenUntil(fileOf(`in${ending}`, name === "gzip" ? broken : flipped(packed)));
    expect(error).toMatchObject({ code: "source_failed", message: expect.stringContaining("is corrupt") });
    if (name === "gzip") expect(records.length).toBeGreaterThan(1_000);
    expect(records).toEqual(RECORDS.slice(0, records.length));
  });

  test("that is none ends the stream; an empty file is an empty input", async () => {
    const { error } = await takenUntil(fileOf(`in${ending}`, Buffer.from(TEXT)));
    expect(error).toMatchObject({ code: "source_failed", message: expect.stringContaining("is corrupt") });
    for await (const record of read(fileOf(`in${ending}`, Buffer.alloc(0)))) expect.fail(String(record));
  });

  test("is closed when its reader leaves", async () => {
    const path = fileOf(`in${ending}`, packed);
    for await (const _ of read(path)) break;
    const source = read(path);
    source.read();
    source.destroy();
    await expect.poll(() => timesOpen(path)).toBe(0);
  });

  test("holds as many bytes as are allowed, and no more", async () => {
    const path = fileOf(`in${ending}`, packed);
    const bytes = Buffer.byteLength(TEXT);
    for await (const _ of read(path, { maxBytes: bytes }));
    const { error } = await takenUntil(path, { maxBytes: bytes - 1 });
    expect(error.message).toContain(`it holds more than the ${bytes - 1} bytes allowed (maxBytes)`);
  });

  test("that grows as only bombs do is not read to its end", async () => {
    const path = fileOf(`in${ending}`, compress(Buffer.alloc(80 * 1024 * 1024, " ")));
    const { error } = await takenUntil(path, { maxRatio: 500 });
    expect(error.message).toContain("it may be a bomb");
  });

  test("is told by its first bytes on stdin", async () => {
    const path = fileOf("packed", packed);
    const lines = `import { read } from "./src/sources/read.ts";
      let count = 0; for await (const _ of read("-")) count++; console.log(count);`;
    const { stdout } = await script(lines, { first: `exec < ${path}` });
    expect(stdout.trim()).toBe(String(RECORDS.length));
  });
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.fill(0x5a, copy.length >> 1, (copy.length >> 1) + 50);
  return copy;
}
