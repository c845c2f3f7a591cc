/** What becomes of records that fail, and of a run whose dead letters do. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline as nodePipeline } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import { pipeline } from "../src/pipeline.ts";
import { write } from "../src/sinks/write.ts";
import { read } from "../src/sources/read.ts";
import { map } from "../src/transforms/map.ts";
import { caught, collector, letterBox, numbered, script, texts, turns } from "./streams.ts";
import { folder, readRows, rows, TIMED, writeLines } from "./support.ts";

type Numbered = { readonly id: number };

const odd = ({ id }: Numbered) => {
  if (id % 2 === 1) throw new Error("odd");
  return { id };
};

async function* slowly() {
  for (const record of numbered(20_000)) {
    yield record;
    await turns(1);
  }
}

describe("without a sink for dead letters", () => {
  test("the first record that fails fails the run, and the message says which it was", async () => {
    const path = writeLines(join(folder(), "in.ndjson"), numbered(10));
    const { records, stream } = collector();
    const error = await caught(pipeline(read(path), odd, stream));
    expect(error).toMatchObject({ code: "stage_failed", report: { deadLettered: 0 } });
    expect(error.message).toBe(`${path}:2: map: the function threw Error: odd`);
    expect(records.length).toBeLessThanOrEqual(1);
  });

  test("a broken line and a record that cannot be written fail the run the same way", async () => {
    const path = writeLines(join(folder(), "in.ndjson"), [{ id: 1 }, "x"]);
    expect((await caught(pipeline(read(path), collector().stream))).message).toMatch(`${path}:2: The line is not`);
    const whole = writeLines(join(folder(), "in.ndjson"), numbered(1));
    const unwritable = pipeline(read(whole), ({ id }) => ({ id: BigInt(id) }), write(join(folder(), "out.ndjson")));
    expect((await caught(unwritable)).message).toMatch(`${whole}:1: The record cannot be written as JSON: /id`);
  });
});

describe("a file of dead letters", () => {
  test("holds each failed record with its error, stage and source", async () => {
    const dir = folder();
    const path = writeLines(join(dir, "in.ndjson"), [{ id: 0 }, "x", { id: 1 }]);
    const deadLetters = write(join(dir, "failed.ndjson"));
    const report = await pipeline(read(path), odd, write(join(dir, "out.ndjson")), { deadLetters });
    expect(readRows(join(dir, "failed.ndjson"))).toEqual([
      {
        error: { code: "invalid_json", message: "The line is not valid JSON.", status: null, attempts: 0 },
        stage: "read",
        source: { file: path, line: 2, byteOffset: 9 },
        record: null,
        raw: "x",
      },
      {
        error: { code: "stage_failed", message: "map: the function threw Error: odd", status: null, attempts: 0 },
        stage: "map",
        source: { file: path, line: 3, byteOffset: 11 },
        record: { id: 1 },
      },
    ]);
    expect(report).toMatchObject({ read: 3, written: 1, deadLettered: 2 });
    expect(readdirSync(dir).sort()).toEqual(["failed.ndjson", "in.ndjson", "out.ndjson"]);
  });

  test("is not made when there are none, and a stale one is removed when the run succeeds", async () => {
    const dir = folder();
    const path = join(dir, "failed.ndjson");
    writeFileSync(path, "stale\n");
    writeFileSync(`${path}.partial`, "stale\n");
    await pipeline(numbered(3), write(join(dir, "out.ndjson")), { deadLetters: write(path) });
    expect(readdirSync(dir)).toEqual(["out.ndjson"]);
  });

  test("stays as it was, beside the new partial one, when the run fails", async () => {
    const dir = folder();
    const path = join(dir, "failed.ndjson");
    writeFileSync(path, "stale\n");
    const breaking = map(({ id }: Numbered) => {
      if (id === 2) process.nextTick(() => breaking.destroy(new Error("enough")));
      return odd({ id });
    });
    await caught(pipeline(numbered(1_000), breaking, write(join(dir, "out.ndjson")), { deadLetters: write(path) }));
    expect(readFileSync(path, "utf8")).toBe("stale\n");
    expect(readRows(`${path}.partial`).map(({ record }) => record?.id)).toContain(1);
  });

  test("stays as it was when the run fails without any", async () => {
    const dir = folder();
    writeFileSync(join(dir, "failed.ndjson"), "stale\n");
    const abort = new AbortController();
    abort.abort();
    await caught(
      pipeline(numbered(1), collector().stream, {
        deadLetters: write(join(dir, "failed.ndjson")),
        signal: abort.signal,
      }),
    );
    expect(readdirSync(dir)).toEqual(["failed.ndjson"]);
  });

  test("shows a record that JSON cannot hold as it prints", async () => {
    const path = join(folder(), "failed.ndjson");
    const fails = () => {
      throw new Error("no");
    };
    const long = { id: 7n, text: "x".repeat(5_000) };
    await pipeline([{ id: 10n }, long, { at: new Map([[1, 2]]) }], fails, collector().stream, {
      deadLetters: write(path),
    });
    const letters = readRows(path);
    expect(letters.map(({ record }) => record)).toEqual([null, null, null]);
    expect(letters.map(({ raw }) => raw?.slice(0, 12))).toEqual(["{ id: 10n }", "{\n  id: 7n,\n", "{ at: Map(1)"]);
    for (const { raw } of letters) expect(raw?.length).toBeLessThanOrEqual(1_024);
  });

  test("takes a record that is as deep as one may be", async () => {
    const path = join(folder(), "failed.ndjson");
    const deep = `{"id":1,"a":${"[".repeat(511)}${"]".repeat(511)}}\n`;
    const report = await pipeline(read(texts([deep])), () => undefined, collector().stream, {
      deadLetters: write(path),
    });
    expect(report).toMatchObject({ read: 1, deadLettered: 1 });
    expect(readRows(path)).toMatchObject([{ error: { code: "returned_nothing" } }]);
  });
});

describe("a stream of dead letters of another make", () => {
  test("gets NDJSON when it takes bytes, the letters themselves when it takes objects, and is ended", async () => {
    const bytes = new PassThrough();
    const [lines] = await Promise.all([
      text(bytes),
      pipeline(numbered(5), odd, collector().stream, { deadLetters: bytes }),
    ]);
    expect(rows(lines).map(({ record }) => record?.id)).toEqual([1, 3]);
    const { letters, stream } = letterBox();
    await pipeline(numbered(5), odd, collector().stream, { deadLetters: stream });
    expect(letters.map(({ record }) => record)).toEqual([{ id: 1 }, { id: 3 }]);
    expect(stream.writableFinished).toBe(true);
  });

  test("is left open by Node's own pipeline: whoever made it ends it", async () => {
    const { letters, stream: deadLetters } = letterBox();
    await nodePipeline(read(numbered(5), { deadLetters }), map(odd, { deadLetters }), collector().stream);
    expect(letters).toHaveLength(2);
    expect(deadLetters.writableEnded).toBe(false);
  });

  test("given to a stage wins over that of the run", async () => {
    const [own, runs] = [letterBox(), letterBox()];
    const even = map(({ id }: Numbered) => (id === 2 ? undefined : { id }));
    const report = await pipeline(numbered(5), map(odd, { deadLetters: own.stream }), even, collector().stream, {
      deadLetters: runs.stream,
    });
    expect(own.letters.map(({ record }) => record)).toEqual([{ id: 1 }, { id: 3 }]);
    expect(runs.letters.map(({ record }) => record)).toEqual([{ id: 2 }]);
    expect(report.deadLettered).toBe(3);
  });
});

describe("thousands of failures", () => {
  test("wait for a slow sink, with bounded memory and without a warning", async () => {
    const { stdout, stderr, code } = await script(
      `
      import { Writable } from "node:stream";
      import { pipeline } from "./src/index.ts";
      import { Parallel } from "./src/transforms/parallel.ts";
      import { asStage, Stage } from "./src/stage.ts";
      import { failure } from "./src/errors.ts";
      let given = 0, taken = 0, ahead = 0;
      function* records() {
        while (given < 5000) yield { id: given++, text: "x".repeat(1000) };
      }
      const slow = () => new Writable({
        objectMode: true,
        write(_, __, callback) {
          taken++;
          ahead = Math.max(ahead, given - taken);
          setImmediate(callback);
        },
      });
      class Failing extends Parallel {
        stage = new Stage("failing");
        constructor() {
          super(async (record) => {
            this.stage.report.in++;
            await this.stage.reject(failure("refused", "no"), { record });
            return Symbol.for("millrace.drop");
          }, { width: 300, maxBytes: 1 << 30, ordered: true });
          asStage(this, this.stage);
        }
      }
      for (const stage of [() => { throw new Error("no"); }, new Failing()]) {
        given = taken = ahead = 0;
        const report = await pipeline(records(), stage, slow(), { deadLetters: slow() });
        console.log(JSON.stringify({ letters: report.deadLettered, taken, ahead }));
      }
      `,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [one, many] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(one).toMatchObject({ letters: 5_000, taken: 5_000 });
    expect(one.ahead).toBeLessThan(60);
    expect(many).toMatchObject({ letters: 5_000, taken: 5_000 });
    expect(many.ahead).toBeLessThan(400);
  });
});

describe("dead letters that cannot be written", () => {
  const breaks: Record<string, () => Writable> = {
    "because the disk is full": () => write("/dev/full") as Writable,
    "because their file cannot be made": () => write("/dev/null/failed.ndjson") as Writable,
    "because their stream fails": () =>
      new Writable({
        objectMode: true,
        highWaterMark: 1,
        write: (_letter, _, callback) => callback(new Error("full")),
      }),
    "because their stream fails later": () =>
      new Writable({
        objectMode: true,
        highWaterMark: 1,
        write: (_letter, _, callback) => void setImmediate(callback, new Error("full")),
      }),
    "because their stream takes bytes and fails": () =>
      new Writable({ write: (_letter, _, callback) => callback(new Error("full")) }),
    "because their stream was destroyed": () => new PassThrough().destroy(),
    "because their stream is destroyed meanwhile": () => {
      const stream: Writable = new Writable({ objectMode: true, highWaterMark: 1, write: () => void stream.destroy() });
      return stream;
    },
    "because their stream fails at its end": () =>
      new Writable({
        objectMode: true,
        write: (_letter, _, callback) => callback(),
        final: (callback) => callback(new Error("full")),
      }),
  };
  for (const [why, make] of Object.entries(breaks)) {
    test(`${why} fail the run`, async () => {
      const dir = folder();
      const out = join(dir, "out.ndjson");
      const error = await caught(pipeline(slowly(), odd, write(out), { deadLetters: make() }));
      // A place that cannot be is known before anything is read.
      const mistaken = why.endsWith("made");
      const read = mistaken ? 0 : expect.any(Number);
      expect(error).toMatchObject({ code: mistaken ? "invalid_option" : "sink_failed", report: { read } });
      // A stream that fails at its end does so when the output is complete.
      expect(existsSync(out)).toBe(why.endsWith("end"));
    });

    test(`${why} fail a stage in Node's own pipeline with sink_failed`, async () => {
      const deadLetters = make();
      const stage = map(odd, { deadLetters });
      const run = nodePipeline(read(slowly()), stage, collector().stream);
      if (why.endsWith("end")) return await run;
      expect(await caught(run)).toMatchObject({ code: "sink_failed" });
    });
  }

  test("stalled, do not keep an aborted run from ending", TIMED, async () => {
    const abort = new AbortController();
    const deadLetters = new Writable({ objectMode: true, highWaterMark: 1, write: () => {} });
    const run = caught(pipeline(numbered(50), odd, collector().stream, { deadLetters, signal: abort.signal }));
    await turns(10);
    const abortedAt = performance.now();
    abort.abort();
    expect(await run).toMatchObject({ code: "aborted" });
    expect(performance.now() - abortedAt).toBeLessThan(50);
    expect(deadLetters.destroyed).toBe(true);
  });
});
