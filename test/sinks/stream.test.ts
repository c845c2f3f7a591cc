/** Streams of the user's own, and stdout, as sinks. */

import { once } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { pipeline as nodePipeline } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import { pipeline } from "../../src/pipeline.ts";
import { write } from "../../src/sinks/write.ts";
import { read } from "../../src/sources/read.ts";
import { caught, collector, numbered, stalled, startScript, turns } from "../streams.ts";
import { rows, TIMED } from "../support.ts";

/** A byte stream that keeps its text. */
function bytes() {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, callback) {
      chunks.push(chunk);
      setImmediate(callback);
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

const gives = {
  "write()": (stream: Writable) => write(stream),
  "the stream itself": (stream: Writable) => stream,
};

describe("a Writable of the user's own", () => {
  for (const [how, sink] of Object.entries(gives)) {
    test(`gets NDJSON when it takes bytes, and is ended, given ${how}`, async () => {
      const { stream, text } = bytes();
      const report = await pipeline(numbered(1_000), sink(stream));
      expect(rows(text())).toEqual(numbered(1_000));
      expect(stream.writableFinished).toBe(true);
      expect(report.written).toBe(1_000);
    });

    test(`gets the records themselves when it takes objects, and is ended, given ${how}`, async () => {
      const { stream, records } = collector();
      const given = numbered(100);
      const report = await pipeline(given, sink(stream));
      expect(records.every((record, index) => record === given[index])).toBe(true);
      expect(stream.writableFinished).toBe(true);
      expect(report.written).toBe(100);
    });

    test(`that fails makes the run fail with sink_failed and its error, given ${how}`, async () => {
      for (const objectMode of [true, false]) {
        const fails = (_record: unknown, _encoding: string, callback: (error: Error) => void) =>
          callback(new Error("full"));
        const error = await caught(pipeline(numbered(100), sink(new Writable({ objectMode, write: fails }))));
        expect(error).toMatchObject({ code: "sink_failed", cause: { message: "full" }, report: { written: 0 } });
      }
    });

    test(`that fails at its end makes the run fail with sink_failed, given ${how}`, async () => {
      for (const objectMode of [true, false]) {
        const final = (callback: (error: Error) => void) => callback(new Error("not closed"));
        const stream = new Writable({ objectMode, final, write: (_record, _encoding, callback) => callback() });
        const error = await caught(pipeline(numbered(100), sink(stream)));
        expect(error).toMatchObject({ code: "sink_failed", cause: { message: "not closed" } });
      }
    });

    test(`that is destroyed while it writes makes the run fail with sink_failed, given ${how}`, async () => {
      for (const objectMode of [true, false]) {
        for (const reason of [undefined, new Error("gone")]) {
          const stream: Writable = new Writable({ objectMode, write: () => void stream.destroy(reason) });
          expect(await caught(pipeline(numbered(100), sink(stream)))).toMatchObject({ code: "sink_failed" });
        }
      }
    });

    test(`that is stalled is destroyed when the run is aborted, given ${how}`, TIMED, async () => {
      for (const objectMode of [true, false]) {
        const stream = new Writable({ objectMode, write: () => {} });
        const abort = new AbortController();
        const run = caught(pipeline(numbered(1_000), sink(stream), { signal: abort.signal }));
        await turns(20);
        const abortedAt = performance.now();
        abort.abort();
        expect(await run).toMatchObject({ code: "aborted" });
        expect(performance.now() - abortedAt).toBeLessThan(50);
        expect(stream.destroyed).toBe(true);
      }
    });
  }

  test("gets NDJSON in object mode where the format says so", async () => {
    const { stream, records } = collector();
    await pipeline(numbered(3), write(stream, { format: "ndjson" }));
    expect(rows(records.join(""))).toEqual(numbered(3));
  });

  test("works in Node's own pipeline, where the dead letters are an option", async () => {
    const { stream, text } = bytes();
    const { stream: deadLetters, records: letters } = collector();
    await nodePipeline(read([{ id: 1 }, { id: 2n }, { id: 3 }]), write(stream, { deadLetters }));
    expect(rows(text())).toEqual([{ id: 1 }, { id: 3 }]);
    expect(letters).toMatchObject([{ error: { code: "unserializable" }, stage: "write" }]);
    expect(deadLetters.writableEnded).toBe(false);
  });

  test("may fail before anything is written to it: that fails the run, and not the process", async () => {
    const stream = new PassThrough();
    const sink = write(stream);
    stream.destroy(new Error("gone"));
    await turns(3);
    expect(await caught(pipeline(numbered(3), sink))).toMatchObject({ code: "sink_failed" });
  });

  test("that is stalled is not written ahead of, however slowly the records come", async () => {
    const { stream, records } = stalled();
    const sink = write(stream, { format: "ndjson" });
    const record = { text: "x".repeat(1_000) };
    let accepted = 0;
    while (accepted < 5_000 && sink.writableLength < sink.writableHighWaterMark) {
      sink.write(record);
      accepted++;
      await turns(1);
    }
    // A kilobyte each: what is held here, and as much on its way.
    expect(accepted).toBeLessThan(400);
    expect(records).toHaveLength(1);
    sink.destroy();
  });

  test("loses nothing that comes while it is writing", async () => {
    const { stream, text } = bytes();
    const sink = write(stream);
    for (const record of numbered(2_000)) {
      if (!sink.write(record)) await once(sink, "drain");
      if (record.id % 7 === 0) await null;
      if (record.id % 31 === 0) await turns(1);
    }
    sink.end();
    await once(sink, "finish");
    expect(rows(text())).toEqual(numbered(2_000));
    expect(sink.report.out).toBe(2_000);
  });
});

describe("a web WritableStream", () => {
  for (const how of ["write()", "the stream itself"]) {
    test(`gets the records and is closed, given ${how}`, async () => {
      const records: unknown[] = [];
      let closed = false;
      const stream = new WritableStream({
        write: (record) => void records.push(record),
        close: () => {
          closed = true;
        },
      });
      const report = await pipeline(numbered(10), how === "write()" ? write(stream) : stream);
      expect(records).toEqual(numbered(10));
      expect(closed).toBe(true);
      expect(report.written).toBe(10);
    });
  }

  test("that fails makes the run fail with sink_failed", async () => {
    const stream = new WritableStream({ write: () => Promise.reject(new Error("full")) });
    expect(await caught(pipeline(numbered(10), stream))).toMatchObject({ code: "sink_failed" });
  });
});

describe("stdout", () => {
  test("gets NDJSON for -, and is left open", async () => {
    const { ended } = startScript(`
      import { pipeline, write } from "./src/index.ts";
      for (const sink of [write("-"), process.stdout, write(process.stdout)]) await pipeline([{ id: 1 }], sink);
      console.log("more");
    `);
    expect(await ended).toMatchObject({ code: 0, stdout: '{"id":1}\n{"id":1}\n{"id":1}\nmore\n', stderr: "" });
  });

  test("whose reader has left fails the run with sink_failed, caused by EPIPE", async () => {
    const { child, ended } = startScript(`
      import { pipeline, write } from "./src/index.ts";
      async function* records() {
        for (let id = 0; ; id++) {
          yield { id };
          if (id % 100 === 0) await new Promise(setImmediate);
        }
      }
      await pipeline(records(), write("-")).catch(({ code, cause, report }) =>
        console.error(JSON.stringify({ code, cause: cause.code, some: report.written > 0 })));
    `);
    await once(child.stdout, "data");
    child.stdout.destroy();
    const { code, stderr } = await ended;
    expect(JSON.parse(stderr)).toEqual({ code: "sink_failed", cause: "EPIPE", some: true });
    expect(code).toBe(0);
  });
});
