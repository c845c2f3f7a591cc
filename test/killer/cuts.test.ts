/** Each killer input, read in process: whole, cut at every byte, byte by byte, and packed. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { isMillraceError } from "../../src/errors.ts";
import type { Compression } from "../../src/formats.ts";
import { sourceOf } from "../../src/record.ts";
import { decompressed } from "../../src/sources/decompress.ts";
import type { Input } from "../../src/sources/input.ts";
import { read } from "../../src/sources/read.ts";
import { letterBox } from "../streams.ts";
import { folder } from "../support.ts";
import { type Killer, SMALL } from "./inputs.ts";
import { killers } from "./table.ts";

const PACKERS = { gzip: gzipSync, zstd: zstdCompressSync } as const;
const ENDINGS = { gzip: ".gz", zstd: ".zst" } as const;
const NO_LIMITS = { maxBytes: Number.MAX_SAFE_INTEGER, maxRatio: 1_000 };

/** All that reading comes to, in a form that can be compared; files' names apart. */
async function outcome(input: Input, { format, path }: Killer) {
  const { letters, stream: deadLetters } = letterBox();
  const records: object[] = [];
  let fault: string | undefined;
  try {
    const options = { format, ...SMALL, ...(path === undefined ? {} : { path }), deadLetters };
    for await (const record of read(input, options)) records.push(record);
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    fault = `${error.code}: ${error.message}`;
  }
  const named = (text: string | undefined) => text?.replaceAll(/\(iterable\)|\S*millrace-\S*?(?=[ :]|$)/g, "NAME");
  return {
    records,
    ids: records.map((record) => (record as { id: string }).id),
    places: records.map((record) => placeOf(sourceOf(record))),
    letters: letters.map(({ error, source }) => ({ code: error.code, ...placeOf(source) })),
    shown: letters.map(({ error, record, raw }) => ({ message: error.message, record, raw })),
    fault: named(fault),
  };
}

const placeOf = (source: ReturnType<typeof sourceOf>) => ({ line: source?.line, byteOffset: source?.byteOffset });

const single = (bytes: Buffer) => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));

async function* later(chunks: readonly Buffer[]) {
  yield* chunks;
}

const unpacked = (chunks: readonly Buffer[], how: Compression) => decompressed(later(chunks), how, NO_LIMITS);

describe.each(killers(SMALL).map((one) => [`${one.format} with ${one.name}`, one] as const))("%s", (_, one) => {
  test("gives each record and each dead letter its own line and byte, wherever it is cut", async () => {
    const whole = await outcome([one.bytes], one);
    const { ids, places, letters, fault } = one;
    expect(whole).toMatchObject({ ids, places, letters });
    if (fault === undefined) expect(whole.fault).toBeUndefined();
    else {
      expect(whole.fault).toMatch(new RegExp(`^${fault.code}: `));
      expect(whole.fault).toMatch(fault.message);
    }
    expect(await outcome(single(one.bytes), one)).toEqual(whole);
    for (let at = 1; at < one.bytes.length; at++) {
      expect(await outcome([one.bytes.subarray(0, at), one.bytes.subarray(at)], one), `cut at ${at}`).toEqual(whole);
    }
  });

  test("gives the same from a file and from archives", async () => {
    const whole = await outcome([one.bytes], one);
    const dir = folder();
    const path = join(dir, "in");
    writeFileSync(path, one.bytes);
    expect(await outcome(path, one)).toEqual(whole);
    for (const how of Object.keys(PACKERS) as Compression[]) {
      const packed = PACKERS[how](one.bytes);
      writeFileSync(path + ENDINGS[how], packed);
      expect(await outcome(path + ENDINGS[how], one)).toEqual(whole);
      expect(await outcome(unpacked(single(packed), how), one)).toEqual(whole);
    }
  });
});
