/** Whole runs: what may stand in them, and what they report. */

import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Duplex, PassThrough, Readable, Writable } from "node:stream";
import { pipeline as nodePipeline } from "node:stream/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { definePipeline, pipeline, type StageInput, startRun } from "../src/pipeline.ts";
import { drop } from "../src/record.ts";
import { route } from "../src/sinks/route.ts";
import { write } from "../src/sinks/write.ts";
import { read } from "../src/sources/read.ts";
import { batch } from "../src/transforms/batch.ts";
import { filter } from "../src/transforms/filter.ts";
import { flatMap, map } from "../src/transforms/map.ts";
import { caught, collector, letterBox, numbered, texts, turns } from "./streams.ts";
import { folder, readRows, writeLines } from "./support.ts";

type Numbered = { readonly id: number };

const same = (record: Numbered) => record;

/** Every kind of stage that passes records on as they are. */
const kinds: Record<string, () => StageInput> = {
  "a function": () => same,
  "an async function": () => async (record: Numbered) => record,
  "a generator": () =>
    function* (record: Numbered) {
      yield record;
    },
  "an async generator": () =>
    async function* (records: AsyncIterable<Numbered>) {
      yield* records;
    },
  "map()": () => map(same),
  "filter()": () => filter(() => true),
  "flatMap()": () => flatMap((record: Numbered) => [record]),
  "a Transform": () => new PassThrough({ objectMode: true }),
  "a web TransformStream": () => new TransformStream(),
  "a Duplex of a generator": () =>
    Duplex.from(async function* (records: AsyncIterable<Numbered>) {
      yield* records;
    }),
};

describe("a pipeline", () => {
  const names = Object.keys(kinds);
  test.each(names)("takes %s before and after every other kind of stage", async (name) => {
    const stages = [kinds[name], ...names.flatMap((other) => [kinds[other], kinds[name]])];
    const { records, stream } = collector();
    const report = await pipeline(numbered(50), ...stages.map((make) => make!()), stream);
    expect(records).toEqual(numbered(50));
    expect(report).toMatchObject({ read: 50, written: 50, dropped: 0, deadLettered: 0, unfinished: 0 });
  });

  test("takes transforms made with the readable-stream package", async () => {
    const { Transform: Foreign } = createRequire(createRequire(import.meta.url).resolve("ndjson"))("readable-stream");
    const foreign = () =>
      new Foreign({
        objectMode: true,
        transform(record: Numbered, _encoding: string, callback: (error: Error | null, record?: Numbered) => void) {
          if (record.id === 60) callback(new RangeError("no"));
          else callback(null, record);
        },
      });
    const { records, stream } = collector();
    await pipeline(numbered(50), foreign(), same, foreign(), foreign(), new TransformStream(), foreign(), stream);
    expect(records).toEqual(numbered(50));
    const error = await caught(pipeline(numbered(100), same, foreign(), collector().stream));
    expect(error).toMatchObject({ code: "stage_failed", cause: { name: "RangeError" } });
  });

  test("has stages that work in Node's own, too, among Node's", async () => {
    const dir = folder();
    const path = writeLines(join(dir, "in.ndjson"), numbered(50));
    const out = join(dir, "out.ndjson");
    await nodePipeline([
      read(path),
      filter(({ id }: Numbered) => id !== 3),
      new PassThrough({ objectMode: true }),
      map(({ id }: Numbered) => ({ id: id + 1 })),
      async function* (records: AsyncIterable<unknown>) {
        yield* records;
      } as never,
      flatMap((record: Numbered) => [record, record]),
      batch(2),
      map((records: Numbered[]) => records[0]),
      write(out),
    ]);
    expect(readRows(out)).toEqual(
      numbered(50)
        .filter(({ id }) => id !== 3)
        .map(({ id }) => ({ id: id + 1 })),
    );
  });

  const first = async function* (records: AsyncIterable<Numbered>) {
    for await (const record of records) {
      yield record;
      if (record.id === 2) return;
    }
  };

  test("ends with an async generator that ends before its source does", async () => {
    const input = Readable.from(numbered(1_000), { highWaterMark: 4 });
    const { records, stream } = collector();
    await pipeline(input, first, same, stream);
    expect(records).toEqual(numbered(3));
    await expect.poll(() => input.destroyed).toBe(true);
  });

  test("fails, and does not wait for ever, when an async generator ends before the stages in front of it do", async () => {
    const run = pipeline(numbered(1_000), same, first, collector().stream);
    expect(await caught(run)).toMatchObject({
      code: "stage_failed",
      message: "A stage failed: it closed before its end. An async generator must take all its records.",
    });
  });

  test("of a source and a sink alone copies", async () => {
    const { records, stream } = collector();
    expect(await pipeline(numbered(3), stream)).toMatchObject({ read: 3, written: 3 });
    expect(records).toEqual(numbered(3));
  });

  const source = () => numbered(1);
  const sink = () => collector().stream;
  const misuse: [string, () => unknown[], RegExp][] = [
    ["nothing", () => [], /give at least a source and a sink/],
    ["a source alone", () => [source()], /give at least a source and a sink/],
    ["a source and options", () => [source(), {}], /give at least a source and a sink/],
    ["a function first", () => [same, sink()], /The first stage must be a source/],
    ["a sink first", () => [sink(), sink()], /The first stage must be a source/],
    ["a function last", () => [source(), same], /Stage 2, the last one, must be a sink/],
    ["a source last", () => [source(), read("a.ndjson")], /Stage 2, the last one, must be a sink/],
    ["a map() last", () => [source(), map(same)], /must be a sink/],
    ["a Transform last", () => [source(), same, new PassThrough()], /Stage 3, the last one, must be a sink/],
    ["undefined last", () => [source(), same, undefined], /Stage 3, the last one, must be a sink/],
    ["a sink in the middle", () => [source(), sink(), sink()], /Stage 2 must be a Transform/],
    ["a source in the middle", () => [source(), read("a.ndjson"), sink()], /Stage 2 must be a Transform/],
    ["a number in the middle", () => [source(), 7, sink()], /Stage 2 must be a Transform/],
    [
      "a misspelt option",
      () => [source(), sink(), { deadletters: sink() }],
      /pipeline\(\) has no option "deadletters"\. Did you mean "deadLetters"\?/,
    ],
    [
      "an unknown option",
      () => [source(), sink(), { x: 1 }],
      /It knows deadLetters, store, maxCost, prices, signal, stop\./,
    ],
  ];
  test.each(misuse)("refuses %s", async (_, args, message) => {
    const error = await caught(pipeline(...(args() as [StageInput, StageInput])));
    expect(error).toMatchObject({ code: "invalid_option", kind: "configuration" });
    expect(error.message).toMatch(message);
  });

  test("refuses a stage of ours that gives records as its last one", async () => {
    const { Parallel } = await import("../src/transforms/parallel.ts");
    const { asStage, Stage } = await import("../src/stage.ts");
    const stage = asStage(
      new Parallel(async (record) => record, { width: 1, maxBytes: 1, ordered: true }),
      new Stage("own"),
    );
    expect(await caught(pipeline(numbered(1), stage as unknown as Writable))).toMatchObject({ code: "invalid_option" });
  });

  test("is defined in a file by a description and its stages", () => {
    const definition = { description: "Copies.", stages: () => [] };
    expect(definePipeline(definition)).toBe(definition);
    expect(() => definePipeline({ ...definition, stage: 1 } as typeof definition)).toThrow(/Did you mean "stages"\?/);
    expect(() => definePipeline({ description: "x" } as typeof definition)).toThrow(/`stages` must be a function/);
  });
});

describe("the report", () => {
  test("counts what each stage took, gave, dropped and failed at", async () => {
    const path = writeLines(join(folder(), "in.ndjson"), [...numbered(10), "broken", { id: 10 }]);
    const odd = ({ id }: Numbered) => (id % 2 === 1 ? undefined : { id });
    const stages = [
      filter(({ id }: Numbered) => id < 8),
      new PassThrough({ objectMode: true }),
      odd,
      map(({ id }: Numbered) => (id === 0 ? drop : { id })),
    ];
    const report = await pipeline(read(path), ...stages, collector().stream, { deadLetters: letterBox().stream });
    expect(report).toEqual({
      bytesRead: statSync(path).size,
      bytesTotal: statSync(path).size,
      inFlight: 0,
      allowed: 0,
      waiting: 0,
      heldBy: null,
      backingOff: 0,
      lanes: [],
      latencyMs: null,
      unknownUsage: 0,
      read: 12,
      written: 3,
      deadLettered: 5,
      failures: { invalid_json: 1, returned_nothing: 4 },
      dropped: 4,
      unfinished: 0,
      cached: 0,
      requests: 0,
      retries: 0,
      rateLimited: 0,
      waitedMs: 0,
      heldBackMs: {},
      headOfLineMs: 0,
      peakConcurrency: 0,
      limits: [],
      usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
      cost: 0,
      costAtMost: 0,
      pricesDate: null,
      elapsedMs: expect.any(Number),
      stages: [
        { name: "read", in: 12, out: 11, dropped: 0, deadLettered: 1 },
        { name: "filter", in: 11, out: 8, dropped: 3, deadLettered: 0 },
        { name: "PassThrough", in: 8, out: 8, dropped: 0, deadLettered: 0 },
        { name: "map", in: 8, out: 4, dropped: 0, deadLettered: 4 },
        { name: "map 2", in: 4, out: 3, dropped: 1, deadLettered: 0 },
        { name: "write", in: 3, out: 3, dropped: 0, deadLettered: 0 },
      ],
    });
  });

  /** What a stage does with a record, by the record's number. */
  const doings = {
    pass: same,
    renew: ({ id }: Numbered) => ({ id }),
    drop: () => drop,
    throw: () => {
      throw new Error("no");
    },
    forget: () => undefined,
    unwritable: ({ id }: Numbered) => ({ id, big: 1n }),
  } satisfies Record<string, (record: Numbered) => unknown>;
  type Doing = keyof typeof doings;

  const faults = fc.record({
    lines: fc.array(fc.constantFrom("record", "record", "record", "broken", "blank"), { maxLength: 60 }),
    stages: fc.array(
      fc.record({
        kind: fc.constantFrom("function", "async", "filter", "generator"),
        doings: fc.array(fc.constantFrom<Doing>("pass", "pass", "renew", ...(Object.keys(doings) as Doing[])), {
          minLength: 1,
          maxLength: 7,
        }),
      }),
      { maxLength: 4 },
    ),
    sink: fc.constantFrom("write", "route"),
  });

  test("accounts for every record: read = written + dropped + dead-lettered", async () => {
    await fc.assert(
      fc.asyncProperty(faults, async ({ lines, stages, sink }) => {
        const text = lines
          .map((line, id) => ({ record: `{"id":${id}}\n`, broken: "{\n", blank: " \n" })[line])
          .join("");
        const made = stages.map(({ kind, doings: list }) => {
          const act = (record: Numbered): unknown => doings[list[record.id % list.length]!](record);
          if (kind === "filter") return filter((record: Numbered) => act(record) !== drop);
          if (kind === "async") return async (record: Numbered) => act(record);
          if (kind === "function") return act;
          return function* (record: Numbered) {
            yield act(record);
          };
        });
        const outputs = [new Lines(), new Lines()] as const;
        const [a, b] = outputs.map((output) => write(output));
        const { letters, stream: deadLetters } = letterBox();
        const last =
          sink === "write"
            ? a!
            : route(({ id }: Numbered) => (id % 5 === 0 ? drop : id % 7 === 0 ? "none" : id % 2 === 0 ? "a" : "b"), {
                a: a!,
                b: b!,
              });
        const report = await pipeline(texts([text]), ...made, last, { deadLetters });
        const rows = outputs.flatMap(({ lines }) => lines);
        expect(report.read).toBe(lines.filter((line) => line !== "blank").length);
        expect(report.read).toBe(report.written + report.dropped + report.deadLettered);
        expect(report.unfinished).toBe(0);
        expect(report.written).toBe(rows.length);
        expect(report.deadLettered).toBe(letters.length);
        expect(sum(Object.values(report.failures))).toBe(letters.length);
        // None is in two places, and each that failed is told by its own line.
        const ids = [...rows.map(({ id }) => id), ...letters.map(({ source }) => (source?.line ?? 0) - 1)];
        expect(new Set(ids).size).toBe(ids.length);
        for (const { record, source } of letters) {
          if (record !== null) expect((record as Numbered).id).toBe((source?.line ?? 0) - 1);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("can be seen while the run goes on", async () => {
    const seen: number[] = [];
    const run = startRun([
      numbered(5),
      async (record: Numbered) => {
        await turns(2);
        seen.push(run.report().read);
        return record;
      },
      collector().stream,
    ]);
    const report = await run.done;
    expect(seen.every((read) => read >= 1 && read <= 5)).toBe(true);
    expect(run.report()).toMatchObject({ read: 5, written: 5 });
    expect(report.elapsedMs).toBeGreaterThanOrEqual(0);
  });
});

/** Records on and on, one a turn. */
async function* _endless() {
  for (let id = 0; ; id++) {
    yield { id };
    await turns(1);
  }
}

/** Lets through some records, then acts. */
const _actingAt = (count: number, act: () => void) => (record: Numbered) => {
  if (record.id === count) act();
  return record;
};

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Takes NDJSON and keeps its records. */
class Lines extends Writable {
  #text = "";

  get lines(): Numbered[] {
    return this.#text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#text += chunk;
    callback();
  }
}
