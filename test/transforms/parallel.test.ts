/** Bounded parallelism: order, width and bytes. */

import { createRequire } from "node:module";
import { Readable, type Transform, Writable } from "node:stream";
import { pipeline as nodePipeline } from "node:stream/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drop } from "../../src/record.ts";
import type { Work } from "../../src/transforms/parallel.ts";
import { caught, collector, gathered, numbered, stalled, turns } from "../streams.ts";
import { endless, type Numbered, parallel } from "./parallel-work.ts";

describe("parallel work", () => {
  for (const ordered of [true, false]) {
    const order = ordered ? "in the order of the records" : "as they come";
    test(`never has more than its width under way, and passes on every result, ${order}`, async () => {
      const latencies = fc.array(fc.nat(12), { maxLength: 60 });
      await fc.assert(
        fc.asyncProperty(latencies, fc.integer({ min: 1, max: 9 }), async (latencies, width) => {
          let running = 0;
          let most = 0;
          const work: Work = async (record) => {
            running++;
            most = Math.max(most, running);
            await turns(latencies[(record as Numbered).id] ?? 0);
            running--;
            return record;
          };
          const { records, stream } = collector();
          const all = numbered(latencies.length);
          await nodePipeline(Readable.from(all), parallel(work, { width, ordered }), stream);
          const got = ordered ? records : (records as Numbered[]).toSorted((a, b) => a.id - b.id);
          expect(got).toEqual(all);
          expect(most).toBeLessThanOrEqual(width);
        }),
        { numRuns: 60 },
      );
    });

    test(`has its whole width under way when there is enough to do, results ${order}`, async () => {
      let running = 0;
      let most = 0;
      const work: Work = async (record) => {
        most = Math.max(most, ++running);
        await turns(20);
        running--;
        return record;
      };
      await nodePipeline(Readable.from(numbered(100)), parallel(work, { width: 30, ordered }), collector().stream);
      expect(most).toBe(30);
    });

    test(`leaves nothing of a record that is dropped, results ${order}`, async () => {
      const work: Work = async (record) => ((record as Numbered).id % 3 === 0 ? drop : record);
      for (const count of [0, 1, 50]) {
        const { records, stream } = collector();
        await nodePipeline(Readable.from(numbered(count)), parallel(work, { ordered }), stream);
        expect(records).toEqual(numbered(count).filter(({ id }) => id % 3 !== 0));
      }
    });

    test(`takes in no more than its width, and a few, when the sink is stalled, results ${order}`, async () => {
      let started = 0;
      let given = 0;
      const source = Readable.from(
        (function* () {
          for (;;) yield { id: given++ };
        })(),
        { highWaterMark: 1 },
      );
      const work: Work = async (record) => {
        started++;
        return record;
      };
      const { stream } = stalled();
      const abort = new AbortController();
      const run = nodePipeline(source, parallel(work, { width: 20, ordered }), stream, { signal: abort.signal });
      await turns(200);
      expect(started).toBeLessThanOrEqual(25);
      expect(given).toBeLessThanOrEqual(30);
      abort.abort();
      expect(await caught(run)).toMatchObject({ name: "AbortError" });
    });

    test(`holds intake back at its bytes, results ${order}`, async () => {
      const { signals, work } = endless();
      const stage = parallel(work, { width: 100, maxBytes: 20_000, ordered });
      const large = Array.from({ length: 50 }, () => ({ text: "x".repeat(3_000) }));
      nodePipeline(Readable.from(large), stage, collector().stream).catch(() => {});
      await turns(50);
      expect(signals.length).toBeGreaterThanOrEqual(3);
      expect(signals.length).toBeLessThanOrEqual(5);
      stage.destroy();
    });

    test(`counts results too, and takes in more when they have left, results ${order}`, async () => {
      const kept: (() => void)[] = [];
      const sink = new Writable({
        objectMode: true,
        highWaterMark: 1,
        write: (_record, _encoding, callback) => void kept.push(callback),
      });
      let started = 0;
      const work: Work = async () => {
        started++;
        return { text: "x".repeat(5_000) };
      };
      const stage = parallel(work, { width: 100, maxBytes: 20_000, ordered });
      // One a turn: what an answer weighs is known only when it is there.
      async function* records() {
        for (const record of numbered(60)) {
          yield record;
          await turns(1);
        }
      }
      const run = nodePipeline(Readable.from(records()), stage, sink);
      await turns(200);
      expect(started).toBeLessThan(12);
      while (!sink.writableFinished) {
        kept.pop()?.();
        await turns(1);
      }
      await run;
      expect(started).toBe(60);
    });

    test(`passes records and results that are larger than all the bytes it may hold, results ${order}`, async () => {
      let running = 0;
      let most = 0;
      const work: Work = async (record) => {
        most = Math.max(most, ++running);
        await turns(3);
        running--;
        return { ...(record as object), more: "y".repeat(50_000) };
      };
      const { records, stream } = collector();
      const large = numbered(10).map((record) => ({ ...record, text: "x".repeat(50_000) }));
      await nodePipeline(Readable.from(large), parallel(work, { maxBytes: 1_000, ordered }), stream);
      expect(records).toHaveLength(10);
      expect(most).toBe(1);
    });

    test(`does not lose count when a record changes while it is at work, results ${order}`, async () => {
      const work: Work = async (record) => {
        await turns(1);
        (record as { text: string }).text = "";
        return drop;
      };
      // The same object over and over: at work while it waits to be taken in again.
      const records = () =>
        Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? shared : { text: "x".repeat(1_000) }));
      const shared = { text: "x".repeat(1_000) };
      await nodePipeline(Readable.from(records()), parallel(work, { maxBytes: 5_000, ordered }), collector().stream);
    });
  }

  test("is not stopped by a first record that takes longer than all others of its window", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    let done = 0;
    const work: Work = async (record) => {
      if ((record as Numbered).id === 0) await promise;
      else if (++done === 19) resolve();
      return record;
    };
    const { records, stream } = collector();
    await nodePipeline(Readable.from(numbered(100)), parallel(work, { width: 20 }), stream);
    expect(records).toEqual(numbered(100));
  });

  test("gives every result to whoever iterates over it", async () => {
    const stage = parallel(async (record) => record);
    Readable.from(numbered(100)).pipe(stage);
    expect(await gathered(stage)).toEqual(numbered(100));
  });

  test("goes through parallel-transform", async () => {
    const { prototype } = createRequire(import.meta.url)("parallel-transform") as { prototype: Transform };
    const transform = prototype._transform;
    let passed = 0;
    prototype._transform = function (...args) {
      passed++;
      transform.apply(this, args);
    };
    try {
      const stage = parallel(async (record) => record);
      await nodePipeline(Readable.from(numbered(25)), stage, collector().stream);
    } finally {
      prototype._transform = transform;
    }
    expect(passed).toBe(25);
  });
});
