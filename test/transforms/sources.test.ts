/** What our stages remember of records, and how they work among others. */

import { Readable, Transform } from "node:stream";
import { pipeline as nodePipeline } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import { read } from "../../src/sources/read.ts";
import { batch } from "../../src/transforms/batch.ts";
import { filter } from "../../src/transforms/filter.ts";
import { flatMap, map } from "../../src/transforms/map.ts";
import { collector, letterBox, numbered } from "../streams.ts";
import { type Numbered, run } from "./run.ts";

describe("a dead letter's source", () => {
  const fails = () => {
    throw new Error("no");
  };

  test("is right after stages that make new objects, mutate, filter and await", async () => {
    const { letters } = await run(
      9,
      ({ id }: Numbered) => ({ id, made: 1 }),
      filter(({ id }: Numbered) => id % 2 === 0),
      async (record: Numbered) => Object.assign(record, { changed: true }),
      map((record: Numbered) => structuredClone(record)),
      fails,
    );
    expect(letters.map(({ source, record }) => [source?.line, (record as Numbered).id])).toEqual([
      [1, 0],
      [3, 2],
      [5, 4],
      [7, 6],
      [9, 8],
    ]);
  });

  test("is right after a foreign stage that passes objects on, absent after one that makes new ones", async () => {
    const foreign = (change: (record: Numbered) => Numbered) =>
      new Transform({ objectMode: true, transform: (record, _, callback) => callback(null, change(record)) });
    const same = await run(
      3,
      foreign((record) => record),
      fails,
    );
    expect(same.letters.map(({ source }) => source?.line)).toEqual([1, 2, 3]);
    const other = await run(
      3,
      foreign((record) => ({ ...record })),
      fails,
    );
    expect(other.letters.map(({ source }) => source)).toEqual([null, null, null]);
  });

  test("is absent for one constant object that stands for many records", async () => {
    const constant = { id: 0 };
    const held: unknown[] = [];
    const hold = new Transform({
      objectMode: true,
      transform(record, _, callback) {
        held.push(record);
        callback();
      },
      flush(callback) {
        for (const record of held) this.push(record);
        callback();
      },
    });
    const { letters } = await run(3, () => constant, hold, fails);
    expect(letters.map(({ source }) => source)).toEqual([null, null, null]);
  });
});

test("our stages work in Node's own pipeline", async () => {
  const { records, stream } = collector();
  const { letters, stream: deadLetters } = letterBox();
  const odd = map((record: Numbered) => (record.id === 4 ? undefined : { id: record.id + 1 }), { deadLetters });
  const two = flatMap((record: Numbered) => [record, record]);
  await nodePipeline(
    Readable.from(numbered(6)),
    filter(({ id }: Numbered) => id % 2 === 0),
    odd,
    two,
    batch(2),
    stream,
  );
  expect(records).toEqual([
    [{ id: 1 }, { id: 1 }],
    [{ id: 3 }, { id: 3 }],
  ]);
  expect(letters).toMatchObject([{ stage: "map", source: null, record: { id: 4 } }]);
  expect(odd.report).toMatchObject({ in: 3, out: 2, deadLettered: 1, failures: { returned_nothing: 1 } });
});

test("a slow sink holds every stage back", async () => {
  let given = 0;
  let taken = 0;
  let ahead = 0;
  function* records() {
    while (given < 400) yield { id: given++ };
  }
  const sink = new Transform({
    objectMode: true,
    highWaterMark: 1,
    transform(_record, _encoding, callback) {
      taken++;
      ahead = Math.max(ahead, given - taken);
      setImmediate(callback);
    },
  }).resume();
  const stages = Array.from({ length: 3 }, () => map((record: Numbered) => record));
  await nodePipeline([read(records()), ...stages, sink]);
  expect(taken).toBe(400);
  expect(ahead).toBeLessThan(50);
});
