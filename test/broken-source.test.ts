/** A source that cannot be read to its end: what came before goes all the way, and nothing looks complete. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Transform, Writable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { failure } from "../src/errors.ts";
import { type PipelineOptions, pipeline, type StageInput } from "../src/pipeline.ts";
import type { Provider } from "../src/providers/provider.ts";
import { route } from "../src/sinks/route.ts";
import { write } from "../src/sinks/write.ts";
import { analyze } from "../src/transforms/analyze.ts";
import { batch } from "../src/transforms/batch.ts";
import { caught, collector, letterBox, numbered, turns } from "./streams.ts";
import { articles, cli, environment, folder, readRows, simulator, writeLines } from "./support.ts";
import { asked, ownProvider, type Reply } from "./transforms/own-provider.ts";

type Numbered = { readonly id: number };

/** Gives all its records in one go, then breaks: nearly all of them are still under way when it does. */
function* breaking(count: number) {
  yield* numbered(count);
  throw new Error("the cable");
}

/** Answers after so many turns of the event loop. */
const slowProvider = (count: number) =>
  ownProvider(async (request) => {
    await turns(count);
    return { text: asked(request) };
  });
const analysis = (provider: Provider) =>
  analyze({
    provider,
    prompt: ({ id }: Numbered) => `q${id}`,
    output: ({ id }: Numbered) => ({ id }),
    concurrency: 4,
  });

async function failed(stages: readonly StageInput[], options: PipelineOptions = {}) {
  const error = await caught(pipeline(...([...stages, options] as unknown as [StageInput, StageInput])));
  expect(error).toMatchObject({ code: "source_failed", message: expect.stringContaining("the cable") });
  return error as unknown as { report: { read: number; written: number; unfinished: number; deadLettered: number } };
}

/** Gives what it took when there is no more. */
function keeping(): Transform {
  const kept: unknown[] = [];
  return new Transform({
    objectMode: true,
    transform(record, _encoding, callback) {
      kept.push(record);
      callback();
    },
    flush(callback) {
      for (const record of kept) this.push(record);
      callback();
    },
  });
}

/** Each record in its own time. */
const lingering = async (record: Numbered) => {
  await turns(2);
  return record;
};

describe("a source that breaks", () => {
  const stages: Record<string, () => StageInput[]> = {
    "no stage at all": () => [],
    "calls in flight and more that wait for one": () => [analysis(slowProvider(5))],
    "a function that takes its time": () => [lingering],
    "a generator of all records": () => [
      async function* (records: AsyncIterable<unknown>) {
        for await (const record of records) yield await lingering(record as Numbered);
      },
    ],
    "a Transform that keeps all until its end": () => [keeping()],
  };
  test.each(Object.keys(stages))(
    "with %s behind it: each record before that is written, and the output not complete",
    async (name) => {
      const path = join(folder(), "out.ndjson");
      const { report } = await failed([breaking(100), ...(stages[name]?.() ?? []), write(path)]);
      expect(readRows(`${path}.partial`)).toEqual(numbered(100));
      expect(existsSync(path)).toBe(false);
      expect(report).toMatchObject({ read: 100, written: 100, unfinished: 0 });
    },
  );

  test("leaves a last batch, a routed record and a stream of the user's own with nothing missing", async () => {
    const dir = folder();
    await failed([breaking(25), batch(10), write(join(dir, "batches.ndjson"))]);
    expect(readRows(join(dir, "batches.ndjson.partial"))).toHaveLength(3);
    const sinks = { even: write(join(dir, "even.csv")), odd: write(join(dir, "odd.json.gz")) };
    await failed([breaking(25), route(({ id }: Numbered) => (id % 2 === 0 ? "even" : "odd"), sinks)]);
    expect(readFileSync(join(dir, "even.csv.partial"), "utf8").trim().split("\n")).toHaveLength(14);
    for (const name of ["batches.ndjson", "even.csv", "odd.json.gz"]) expect(existsSync(join(dir, name))).toBe(false);
    const { records, stream } = collector();
    await failed([breaking(25), analysis(slowProvider(2)), stream]);
    expect(records).toEqual(numbered(25));
    expect(stream.writableFinished).toBe(false);
    let text = "";
    const bytes = new Writable({
      write(chunk, _encoding, callback) {
        text += chunk;
        callback();
      },
    });
    await failed([breaking(25), write(bytes, { format: "csv" })]);
    expect(text.trim().split("\n")).toHaveLength(26);
  });

  test("leaves all dead letters, also where they are slow, and no file of them under its full name", async () => {
    const fails = ({ id }: Numbered) => {
      if (id % 2 === 1) throw new Error("odd");
      return { id };
    };
    const dir = folder();
    const path = join(dir, "failed.ndjson");
    const { report } = await failed([breaking(100), analysis(slowProvider(1)), fails, collector().stream], {
      deadLetters: write(path),
    });
    expect(report).toMatchObject({ read: 100, written: 50, deadLettered: 50, unfinished: 0 });
    expect(readRows(`${path}.partial`)).toHaveLength(50);
    expect(existsSync(path)).toBe(false);
    const { letters, stream } = letterBox();
    const slow = new Writable({
      objectMode: true,
      write: (letter, _, callback) => void turns(2).then(() => stream.write(letter, () => callback())),
    });
    await failed([breaking(100), fails, collector().stream], { deadLetters: slow });
    expect(letters).toHaveLength(50);
  });

  test("is told rather than that all its few records failed at the provider", async () => {
    const provider = ownProvider(() => {
      throw failure("invalid_request", "400", { status: 400 });
    });
    const asking = analyze({ provider, prompt: () => "q", concurrency: 2 });
    const { report } = await failed([breaking(3), asking, collector().stream], { deadLetters: letterBox().stream });
    expect(report.deadLettered).toBe(3);
  });

  test("does not keep a fault behind it, or an abort, from ending the run at once", async () => {
    const full = new Writable({ objectMode: true, write: (_record, _, callback) => callback(new Error("full")) });
    expect(await caught(pipeline(breaking(10), analysis(slowProvider(2)), full))).toMatchObject({
      code: "sink_failed",
    });
    const abort = new AbortController();
    const provider = ownProvider(() => new Promise(() => {}));
    const run = caught(pipeline(breaking(10), analysis(provider), collector().stream, { signal: abort.signal }));
    while (provider.requests.length < 4) await turns(1);
    abort.abort();
    expect(await run).toMatchObject({ code: "aborted" });
  });

  test("lets a stop release what waits for a call while the rest is under way", async () => {
    const stop = new AbortController();
    const { records, stream } = collector();
    const { promise: answered, resolve: answer } = Promise.withResolvers<Reply>();
    const provider = ownProvider(() => answered);
    const run = caught(pipeline(breaking(12), analysis(provider), stream, { stop: stop.signal }));
    while (provider.requests.length < 4) await turns(1);
    await turns(5);
    stop.abort();
    answer({ text: "a" });
    expect(await run).toMatchObject({ code: "source_failed" });
    expect(records).toEqual(numbered(4));
  });
});

test("the command line keeps every paid answer to a cut archive, and exits 3", async () => {
  const cwd = folder();
  const server = await simulator({ latency: 100 });
  writeLines(join(cwd, "whole.ndjson"), articles(40));
  const whole = readFileSync(join(cwd, "whole.ndjson"));
  const packed = gzipSync(whole);
  writeFileSync(join(cwd, "in.ndjson.gz"), Buffer.concat([packed, packed.subarray(0, packed.length - 30)]));
  const ended = await cli(["analyze", "in.ndjson.gz", "-o", "out.ndjson", "-c", "8"], {
    cwd,
    env: environment(server.url, "anthropic"),
  });
  expect(ended.code).toBe(3);
  expect(ended.stderr).toContain("it is cut");
  const rows = readRows(join(cwd, "out.ndjson.partial"));
  // The second half repeats the first: the store answers it.
  expect(rows.length).toBeGreaterThan(40);
  expect((await server.stats()).requests).toBe(40);
  expect(existsSync(join(cwd, "out.ndjson"))).toBe(false);
});
