/** Records that repeat an earlier one are left out. */

import { join } from "node:path";
import { pipeline as nodePipeline } from "node:stream/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pipeline } from "../../src/pipeline.ts";
import { read } from "../../src/sources/read.ts";
import { type DedupeOptions, type Duplicate, dedupe } from "../../src/transforms/dedupe.ts";
import { Seen } from "../../src/transforms/seen.ts";
import { caught, collector, letterBox, script } from "../streams.ts";
import { folder, writeLines } from "../support.ts";

/** The records that stay, and what was said of those that did not. */
async function deduped(records: readonly unknown[], options: DedupeOptions<never> = {}) {
  const duplicates: Duplicate[] = [];
  const { stream, records: kept } = collector();
  const onDuplicate = (duplicate: Duplicate<never>) => void duplicates.push(duplicate);
  const report = await pipeline(read(records), dedupe({ onDuplicate, ...options }), stream);
  return { kept: kept as { id: number }[], ids: (kept as { id: number }[]).map(({ id }) => id), duplicates, report };
}

const texts = (...contents: unknown[]) => contents.map((content, id) => ({ id, content }));

/** Words that are a function of a seed. */
const prose = (seed: number, count: number) =>
  Array.from({ length: count }, (_, at) => `w${((seed * 7919 + at * at * 31 + at * 17) % 4_001).toString(36)}`);

describe("dedupe()", () => {
  test("leaves out texts that are equal but for white space and Unicode's form, and counts them as dropped", async () => {
    const given = texts(
      "Caf\u00e9  society",
      "Cafe\u0301 society\n",
      "\tCafé\u00a0society ",
      "café society",
      "Café societies",
    );
    const { ids, report } = await deduped(given);
    expect(ids).toEqual([0, 3, 4]);
    expect(report).toMatchObject({ read: 5, dropped: 2, written: 3, unfinished: 0 });
    expect(report.stages[1]).toEqual({ name: "dedupe", in: 5, out: 3, dropped: 2, deadLettered: 0 });
  });

  test("names the record that is repeated, by its number and its place", async () => {
    const path = writeLines(join(folder(), "in.ndjson"), [{ content: "a" }, { content: "b" }, { content: "b " }]);
    const duplicates: Duplicate[] = [];
    const stage = dedupe({ onDuplicate: (one) => void duplicates.push(one) });
    await nodePipeline(read(path), stage, collector().stream);
    expect(duplicates).toEqual([
      {
        record: { content: "b " },
        source: { file: path, line: 3, byteOffset: 32 },
        of: { number: 2, source: { file: path, line: 2, byteOffset: 16 } },
        similarity: 1,
      },
    ]);
    const { duplicates: placeless } = await deduped([{ content: 1 }, { content: 2 }, { content: 1 }]);
    expect(placeless[0]?.of).toMatchObject({ number: 1 });
  });

  test("compares whole records where there is no content, whatever the order of their fields", async () => {
    const { kept } = await deduped([{ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }, { a: 1 }, { a: "1" }]);
    expect(kept).toEqual([{ a: 1, b: { c: 2, d: 3 } }, { a: 1 }, { a: "1" }]);
  });

  test("compares what `by` says; records without it repeat none", async () => {
    const records = [
      { id: 0, meta: { url: "x" } },
      { id: 1, meta: { url: "x" } },
      { id: 2 },
      { id: 3 },
      { id: 4, meta: { url: null } },
    ];
    expect((await deduped(records, { by: "meta.url" })).ids).toEqual([0, 2, 3, 4]);
    expect((await deduped(records, { by: ({ id }: { id: number }) => id % 2 })).ids).toEqual([0, 1]);
    expect((await deduped(records, { by: async ({ id }: { id: number }) => (id < 3 ? undefined : 7) })).ids).toEqual([
      0, 1, 2, 3,
    ]);
  });

  test("sends a record for which `by` throws to the dead letters", async () => {
    const { letters, stream: deadLetters } = letterBox();
    const { stream, records } = collector();
    const by = ({ id }: { id: number }) => {
      if (id === 1) throw new Error("no idea");
      return id;
    };
    await pipeline(read([{ id: 0 }, { id: 1 }, { id: 2 }]), dedupe({ by }), stream, { deadLetters });
    expect(records).toEqual([{ id: 0 }, { id: 2 }]);
    expect(letters).toMatchObject([{ stage: "dedupe", error: { code: "stage_failed" }, record: { id: 1 } }]);
  });

  test("forgets the oldest when it remembers as many as it may", async () => {
    const contents = ["a", "b", "c", "a", "c", "d", "b"];
    // Of two: a b | c makes a go | a makes b go | c is known | d makes c go | b is new.
    expect((await deduped(texts(...contents), { maxEntries: 2 })).ids).toEqual([0, 1, 2, 3, 5, 6]);
    expect((await deduped(texts(...contents), { maxEntries: 4 })).ids).toEqual([0, 1, 2, 5]);
  });

  test("agrees with a list of the latest texts, whatever comes and however few it remembers", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(40), { maxLength: 300 }),
        fc.integer({ min: 1, max: 30 }),
        async (keys, most) => {
          const latest: number[] = [];
          const expected = keys.flatMap((key, id) => {
            if (latest.includes(key)) return [];
            latest.push(key);
            if (latest.length > most) latest.shift();
            return [id];
          });
          expect((await deduped(texts(...keys.map(String)), { maxEntries: most })).ids).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("finds similar texts by their words, in any script, and keeps different ones", async () => {
    const words = prose(1, 200);
    const changed = words.with(40, "other").with(120, "words").join(" ");
    const half = [...words.slice(0, 100), ...prose(2, 100)].join(" ");
    const loud = `${words.join(", ").toUpperCase()}!`;
    const given = texts(words.join(" "), changed, half, loud, prose(3, 200).join(" "), "", "?!", "?!");
    const { ids, duplicates } = await deduped(given, { near: true });
    expect(ids).toEqual([0, 2, 4, 5, 6]);
    expect(duplicates.map(({ of }) => of.number)).toEqual([1, 1, 7]);
    expect(duplicates[0]?.similarity).toBeGreaterThan(0.85);
    expect(duplicates[0]?.similarity).toBeLessThan(1);
    const chinese = "国家统计局今天公布了一项关于全国居民收入和消费情况的最新调查报告引起了广泛关注";
    const { ids: fewer } = await deduped(texts(chinese, `${chinese}。`, [...chinese].reverse().join("")), {
      near: true,
    });
    expect(fewer).toEqual([0, 2]);
  });

  test("estimates how similar texts are to within a few hundredths, and finds 95 of 100 just above the threshold", async () => {
    let found = 0;
    for (let seed = 0; seed < 100; seed++) {
      const words = prose(seed, 400);
      // So many changed words, apart from each other, change twice as many pairs: 0.8 to 0.9 of all pairs stay.
      for (let at = 5; at < 400; at += 400 / 14) words[Math.round(at)] = `new${seed}x${Math.round(at)}`;
      const { duplicates } = await deduped(texts(prose(seed, 400).join(" "), words.join(" ")), { threshold: 0.8 });
      found += duplicates.length;
      for (const { similarity } of duplicates) expect(Math.abs(similarity - 371 / 427)).toBeLessThan(0.15);
    }
    expect(found).toBeGreaterThanOrEqual(95);
  });

  test("begins anew in each run", async () => {
    for (let run = 0; run < 2; run++) expect((await deduped(texts("a", "a"))).ids).toEqual([0]);
  });

  test("takes no more memory for 600,000 records than for the hundred thousand that it remembers", async () => {
    const { stdout, stderr } = await script(
      `
      import { dedupe, pipeline, read } from "./src/index.ts";
      import { Writable } from "node:stream";
      const sizes = [];
      const held = () => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
      function* records() {
        for (let id = 0; id < 600_000; id++) {
          if (id % 200_000 === 199_999) { gc(); sizes.push(held()); }
          yield { id, content: "text " + id };
        }
      }
      const sink = new Writable({ objectMode: true, write: (_record, _encoding, callback) => callback() });
      const report = await pipeline(read(records()), dedupe({ maxEntries: 100_000 }), sink);
      console.log(JSON.stringify({ dropped: report.dropped, grown: (sizes[2] - sizes[0]) / 1e6 }));
      `,
      { flags: ["--expose-gc"] },
    );
    expect(stderr).toBe("");
    const { dropped, grown } = JSON.parse(stdout);
    expect(dropped).toBe(0);
    expect(grown).toBeLessThan(5);
  });

  test("compares a bounded number of candidates, however many collide", () => {
    const seen = new Seen({ most: 100_000, words: 4, bands: 2 });
    const signature = (value: number) => Uint32Array.of(1, 1, value, value);
    for (let at = 0; at < 20_000; at++) {
      expect(seen.find(signature(at), 1)).toBeUndefined();
      seen.add(signature(at));
    }
    expect(seen.find(signature(19_999), 1)?.share).toBe(1);
    expect(seen.find(signature(3), 1)?.share).toBe(1);
  });

  test.each<[object, RegExp]>([
    [{ threshhold: 0.9 }, /dedupe\(\) has no option "threshhold"\. Did you mean "threshold"/],
    [{ threshold: 2 }, /`threshold` must be from 0\.5 to 1, got 2/],
    [{ near: false, threshold: 0.9 }, /`threshold` is for similar texts/],
    [{ maxEntries: 0 }, /`maxEntries` must be a whole number from 1/],
    [{ by: 7 }, /`by` must be a field's path/],
  ])("refuses the options %j", async (options, message) => {
    const error = await caught(Promise.resolve().then(() => dedupe(options)));
    expect(error).toMatchObject({ code: "invalid_option" });
    expect(error.message).toMatch(message);
  });
});
