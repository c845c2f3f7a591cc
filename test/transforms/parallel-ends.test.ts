/** How parallel work ends when it fails or is left. */

import { Readable } from "node:stream";
import { pipeline as nodePipeline } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import { Parallel, type Work } from "../../src/transforms/parallel.ts";
import { caught, collector, numbered, turns } from "../streams.ts";
import { TIMED } from "../support.ts";
import { endless, type Numbered, parallel } from "./parallel-work.ts";

describe("parallel work that fails", () => {
  const failsAt =
    (at: number, signals: AbortSignal[] = []): Work =>
    async (record, signal) => {
      if ((record as Numbered).id === at) {
        await turns(2);
        throw new Error("no");
      }
      if ((record as Numbered).id < at) return record;
      signals.push(signal);
      return new Promise(() => {});
    };

  test("ends the stream with that very error, and aborts what is under way", async () => {
    for (const ordered of [true, false]) {
      const signals: AbortSignal[] = [];
      const stage = parallel(failsAt(5, signals), { ordered });
      const error = await caught(nodePipeline(Readable.from(numbered(100)), stage, collector().stream));
      expect(error.message).toBe("no");
      expect(signals.length).toBeGreaterThan(3);
      expect(signals.every((signal) => signal.aborted)).toBe(true);
      expect(stage.destroyed).toBe(true);
    }
  });

  test("never looks like a clean end to a stream that it is piped to", async () => {
    const stage = parallel(failsAt(5));
    let ended = false;
    const { stream } = collector();
    stream.on("finish", () => {
      ended = true;
    });
    stage.on("end", () => {
      ended = true;
    });
    const failed = new Promise((resolve) => stage.on("error", resolve));
    const closed = new Promise((resolve) => stage.on("close", resolve));
    Readable.from(numbered(6)).pipe(stage).pipe(stream);
    expect(await failed).toMatchObject({ message: "no" });
    await closed;
    await turns(5);
    expect(ended).toBe(false);
  });

  test("fails the same when it throws, rejects with what is no error, or gives nothing", async () => {
    const cases: [Work, string][] = [
      [
        () => {
          throw new Error("at once");
        },
        "at once",
      ],
      [() => Promise.reject("text"), "text"],
      [async () => undefined, "The work for a record gave nothing."],
      [async () => null, "The work for a record gave nothing."],
    ];
    for (const [work, message] of cases) {
      const error = await caught(nodePipeline(Readable.from(numbered(3)), parallel(work), collector().stream));
      expect(error.message).toBe(message);
    }
  });

  test("at its settling ends the stream with that error, and not cleanly", async () => {
    class Unsettled extends Parallel {
      protected override async settle() {
        throw new Error("hopeless");
      }
    }
    const stage = new Unsettled(async (record) => record, { width: 2, maxBytes: 1_000, ordered: true });
    const { stream } = collector();
    expect((await caught(nodePipeline(Readable.from(numbered(3)), stage, stream))).message).toBe("hopeless");
    expect(stream.writableFinished).toBe(false);
  });
});

describe("parallel work that is left", () => {
  const ways: Record<string, (stage: Parallel, abort: AbortController) => void> = {
    "destroyed itself": (stage) => void stage.destroy(),
    "destroyed with an error": (stage) => void stage.destroy(new Error("enough")),
    "aborted by the pipeline's signal": (_, abort) => abort.abort(),
  };
  for (const [way, leave] of Object.entries(ways)) {
    test(`aborts every signal within 50 ms when it is ${way}`, TIMED, async () => {
      const { signals, work } = endless();
      const stage = parallel(work);
      const abort = new AbortController();
      const run = caught(
        nodePipeline(Readable.from(numbered(100)), stage, collector().stream, { signal: abort.signal }),
      );
      while (signals.length < 10) await turns(1);
      const leftAt = performance.now();
      const aborted = signals.map(
        (signal) => new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true })),
      );
      leave(stage, abort);
      await Promise.all(aborted);
      expect(performance.now() - leftAt).toBeLessThan(50);
      expect(await run).toBeInstanceOf(Error);
      expect(signals).toHaveLength(10);
      expect(stage.destroyed).toBe(true);
    });
  }

  test("aborts every signal when its reader leaves or fails", async () => {
    const { signals, work } = endless();
    const stage = parallel((record, signal) =>
      (record as Numbered).id === 0 ? Promise.resolve(record) : work(record, signal),
    );
    Readable.from(numbered(100)).pipe(stage);
    for await (const _ of stage) break;
    expect(signals.length).toBeGreaterThan(0);
    expect(signals.every((signal) => signal.aborted)).toBe(true);
  });

  test("takes no heed of work that ends later, well or badly", async () => {
    const settle: ((fail: boolean) => void)[] = [];
    const work: Work = (record) =>
      new Promise((resolve, reject) => {
        settle.push((fail) => (fail ? reject(new Error("late")) : resolve(record)));
      });
    const stage = parallel(work);
    const run = caught(nodePipeline(Readable.from(numbered(10)), stage, collector().stream));
    while (settle.length < 10) await turns(1);
    stage.destroy(new Error("enough"));
    expect((await run).message).toBe("enough");
    for (const [index, end] of settle.entries()) end(index % 2 === 0);
    await turns(3);
  });
});
