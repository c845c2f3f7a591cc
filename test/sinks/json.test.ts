/** Records as one JSON array. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pipeline } from "../../src/pipeline.ts";
import { write } from "../../src/sinks/write.ts";
import { caught, collector, letterBox, numbered, startScript, turns } from "../streams.ts";
import { folder } from "../support.ts";

describe("write to .json", () => {
  test("makes an array with a record a line", async () => {
    const path = join(folder(), "out.json");
    const sink = write(path);
    const report = await pipeline(numbered(3), sink);
    expect(readFileSync(path, "utf8")).toBe('[\n{"id":0},\n{"id":1},\n{"id":2}\n]\n');
    expect(report.written).toBe(3);
    expect(sink.report.out).toBe(3);
  });

  test("makes an empty array of no records, and of records that all fail", async () => {
    const path = join(folder(), "out.json");
    for (const records of [[], [{ id: 1n }]]) {
      const { letters, stream } = letterBox();
      await pipeline(records, write(path), { deadLetters: stream });
      expect(readFileSync(path, "utf8")).toBe("[]\n");
      expect(letters).toHaveLength(records.length);
    }
  });

  test("parses back to the records, whatever JSON they hold; what it cannot hold is a dead letter", async () => {
    const dir = folder();
    const value = fc.oneof(
      fc.jsonValue({ stringUnit: "binary", noUnicodeString: false } as object),
      fc.constantFrom<unknown>(1n, Number.NaN, new Map()),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.string({ unit: "binary" }), value), { maxLength: 8 }),
        fc.constantFrom("out.json", "out.json.gz"),
        async (records, name) => {
          const path = join(dir, name);
          const { letters, stream } = letterBox();
          await pipeline(records, write(path), { deadLetters: stream });
          const bytes = readFileSync(path);
          const again: unknown[] = JSON.parse(String(name.endsWith(".gz") ? gunzipSync(bytes) : bytes));
          const holdable = records.filter((record) =>
            Object.values(record).every((v) => typeof v !== "bigint" && !Number.isNaN(v) && !(v instanceof Map)),
          );
          expect(again.map((record) => JSON.stringify(record))).toEqual(holdable.map((r) => JSON.stringify(r)));
          expect(letters).toHaveLength(records.length - holdable.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("leaves what was written as an array under its partial name when the source breaks", async () => {
    const path = join(folder(), "out.json");
    async function* breaking() {
      yield* numbered(20);
      await turns(3);
      throw new Error("the cable");
    }
    const sink = write(path);
    await caught(pipeline(breaking(), sink));
    expect(existsSync(path)).toBe(false);
    const kept = JSON.parse(readFileSync(`${path}.partial`, "utf8"));
    expect(kept.length).toBeGreaterThan(0);
    expect(kept).toHaveLength(sink.report.out);
  });

  test("leaves one array, closed once, when the run is stopped", async () => {
    const path = join(folder(), "out.json");
    const stop = new AbortController();
    async function* records() {
      for (const record of numbered(1_000)) {
        if (record.id === 10) stop.abort();
        yield record;
        await turns(1);
      }
    }
    const sink = write(path);
    expect(await caught(pipeline(records(), sink, { stop: stop.signal }))).toMatchObject({ code: "aborted" });
    expect(JSON.parse(readFileSync(`${path}.partial`, "utf8"))).toEqual(numbered(sink.report.out));
  });

  test("keeps dead letters, and no file of none", async () => {
    const dir = folder();
    const { stream } = collector();
    const deadLetters = join(dir, "failed.json");
    await pipeline(numbered(1), stream, { deadLetters: write(deadLetters) });
    expect(existsSync(deadLetters)).toBe(false);
    await pipeline([{ id: 1 }, { id: 2n }], write(join(dir, "out.json")), { deadLetters: write(deadLetters) });
    expect(JSON.parse(readFileSync(deadLetters, "utf8"))).toMatchObject([{ error: { code: "unserializable" } }]);
  });
});

describe("write with the format json", () => {
  test("makes an array of a stream, of stdout, and of a file with another ending", async () => {
    const stream = new PassThrough();
    const [, given] = await Promise.all([pipeline(numbered(2), write(stream, { format: "json" })), text(stream)]);
    expect(given).toBe('[\n{"id":0},\n{"id":1}\n]\n');
    const path = join(folder(), "out.txt");
    await pipeline(numbered(2), write(path, { format: "json" }));
    expect(readFileSync(path, "utf8")).toBe(given);
    const { ended } = startScript(`
      import { pipeline, write } from "./src/index.ts";
      await pipeline([{ id: 0 }, { id: 1 }], write("-", { format: "json" }));
    `);
    expect(await ended).toMatchObject({ code: 0, stdout: given, stderr: "" });
  });
});
