/** Each record to the sink that a function names. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline as nodePipeline } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import { pipeline } from "../../src/pipeline.ts";
import { drop } from "../../src/record.ts";
import { route } from "../../src/sinks/route.ts";
import { write } from "../../src/sinks/write.ts";
import { read } from "../../src/sources/read.ts";
import { caught, collector, letterBox, numbered, turns } from "../streams.ts";
import { folder, readRows, rows, writeLines } from "../support.ts";

type Numbered = { readonly id: number };
const parity = ({ id }: Numbered) => (id % 2 === 0 ? "even" : "odd");

describe("route", () => {
  test("sends each record to the sink that its function names, sync or async, and finishes when all have", async () => {
    const dir = folder();
    for (const choose of [parity, async (record: Numbered) => parity(record)]) {
      const sinks = { even: write(join(dir, "even.ndjson")), odd: write(join(dir, "odd.ndjson")) };
      const report = await pipeline(numbered(101), route(choose, sinks));
      expect(readRows(join(dir, "even.ndjson"))).toEqual(numbered(101).filter(({ id }) => id % 2 === 0));
      expect(readRows(join(dir, "odd.ndjson"))).toEqual(numbered(101).filter(({ id }) => id % 2 === 1));
      expect(report).toMatchObject({ read: 101, written: 101, unfinished: 0 });
    }
  });

  test("takes streams of other makes: of bytes, of objects", async () => {
    const even = new PassThrough();
    const { stream: odd, records } = collector();
    const [report, lines] = await Promise.all([pipeline(numbered(10), route(parity, { even, odd })), text(even)]);
    expect(rows(lines).map(({ id }) => id)).toEqual([0, 2, 4, 6, 8]);
    expect(records).toHaveLength(5);
    expect(report.written).toBe(10);
  });

  test("counts what is dropped, and dead-letters a throw and a name that no sink has", async () => {
    const { letters, stream } = letterBox();
    const { stream: kept, records } = collector();
    const choose = ({ id }: Numbered): unknown => {
      if (id === 1) return drop;
      if (id === 2) throw new TypeError("no");
      if (id === 3) return "toString";
      if (id === 4) return undefined;
      if (id === 5) return Object.create(null);
      return "kept";
    };
    const path = writeLines(join(folder(), "in.ndjson"), numbered(8));
    const report = await pipeline(read(path), route(choose, { kept }), { deadLetters: stream });
    expect(records).toEqual([{ id: 0 }, { id: 6 }, { id: 7 }]);
    expect(report).toMatchObject({ read: 8, written: 3, dropped: 1, deadLettered: 4 });
    expect(letters.map(({ error, source, stage }) => [error.message, source?.line, stage])).toEqual([
      ["route: the function threw TypeError: no", 3, "route"],
      [`route: there is no sink 'toString'. There are: kept.`, 4, "route"],
      ["route: there is no sink undefined. There are: kept.", 5, "route"],
      ["route: there is no sink [Object: null prototype] {}. There are: kept.", 6, "route"],
    ]);
  });

  test("tells a long name only in part: it may be an article's text", async () => {
    const { letters, stream } = letterBox();
    const choose = () => "x".repeat(5_000);
    await pipeline(numbered(1), route(choose, { a: collector().stream }), { deadLetters: stream });
    expect(letters[0]?.error.message.length).toBeLessThan(150);
  });

  test("dead-letters what one of its sinks cannot write", async () => {
    const { letters, stream } = letterBox();
    const dir = folder();
    const report = await pipeline(
      [{ id: 1 }, { id: 2n }],
      route(() => "a", { a: write(join(dir, "a.ndjson")) }),
      { deadLetters: stream },
    );
    expect(letters).toMatchObject([{ error: { code: "unserializable" }, stage: "write" }]);
    expect(report).toMatchObject({ read: 2, written: 1, deadLettered: 1 });
  });

  test("fails as a whole when one of its sinks does; the others keep their partial files", async () => {
    const dir = folder();
    const full = new Writable({ objectMode: true, write: (_record, _, callback) => callback(new Error("full")) });
    const sink = route(({ id }: Numbered) => (id < 50 ? "a" : "full"), { a: write(join(dir, "a.ndjson")), full });
    const error = await caught(pipeline(numbered(100), sink));
    expect(error).toMatchObject({ code: "sink_failed", cause: { message: "full" } });
    expect(readdirSync(dir)).toEqual(["a.ndjson.partial"]);
    expect(readRows(join(dir, "a.ndjson.partial"))).toEqual(numbered(50));
  });

  test("opens all its sinks before anything is read, and leaves none when one cannot be", async () => {
    const dir = folder();
    const sink = route(() => "a", { a: write(join(dir, "a.ndjson")), b: write("/dev/null/b.ndjson") });
    let read = false;
    function* records() {
      read = true;
      yield { id: 1 };
    }
    expect(await caught(pipeline(records(), sink))).toMatchObject({ code: "invalid_option" });
    expect(read).toBe(false);
    expect(readdirSync(dir)).toEqual([]);
  });

  test("waits for a slow sink", async () => {
    let most = 0;
    const slow: Writable = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write(_record, _, callback) {
        most = Math.max(most, slow.writableLength);
        setImmediate(callback);
      },
    });
    await pipeline(
      numbered(200),
      route(() => "slow", { slow }),
    );
    expect(most).toBeLessThanOrEqual(2);
  });

  test("leaves partial files when the run is stopped", async () => {
    const dir = folder();
    const stop = new AbortController();
    async function* records() {
      for (const record of numbered(1_000)) {
        if (record.id === 10) stop.abort();
        yield record;
        await turns(1);
      }
    }
    const { stream } = collector();
    const sink = route(parity, { even: write(join(dir, "even.ndjson")), odd: stream });
    expect(await caught(pipeline(records(), sink, { stop: stop.signal }))).toMatchObject({ code: "aborted" });
    expect(readdirSync(dir)).toEqual(["even.ndjson.partial"]);
    expect(existsSync(join(dir, "even.ndjson"))).toBe(false);
  });

  test("works in Node's own pipeline", async () => {
    const { stream: even, records } = collector();
    await nodePipeline(read(numbered(4)), route(parity, { even, odd: collector().stream }));
    expect(records).toEqual([{ id: 0 }, { id: 2 }]);
  });

  test("wants at least one sink", () => {
    expect(() => route(() => "a", {})).toThrow(/give at least one sink by name/);
  });
});
