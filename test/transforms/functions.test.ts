/** map, filter, flatMap and batch: what functions give, forget and throw. */

import { join } from "node:path";
import { pipeline as nodePipeline } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import { failure } from "../../src/errors.ts";
import { drop } from "../../src/record.ts";
import { read } from "../../src/sources/read.ts";
import { batch } from "../../src/transforms/batch.ts";
import { filter } from "../../src/transforms/filter.ts";
import { flatMap, map } from "../../src/transforms/map.ts";
import { caught, collector, numbered, turns } from "../streams.ts";
import { folder, writeLines } from "../support.ts";
import { type Numbered, run } from "./run.ts";

const ids = (records: readonly Numbered[]) => records.map(({ id }) => id);

describe("map", () => {
  test("passes on what its function gives, sync or async, in order, one at a time", async () => {
    let running = 0;
    const slow = async ({ id }: Numbered) => {
      expect(++running).toBe(1);
      await turns(id % 3);
      running--;
      return { id: id * 2 };
    };
    for (const fn of [({ id }: Numbered) => ({ id: id * 2 }), slow]) {
      const { records } = await run(20, map(fn));
      expect(ids(records)).toEqual(numbered(20).map(({ id }) => id * 2));
    }
  });

  test("is what a plain function in a pipeline is", async () => {
    const { records, report } = await run(3, ({ id }: Numbered) => ({ id: -id }));
    expect(ids(records)).toEqual([-0, -1, -2]);
    expect(report.stages[1]).toEqual({ name: "map", in: 3, out: 3, dropped: 0, deadLettered: 0 });
  });

  test("drops a record for which its function gives `drop`", async () => {
    for (const fn of [(r: Numbered) => (r.id === 1 ? drop : r), async (r: Numbered) => (r.id === 1 ? drop : r)]) {
      const { records, report } = await run(3, map(fn));
      expect(ids(records)).toEqual([0, 2]);
      expect(report).toMatchObject({ read: 3, written: 2, dropped: 1 });
    }
  });

  test("passes on values that are no objects: text, numbers, false, 0", async () => {
    const values = ["text", 7, false, 0, ""];
    const { records } = await run(
      5,
      map(({ id }: Numbered) => values[id]),
    );
    expect(records).toEqual(values);
  });

  const failing: [string, (record: Numbered) => unknown, string, string][] = [
    ["throws", () => JSON.parse("{"), "stage_failed", "map: the function threw SyntaxError: "],
    [
      "rejects",
      async () => Promise.reject(new TypeError("no")),
      "stage_failed",
      "map: the function threw TypeError: no",
    ],
    [
      "throws what is no error",
      () => {
        throw "text";
      },
      "stage_failed",
      "map: the function threw text",
    ],
    ["gives undefined", () => undefined, "returned_nothing", "map: the function returned undefined for this record."],
    ["gives null", () => null, "returned_nothing", "map: the function returned null"],
    ["gives a promise of undefined", async () => {}, "returned_nothing", "map: the function returned undefined"],
    [
      "throws an error of ours",
      () => {
        throw failure("missing_content", "none");
      },
      "missing_content",
      "none",
    ],
  ];
  test.each(failing)(
    "dead-letters a record for which its function %s, with its line; the others go on",
    async (_, fn, code, message) => {
      const { records, letters, report } = await run(
        5,
        map((record: Numbered) => (record.id === 2 ? fn(record) : record)),
      );
      expect(ids(records)).toEqual([0, 1, 3, 4]);
      expect(letters).toMatchObject([
        { error: { code }, stage: "map", source: { line: 3, byteOffset: 18 }, record: { id: 2 } },
      ]);
      expect(letters[0]?.error.message).toContain(message);
      expect(report).toMatchObject({ read: 5, written: 4, deadLettered: 1, failures: { [code]: 1 } });
    },
  );

  test("fails the run at once for an error that is wrong for every record", async () => {
    let calls = 0;
    const stage = map(() => {
      calls++;
      throw failure("missing_key", "Set the key.");
    });
    expect(await caught(run(50, stage))).toMatchObject({ code: "missing_key", report: { deadLettered: 0 } });
    expect(calls).toBe(1);
  });

  test("takes whatever has a `then` as a promise", async () => {
    const { records } = await run(
      3,
      // biome-ignore lint/suspicious/noThenProperty: as query builders have it.
      map((record: Numbered) => ({ then: (give: (value: unknown) => void) => give(record) })),
    );
    expect(ids(records)).toEqual([0, 1, 2]);
  });

  test("without a sink for dead letters fails with the line in the message", async () => {
    const path = writeLines(join(folder(), "in.ndjson"), numbered(5));
    const stage = map((record: Numbered) => (record.id === 3 ? undefined : record));
    const error = await caught(nodePipeline(read(path), stage, collector().stream));
    expect(error).toMatchObject({ code: "returned_nothing" });
    expect(error.message).toMatch(`${path}:4: map: the function returned undefined`);
  });

  test("refuses an unknown option", () => {
    expect(() => map(() => 1, { deadletters: 1 } as object)).toThrow(
      /map\(\) has no option "deadletters"\. Did you mean "deadLetters"\?/,
    );
    expect(() => filter(() => 1, { dead: 1 } as object)).toThrow(/filter\(\) has no option "dead"/);
    expect(() => flatMap(() => [], { x: 1 } as object)).toThrow(/flatMap\(\) has no option "x"/);
  });
});

describe("filter", () => {
  test("passes on records for which its function gives what is truthy, and counts the others as dropped", async () => {
    for (const keep of [({ id }: Numbered) => id % 3, async ({ id }: Numbered) => id % 3]) {
      const { records, report } = await run(10, filter(keep));
      expect(ids(records)).toEqual([1, 2, 4, 5, 7, 8]);
      expect(report).toMatchObject({ read: 10, written: 6, dropped: 4 });
    }
  });

  test("takes undefined and null for no", async () => {
    for (const nothing of [() => undefined, () => null, async () => undefined]) {
      expect((await run(3, filter(nothing))).report).toMatchObject({ written: 0, dropped: 3, deadLettered: 0 });
    }
  });

  test("dead-letters a record for which its function throws", async () => {
    const keep = ({ id }: Numbered) => {
      if (id === 1) throw new Error("no");
      return true;
    };
    const { records, letters } = await run(3, filter(keep));
    expect(ids(records)).toEqual([0, 2]);
    expect(letters).toMatchObject([{ error: { code: "stage_failed" }, stage: "filter", source: { line: 2 } }]);
  });
});

describe("flatMap", () => {
  test("passes on as many records as its generator yields, in order, each with the line that it came of", async () => {
    function* twice({ id }: Numbered) {
      for (let at = 0; at < id; at++) yield { id, at };
    }
    const fails = () =>
      map((record: Numbered & { at: number }) => {
        if (record.at === 1) throw new Error("no");
        return record;
      });
    for (const stage of [flatMap(twice), twice]) {
      const { records, letters, report } = await run(4, stage, fails());
      expect(records).toEqual([
        { id: 1, at: 0 },
        { id: 2, at: 0 },
        { id: 3, at: 0 },
        { id: 3, at: 2 },
      ]);
      expect(letters.map(({ source }) => source?.line)).toEqual([3, 4]);
      expect(report.stages[1]).toMatchObject({ name: "flatMap", in: 4, out: 6 });
    }
  });

  test("takes a function that gives an array", async () => {
    expect(
      ids(
        (
          await run(
            2,
            flatMap((r: Numbered) => [r, r]),
          )
        ).records,
      ),
    ).toEqual([0, 0, 1, 1]);
  });

  test("drops what is `drop`, and dead-letters a record of which it yields nothing that can go on", async () => {
    function* stage(record: Numbered) {
      yield { id: record.id * 10 };
      if (record.id === 1) yield drop;
      if (record.id === 2) yield null;
      if (record.id === 3) yield undefined;
      if (record.id === 4) throw new Error("no");
    }
    const { records, letters, report } = await run(6, stage);
    // All or nothing: a record is not both written and dead-lettered.
    expect(ids(records)).toEqual([0, 10, 50]);
    expect(letters.map(({ error, source }) => [error.code, source?.line])).toEqual([
      ["returned_nothing", 3],
      ["returned_nothing", 4],
      ["stage_failed", 5],
    ]);
    expect(report).toMatchObject({ read: 6, written: 3, dropped: 1, deadLettered: 3 });
  });

  test("dead-letters a record of which nothing can be iterated", async () => {
    const { letters } = await run(2, flatMap((() => undefined) as unknown as () => []));
    expect(letters).toHaveLength(2);
  });
});

describe("batch", () => {
  test("gathers records into arrays, the last one shorter", async () => {
    const { records, report } = await run(7, batch(3));
    expect(records).toEqual([numbered(7).slice(0, 3), numbered(7).slice(3, 6), numbered(7).slice(6)]);
    expect(report.stages[1]).toMatchObject({ name: "batch", in: 7, out: 3 });
  });

  test("gives nothing of nothing, and no empty batch at the end", async () => {
    expect((await run(0, batch(3))).records).toEqual([]);
    expect((await run(6, batch(3))).records).toHaveLength(2);
  });

  test("undone by a generator it leaves the records as they were", async () => {
    const { records } = await run(10, batch(4), function* (records: unknown) {
      yield* records as Numbered[];
    });
    expect(records).toEqual(numbered(10));
  });

  test.each([0, -1, 1.5, Number.NaN, "3", undefined])("refuses the size %s", (size) => {
    expect(() => batch(size as number)).toThrow(/batch\(\): the size must be a whole number from 1 up/);
  });
});
