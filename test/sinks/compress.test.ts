/** Outputs that are compressed by their ending. */

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pipeline } from "../../src/pipeline.ts";
import { CompressedOutput } from "../../src/sinks/compress.ts";
import type { Output } from "../../src/sinks/output.ts";
import { write } from "../../src/sinks/write.ts";
import { caught, letterBox, numbered, timesOpen, turns } from "../streams.ts";
import { folder, rows } from "../support.ts";

const unpack = {
  gz: (path: string) => gunzipSync(readFileSync(path)).toString(),
  zst: (path: string) => zstdDecompressSync(readFileSync(path)).toString(),
} as const;

/** Text that hardly gets smaller, so that the compressor gives something back long before its end. */
const noise = (id: number) => ({
  id,
  text: Array.from({ length: 400 }, (_, at) => Math.sin(id * 400 + at)).join(" "),
});

for (const ending of ["gz", "zst"] as const) {
  describe(`write to .${ending}`, () => {
    const unpacked = unpack[ending];

    test("makes an archive of the lines that a plain file would have", async () => {
      const path = join(folder(), `out.ndjson.${ending}`);
      await fc.assert(
        fc.asyncProperty(fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 20 }), async (records) => {
          await pipeline(records, write(path));
          expect(unpacked(path)).toBe(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
        }),
        { numRuns: 40 },
      );
    });

    test("makes one that the system's own tool unpacks", async () => {
      const path = join(folder(), `out.jsonl.${ending}`);
      await pipeline(numbered(5_000), write(path));
      const text = execFileSync(ending === "gz" ? "gunzip" : "zstd", ["-dc", path], { encoding: "utf8" });
      expect(rows(text)).toEqual(numbered(5_000));
    });

    test("makes the same bytes however the records come", async () => {
      const dir = folder();
      const records = Array.from({ length: 300 }, (_, id) => noise(id));
      async function* slowly() {
        for (const record of records) {
          yield record;
          if (record.id % 7 === 0) await turns(2);
        }
      }
      await pipeline(records, write(join(dir, `fast.ndjson.${ending}`)));
      await pipeline(slowly(), write(join(dir, `slow.ndjson.${ending}`)));
      const [fast, slow] = ["fast", "slow"].map((name) => readFileSync(join(dir, `${name}.ndjson.${ending}`)));
      expect(slow?.equals(fast as Buffer)).toBe(true);
    });

    test("makes one in which no damage goes unnoticed", async () => {
      const path = join(folder(), `out.ndjson.${ending}`);
      await pipeline([noise(1), noise(2)], write(path));
      const packed = readFileSync(path);
      for (let at = 30; at < packed.length; at += 97) {
        const damaged = Buffer.from(packed);
        damaged[at] = (damaged[at] as number) ^ 0x10;
        writeFileSync(path, damaged);
        expect(() => unpacked(path), `byte ${at}`).toThrow();
      }
    });

    test("makes an archive of nothing out of no records", async () => {
      const path = join(folder(), `out.ndjson.${ending}`);
      await pipeline([], write(path));
      expect(unpacked(path)).toBe("");
    });

    test("replaces an older output only when the new one is complete; a partial one that was stopped is whole", async () => {
      const path = join(folder(), `out.ndjson.${ending}`);
      writeFileSync(path, "old");
      async function* breaking() {
        for (let id = 0; id < 50; id++) yield noise(id);
        await turns(5);
        throw new Error("the cable");
      }
      const sink = write(path);
      await caught(pipeline(breaking(), sink));
      expect(readFileSync(path, "utf8")).toBe("old");
      const kept = rows(unpacked(`${path}.partial`));
      expect(kept.length).toBeGreaterThan(0);
      expect(kept).toHaveLength(sink.report.out);
      await pipeline(numbered(2), write(path));
      expect(rows(unpacked(path))).toEqual(numbered(2));
      expect(existsSync(`${path}.partial`)).toBe(false);
    });

    test("leaves no file and no lock of nothing, and none of dead letters that there are not", async () => {
      const dir = folder();
      await caught(
        pipeline(
          (async function* () {
            yield* [];
            await turns(1);
            throw new Error("the cable");
          })(),
          write(join(dir, `out.ndjson.${ending}`)),
        ),
      );
      writeFileSync(join(dir, `failed.ndjson.${ending}`), gzipSync("stale"));
      const { stream } = letterBox();
      await pipeline(numbered(1), stream, { deadLetters: write(join(dir, `failed.ndjson.${ending}`)) });
      expect(readdirSync(dir)).toEqual([]);
    });

    test("stops at once when the run is aborted, and leaves nothing open", async () => {
      const dir = realpathSync(folder());
      const path = join(dir, `out.ndjson.${ending}`);
      const abort = new AbortController();
      async function* endless() {
        for (let id = 0; ; id++) {
          yield noise(id);
          if (id === 200) abort.abort();
          await turns(1);
        }
      }
      const sink = write(path);
      expect(await caught(pipeline(endless(), sink, { signal: abort.signal }))).toMatchObject({ code: "aborted" });
      if (!sink.closed) await new Promise((resolve) => sink.once("close", resolve));
      expect(timesOpen(`${path}.partial`)).toBe(0);
      expect(process.getActiveResourcesInfo().filter((name) => /zlib|zstd/i.test(name))).toEqual([]);
      expect(rows(unpacked(`${path}.partial`)).length).toBe(sink.report.out);
    });

    test("fails with sink_failed when the system takes no more", async () => {
      const dir = folder();
      const path = join(dir, `full.ndjson.${ending}`);
      execFileSync("ln", ["-s", "/dev/full", path]);
      const records = Array.from({ length: 2_000 }, (_, id) => noise(id));
      const error = await caught(pipeline(records, write(path)));
      expect(error).toMatchObject({ code: "sink_failed", cause: { code: "ENOSPC" } });
    });
  });
}

/** An output whose writes wait to be let go. */
function stalledOutput() {
  const waiting: (() => void)[] = [];
  let committed = false;
  const output: Output = {
    name: "stalled",
    open: async () => {},
    reserve: async () => {},
    write: () => new Promise((resolve) => waiting.push(resolve)),
    commit: async () => {
      committed = true;
    },
    abandon: (rest) => rest(),
    omit: async () => {},
  };
  return { output, waiting, committed: () => committed };
}

test("a compressed output that is given up on while it ends does not appear after all", async () => {
  const { output: behind, waiting, committed } = stalledOutput();
  const output = new CompressedOutput(behind, "gzip");
  let taken = false;
  output.write("text").then(() => {
    taken = true;
  });
  while (!taken) {
    waiting.shift()?.();
    await turns(1);
  }
  const commit = caught(output.commit());
  while (waiting.length === 0) await turns(1);
  const left = output.abandon(async () => {});
  await turns(3);
  waiting.shift()?.();
  expect(await commit).toMatchObject({ message: "it was closed" });
  await left;
  expect(committed()).toBe(false);
  expect(waiting).toEqual([]);
});

test("a compressed output takes no more text until what came of the last is handed on", async () => {
  const { output: stalled, waiting } = stalledOutput();
  const output = new CompressedOutput(stalled, "gzip");
  let taken = 0;
  const writing = (async () => {
    for (; taken < 100; taken++) await output.write(JSON.stringify(noise(taken)));
  })();
  while (waiting.length === 0) await turns(1);
  const before = taken;
  await turns(50);
  expect(taken).toBe(before);
  expect(waiting).toHaveLength(1);
  while (taken < 100) {
    waiting.shift()?.();
    await turns(1);
  }
  await writing;
  const left = output.abandon(async () => {});
  while (waiting.length === 0) await turns(1);
  for (const letGo of waiting) letGo();
  await left;
});
