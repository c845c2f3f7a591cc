/** How runs end before their end: aborted, stopped, failed. */

import { getEventListeners } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable, Transform, Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { isMillraceError } from "../src/errors.ts";
import { type PipelineOptions, pipeline, type StageInput } from "../src/pipeline.ts";
import { write } from "../src/sinks/write.ts";
import { read } from "../src/sources/read.ts";
import { batch } from "../src/transforms/batch.ts";
import { map } from "../src/transforms/map.ts";
import { caught, collector, letterBox, numbered, script, timesOpen, turns } from "./streams.ts";
import { folder, readRows, TIMED, writeLines } from "./support.ts";

type Numbered = { readonly id: number };
type Report = Awaited<ReturnType<typeof pipeline>>;

const same = (record: Numbered) => record;

/** Records on and on, one a turn. */
async function* endless() {
  for (let id = 0; ; id++) {
    yield { id };
    await turns(1);
  }
}

/** Lets through some records, then acts. */
const actingAt = (count: number, act: () => void) => (record: Numbered) => {
  if (record.id === count) act();
  return record;
};

describe("an aborted run", () => {
  test("rejects with `aborted`, destroys every stage, and leaves no listener on the user's signals", async () => {
    const dir = folder();
    const [abort, stop] = [new AbortController(), new AbortController()];
    const stages = [
      read(endless()),
      map(actingAt(20, () => abort.abort(new Error("enough")))),
      new PassThrough({ objectMode: true }),
      batch(2),
      write(join(dir, "out.ndjson")),
    ] as const;
    const { stream: deadLetters } = letterBox();
    const error = await caught(pipeline(...stages, { signal: abort.signal, stop: stop.signal, deadLetters }));
    expect(error).toMatchObject({ code: "aborted", message: "The run was aborted.", cause: { message: "enough" } });
    for (const stage of [...stages, deadLetters]) expect(stage.destroyed).toBe(true);
    for (const { signal } of [abort, stop]) expect(getEventListeners(signal, "abort")).toEqual([]);
    expect(existsSync(join(dir, "out.ndjson"))).toBe(false);
    expect(error).toHaveProperty("report.read", expect.any(Number));
  });

  test("leaves no listener when it ends well, or was aborted before it began", async () => {
    for (const aborted of [false, true]) {
      const [abort, stop] = [new AbortController(), new AbortController()];
      if (aborted) abort.abort();
      let asked = false;
      function* records() {
        asked = true;
        yield { id: 1 };
      }
      const { stream } = collector();
      const run = pipeline(records(), same, stream, { signal: abort.signal, stop: stop.signal });
      if (aborted) expect(await caught(run)).toMatchObject({ code: "aborted", report: { read: 0 } });
      else await run;
      for (const { signal } of [abort, stop]) expect(getEventListeners(signal, "abort")).toEqual([]);
      expect(asked).toBe(!aborted);
      expect(stream.destroyed).toBe(true);
    }
  });

  test("ends within 50 ms though a function, a stream and a sink never answer", TIMED, async () => {
    const never = () => new Promise<never>(() => {});
    const stalls: (() => StageInput[])[] = [
      () => [new PassThrough(), same, collector().stream],
      () => [{ [Symbol.asyncIterator]: () => ({ next: never, return: never }) }, collector().stream],
      () => [numbered(9), never, collector().stream],
      () => [numbered(9), new Transform({ objectMode: true, transform: () => {} }), collector().stream],
      () => [numbered(9), new Writable({ objectMode: true, write: () => {} })],
      () => [numbered(9), new Writable({ write: () => {} })],
      () => [numbered(9), new WritableStream({ write: never })],
      () => [new ReadableStream({ pull: never }), collector().stream],
    ];
    for (const make of stalls) {
      const abort = new AbortController();
      const run = caught(pipeline(...(make() as [StageInput, StageInput]), { signal: abort.signal }));
      await turns(20);
      const abortedAt = performance.now();
      abort.abort();
      expect(await run).toMatchObject({ code: "aborted" });
      expect(performance.now() - abortedAt).toBeLessThan(50);
    }
  });

  test("closes its files", async () => {
    const dir = folder();
    const path = writeLines(join(dir, "in.ndjson"), numbered(100_000));
    const out = join(dir, "out.ndjson");
    const abort = new AbortController();
    await caught(
      pipeline(
        read(path),
        actingAt(500, () => abort.abort()),
        write(out),
        { signal: abort.signal },
      ),
    );
    for (const file of [path, out, `${out}.partial`]) await expect.poll(() => timesOpen(file)).toBe(0);
    const rows = readRows(`${out}.partial`);
    expect(rows).toEqual(numbered(rows.length));
  });

  test("lets the process end by itself", async () => {
    const path = writeLines(join(folder(), "in.ndjson"), numbered(20_000));
    const { code, stdout, stderr } = await script(
      `
      import { pipeline, read, write } from "./src/index.ts";
      const abort = new AbortController();
      const later = (record) => {
        if (record.id === 50) abort.abort();
        return record;
      };
      const [input, output] = process.argv.slice(1);
      await pipeline(read(input), later, write(output), { signal: abort.signal })
        .catch((error) => console.log(error.code));
      console.log(JSON.stringify(process.getActiveResourcesInfo().filter((name) => name !== "PipeWrap")));
      `,
      { args: [path, join(folder(), "out.ndjson")] },
    );
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^aborted\n/);
    expect(stdout).not.toMatch(/Timeout|Immediate/);
    expect(code).toBe(0);
  });
});

describe("a run that is stopped", () => {
  test("reads no more, finishes what is under way, and leaves whole lines under the partial name", async () => {
    const dir = folder();
    const stop = new AbortController();
    const path = writeLines(join(dir, "in.ndjson"), numbered(5_000));
    const out = join(dir, "out.ndjson");
    const error = await caught(
      pipeline(
        read(path),
        actingAt(100, () => stop.abort()),
        write(out),
        { stop: stop.signal },
      ),
    );
    const { report } = error as unknown as { report: Report };
    expect(error).toMatchObject({ code: "aborted" });
    const rows = readRows(`${out}.partial`);
    expect(rows).toEqual(numbered(rows.length));
    expect(rows.length).toBeGreaterThan(100);
    expect(report).toMatchObject({ read: rows.length, written: rows.length, unfinished: 0 });
    expect(existsSync(out)).toBe(false);
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
  });

  test("reads nothing when it is stopped before it begins", async () => {
    const dir = folder();
    const stop = new AbortController();
    stop.abort();
    const input = new PassThrough();
    const error = await caught(pipeline(input, write(join(dir, "out.ndjson")), { stop: stop.signal }));
    expect(error).toMatchObject({ code: "aborted", report: { read: 0, unfinished: 0 } });
    expect(readdirSync(dir)).toEqual([]);
    expect(input.destroyed).toBe(true);
  });

  test("does not wait for a source that is stalled", TIMED, async () => {
    const stop = new AbortController();
    const input = new PassThrough();
    input.write('{"id":0}\n{"id":1}\n');
    const { records, stream } = collector();
    const run = caught(pipeline(input, same, stream, { stop: stop.signal }));
    while (records.length < 2) await turns(1);
    const stoppedAt = performance.now();
    stop.abort();
    expect(await run).toMatchObject({ code: "aborted", report: { read: 2, written: 2, unfinished: 0 } });
    expect(performance.now() - stoppedAt).toBeLessThan(50);
    expect(input.destroyed).toBe(true);
  });

  test("can still be aborted", async () => {
    const [abort, stop] = [new AbortController(), new AbortController()];
    const never = () => new Promise(() => {});
    const run = caught(pipeline(numbered(5), never, collector().stream, { signal: abort.signal, stop: stop.signal }));
    await turns(5);
    stop.abort();
    await turns(5);
    abort.abort();
    expect(await run).toMatchObject({ code: "aborted", report: { written: 0, unfinished: expect.any(Number) } });
  });
});

describe("a run that fails", () => {
  const foreign: Record<string, () => StageInput> = {
    "a Transform": () =>
      new Transform({ objectMode: true, transform: (_record, _, callback) => callback(new RangeError("no")) }),
    "a Transform that is destroyed": () => {
      const stage: Transform = new Transform({
        objectMode: true,
        transform: () => void stage.destroy(new RangeError("no")),
      });
      return stage;
    },
    "an async generator": () =>
      async function* (records: AsyncIterable<unknown>) {
        for await (const _ of records) throw new RangeError("no");
        yield 1;
      },
    "a web TransformStream": () =>
      new TransformStream({
        transform: () => {
          throw new RangeError("no");
        },
      }),
  };
  test.each(Object.keys(foreign))("in %s fails with stage_failed, its cause and the report", async (name) => {
    const { stream } = collector();
    const source = read(numbered(100));
    const error = await caught(pipeline(source, same, foreign[name]!(), same, stream));
    expect(isMillraceError(error)).toBe(true);
    expect(error).toMatchObject({ code: "stage_failed", message: "A stage failed: no", cause: { name: "RangeError" } });
    expect(error).toHaveProperty("report.written", 0);
    expect(source.destroyed).toBe(true);
    expect(stream.destroyed).toBe(true);
  });

  test("before it has begun fails with that error, and does not end the process", async () => {
    const late = () => {
      const stage = new PassThrough({ objectMode: true });
      process.nextTick(() => stage.destroy(new Error("no")));
      return stage;
    };
    const out = () => write(join(folder(), "out.ndjson"));
    expect(await caught(pipeline(numbered(5), late(), out()))).toMatchObject({ code: "stage_failed" });
    expect(await caught(pipeline(late(), out()))).toMatchObject({ code: "source_failed" });
  });

  test("calls the return of its source once, and waits for its clean-up no longer than it must", async () => {
    const calls: string[] = [];
    let id = 0;
    const source: AsyncIterable<Numbered> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: { id: id++ } }),
        return: async () => {
          calls.push("return");
          return { done: true, value: undefined };
        },
      }),
    };
    const fails = actingAt(10, () => {
      throw new Error("no");
    });
    expect(await caught(pipeline(source, fails, collector().stream))).toMatchObject({ code: "stage_failed" });
    await turns(2);
    expect(calls).toEqual(["return"]);
    expect(id).toBeLessThan(40);
  });

  test("says what was done by then", async () => {
    const { records, stream } = collector();
    const run = pipeline(
      numbered(100),
      actingAt(40, () => {
        throw new Error("no");
      }),
      stream,
    );
    const { report } = (await caught(run)) as unknown as { report: Report };
    expect(report.written).toBe(records.length);
    expect(report.unfinished).toBe(report.read - report.written);
    expect(report.read).toBeGreaterThanOrEqual(41);
  });

  test("keeps the first of two errors", async () => {
    const source = Readable.from(endless());
    const fails = actingAt(5, () => {
      throw new Error("first");
    });
    const sink = new Writable({
      objectMode: true,
      write: (_record, _, callback) => callback(),
      destroy: (_error, callback) => callback(new Error("second")),
    });
    const error = await caught(pipeline(source, fails, sink));
    expect(error.message).toContain("first");
  });

  test("and has options of the wrong kind is told so", async () => {
    for (const options of [{ signal: "x" }, { stop: {} }, { deadLetters: "failed.ndjson" }]) {
      const error = await caught(pipeline(numbered(1), collector().stream, options as unknown as PipelineOptions));
      expect(error).toMatchObject({ code: "invalid_option" });
    }
  });
});
