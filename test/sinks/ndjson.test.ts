/** What is written can be read again, or is told not to be; and it is ndjson that writes it. */

import { createRequire } from "node:module";
import { join } from "node:path";
import { Transform } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pipeline } from "../../src/pipeline.ts";
import { write } from "../../src/sinks/write.ts";
import { read } from "../../src/sources/read.ts";
import { collector, letterBox, taken } from "../streams.ts";
import { folder } from "../support.ts";

/** Writes records as NDJSON and gives the text. */
async function written(records: readonly object[]) {
  const chunks: string[] = [];
  const { letters, stream } = letterBox();
  const sink = new Transform({ transform: (chunk, _, callback) => callback(null, void chunks.push(String(chunk))) });
  const report = await pipeline(records, write(sink.resume()), { deadLetters: stream });
  return { text: chunks.join(""), letters, report };
}

const nested = (levels: number): object => (levels === 1 ? {} : { in: nested(levels - 1) });

describe("a record that is written and read again", () => {
  const dictionary = fc.dictionary(
    fc.string({ unit: "binary" }),
    fc.jsonValue({ stringUnit: "binary", noUnicodeString: false } as object),
  );

  test("is what it was, whatever JSON it holds", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(dictionary, { maxLength: 8 }), async (records) => {
        const { text, letters } = await written(records);
        expect(letters).toEqual([]);
        const again = await taken([text], { maxDepth: 1_000 });
        expect(again.records.map((record) => JSON.stringify(record))).toEqual(
          records.map((record) => JSON.stringify(record)),
        );
      }),
      { numRuns: 200 },
    );
  });

  test("goes through a file the same", async () => {
    const path = join(folder(), "out.ndjson");
    const records = fc.sample(dictionary, { numRuns: 300, seed: 7 });
    await pipeline(records, write(path));
    const { stream, records: again } = collector();
    await pipeline(read(path), stream);
    expect(again.map((record) => JSON.stringify(record))).toEqual(records.map((record) => JSON.stringify(record)));
  });

  test("is what JSON makes of it, or a dead letter: nothing of it is changed in silence", async () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
    });
    const odd = fc.oneof(
      anything,
      fc.constant(() => 1),
      fc.constant(Symbol("s")),
      fc.constant(Promise.resolve()),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(odd, { maxLength: 8 }), async (values) => {
        const records = values.map((value, id) => ({ id, value }));
        const { text, letters, report } = await written(records);
        const rows = text
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line));
        expect(rows).toEqual(rows.map(({ id }) => JSON.parse(JSON.stringify(records[id]))));
        for (const { error } of letters) expect(error.code).toBe("unserializable");
        expect(rows.length + letters.length).toBe(records.length);
        expect(report).toMatchObject({ written: rows.length, deadLettered: letters.length });
      }),
      { numRuns: 200 },
    );
  });

  test("has its dates as text, what its toJSON gives, and one object in as many places as it was", async () => {
    const shared = { a: [1] };
    const record = {
      at: new Date(0),
      url: new URL("https://example.org/a"),
      left: undefined,
      shared,
      again: [shared, shared],
    };
    const { text } = await written([record, { toJSON: () => ({ given: shared, twice: shared }) }]);
    expect(text).toBe(`${JSON.stringify(record)}\n{"given":{"a":[1]},"twice":{"a":[1]}}\n`);
  });

  test("keeps a lone surrogate and a field named __proto__", async () => {
    const record = JSON.parse('{"__proto__":{"a":1},"half":"\\ud83d"}');
    const { text } = await written([record]);
    expect(text).toBe('{"__proto__":{"a":1},"half":"\\ud83d"}\n');
    expect(JSON.stringify((await taken([text])).records[0])).toBe(JSON.stringify(record));
  });

  test("may be nested 512 levels", async () => {
    const { text, letters } = await written([nested(512)]);
    expect(letters).toEqual([]);
    expect((await taken([text])).records).toHaveLength(1);
  });
});

describe("a record that JSON cannot hold", () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  test.each<[string, unknown]>([
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["a BigInt", 10n],
    ["a cycle", cycle],
    ["a function", () => {}],
    ["a toJSON that throws", { toJSON: () => JSON.parse("SECRET") }],
    ["600 levels", nested(600)],
    ["a Map", new Map([["SECRET", 1]])],
    ["a promise", Promise.resolve("SECRET")],
  ])("because it holds %s goes to the dead letters; the others are written", async (_, value) => {
    const { text, letters } = await written([{ id: 1 }, { id: 2, value }, { id: 3 }]);
    expect(text).toBe('{"id":1}\n{"id":3}\n');
    expect(letters).toMatchObject([{ error: { code: "unserializable" }, stage: "write", record: null }]);
    expect(letters[0]?.error.message).toMatch(/^The record cannot be written as JSON: /);
    expect(letters[0]?.error.message).not.toContain("SECRET");
    expect(letters[0]?.raw).toMatch(/id: 2/);
    expect(letters[0]?.raw?.length).toBeLessThanOrEqual(1_024);
  });
});

test("every line is made by ndjson's stringify", async () => {
  const ndjson: { stringify: (...args: unknown[]) => Transform } = createRequire(import.meta.url)("ndjson");
  const { stringify } = ndjson;
  let made = 0;
  ndjson.stringify = (...args) => {
    const stream = stringify(...args);
    const transform = stream._transform;
    stream._transform = (...args) => {
      made++;
      transform.apply(stream, args);
    };
    return stream;
  };
  try {
    await written([{ id: 1 }, { id: 2n }, { id: 3 }]);
  } finally {
    ndjson.stringify = stringify;
  }
  expect(made).toBe(2);
});
