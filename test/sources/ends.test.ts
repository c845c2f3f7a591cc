/** Sources whose readers are slow, fast, or leave: nothing is lost, nothing stays open. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";
import { pipeline as nodePipeline } from "node:stream/promises";
import { beforeAll, describe, expect, test } from "vitest";
import type { Input } from "../../src/sources/input.ts";
import { read } from "../../src/sources/read.ts";
import { caught, gathered, letterBox, numbered, startScript, taken, texts, timesOpen, turns } from "../streams.ts";
import { folder } from "../support.ts";

const COUNT = 3_000;
const TEXT = numbered(COUNT)
  .map((record) => `${JSON.stringify(record)}\n`)
  .join("");
const SMALL_CHUNKS = TEXT.match(/.{1,100}/gs) ?? [];

function file(): string {
  const path = join(folder(), "in.ndjson");
  writeFileSync(path, TEXT);
  return path;
}

describe("every record comes, and in order,", () => {
  /** Fast and slow by turns: a wake-up that comes between two of them must not be lost. */
  const alternating = async (source: Readable) => {
    const records: unknown[] = [];
    for await (const record of source) {
      records.push(record);
      if (records.length % 100 > 90) await turns(1);
      else if (records.length % 7 === 0) await undefined;
    }
    return records;
  };
  const reading = async (source: Readable) => {
    const records: unknown[] = [];
    await new Promise((resolve) => {
      source.on("end", resolve).on("readable", () => {
        for (let record = source.read(); record !== null; record = source.read()) records.push(record);
      });
    });
    return records;
  };
  const flowing = async (source: Readable) => {
    const records: unknown[] = [];
    source.on("data", (record) => {
      records.push(record);
      if (records.length % 50 !== 0) return;
      source.pause();
      if (records.length % 100 === 0) source.resume();
      else setImmediate(() => source.resume());
    });
    await new Promise((resolve) => source.on("end", resolve));
    return records;
  };
  const piped = async (source: Readable) => {
    const records: unknown[] = [];
    const sink = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write(record, _, callback) {
        records.push(record);
        if (records.length % 3 === 0) queueMicrotask(callback);
        else if (records.length % 50 === 0) setImmediate(callback);
        else callback();
      },
    });
    await nodePipeline(source, sink);
    return records;
  };
  const takers = { gathered, alternating, reading, flowing, piped };
  const inputs: Record<string, (path: string) => Input> = {
    "a file": (path) => path,
    "small chunks": () => texts(SMALL_CHUNKS),
    "a stream": () => Readable.from(SMALL_CHUNKS),
    records: () => numbered(COUNT),
  };
  for (const [taker, take] of Object.entries(takers)) {
    for (const [input, make] of Object.entries(inputs)) {
      test(`from ${input} to a reader that is ${taker}`, async () => {
        expect(await take(read(make(file())))).toEqual(numbered(COUNT));
      });
    }
  }

  test("from a stream that is itself slow and fast by turns", async () => {
    const input = new PassThrough({ highWaterMark: 64 });
    const fed = (async () => {
      for (const [index, chunk] of SMALL_CHUNKS.entries()) {
        input.write(chunk);
        if (index % 40 > 30) await turns(1);
      }
      input.end();
    })();
    expect(await alternating(read(input))).toEqual(numbered(COUNT));
    await fed;
  });
});

test("no more is read than is asked for", async () => {
  let given = 0;
  const source = read(
    (function* () {
      for (;;) yield { id: given++ };
    })(),
  );
  source.read();
  await turns(20);
  expect(given).toBeLessThanOrEqual(8);
  source.destroy();
});

test("thousands of broken lines wait for a slow sink of dead letters", async () => {
  const { letters, stream } = letterBox();
  let most = 0;
  const slow = new Writable({
    objectMode: true,
    highWaterMark: 4,
    write(letter, _, callback) {
      most = Math.max(most, slow.writableLength);
      stream.write(letter, () => setImmediate(callback));
    },
  });
  expect(await gathered(read(texts(["x\n".repeat(3_000), '{"id":1}']), { deadLetters: slow }))).toEqual([{ id: 1 }]);
  await new Promise((resolve) => slow.end(resolve));
  expect(letters.map(({ source }) => source?.line)).toEqual(Array.from({ length: 3_000 }, (_, index) => index + 1));
  expect(most).toBeLessThanOrEqual(5);
});

describe("a source that is left before its end", () => {
  beforeAll(() => expect(process.platform, "open files are counted in /proc").toBe("linux"));

  test("closes its file, whenever that is", async () => {
    const path = file();
    const leave: ((source: Readable) => unknown)[] = [
      (source) => source.destroy(),
      (source) => void setImmediate(() => source.destroy()),
      (source) => source.once("data", () => source.destroy()),
      (source) => source.once("data", () => source.destroy(new Error("enough"))).on("error", () => {}),
      async (source) => {
        for await (const _ of source) break;
      },
    ];
    for (const go of leave) {
      const source = read(path);
      const closed = new Promise((resolve) => source.on("close", resolve));
      source.read();
      await go(source);
      await closed;
      await expect.poll(() => timesOpen(path)).toBe(0);
    }
  });

  test("closes its file when it was read to its end, too", async () => {
    const path = file();
    await taken(path);
    await expect.poll(() => timesOpen(path)).toBe(0);
  });

  test("destroys the stream that it read, also one that is stalled, and one that it has not begun to read", async () => {
    for (const begin of [true, false]) {
      const input = new PassThrough();
      let cancelled = false;
      const stream = new ReadableStream({
        cancel: () => {
          cancelled = true;
        },
      });
      for (const source of [read(input), read(stream)]) {
        if (begin) source.read();
        await turns(2);
        const closed = new Promise((resolve) => source.on("close", resolve));
        source.destroy();
        await closed;
      }
      expect(input.destroyed).toBe(true);
      await expect.poll(() => cancelled).toBe(true);
    }
  });

  test("returns its iterator once, also one that it is waiting for", async () => {
    for (const stalls of [true, false]) {
      let returned = 0;
      const input: AsyncIterable<unknown> = {
        [Symbol.asyncIterator]: () => ({
          next: () => (stalls ? new Promise(() => {}) : Promise.resolve({ done: false, value: { id: 1 } })),
          return: async () => {
            returned++;
            throw new Error("nobody listens any more");
          },
        }),
      };
      const source = read(input);
      source.read();
      await turns(2);
      source.destroy();
      await turns(2);
      expect(returned).toBe(1);
    }
  });

  test("does not return an iterator that has come to its end", async () => {
    let returned = 0;
    const items = [{ id: 1 }].values();
    const input = {
      [Symbol.iterator]: () => ({
        next: () => items.next(),
        return: () => ({ done: true as const, value: returned++ }),
      }),
    };
    expect(await gathered(read(input))).toEqual([{ id: 1 }]);
    expect(returned).toBe(0);
  });

  test("runs a generator's clean-up, and fails with its own error", async () => {
    const ended: string[] = [];
    async function* records() {
      try {
        for (;;) yield { id: 1 };
      } finally {
        ended.push("cleaned");
      }
    }
    const sink = new Writable({ objectMode: true, write: (_record, _, callback) => callback(new Error("full")) });
    expect(await caught(nodePipeline(read(records()), sink))).toMatchObject({ message: "full" });
    await turns(2);
    expect(ended).toEqual(["cleaned"]);
  });

  test("lets go of stdin that says nothing more: the process can end", async () => {
    const { child, ended } = startScript(`
      import { read } from "./src/index.ts";
      for await (const record of read("-")) {
        console.log(JSON.stringify(record));
        if (record.last) break;
      }
    `);
    // Never ended from this side.
    child.stdin.write('{"id":1}\n{"id":2,"last":true}\n{"id":3}\n{"id"');
    expect(await ended).toMatchObject({ code: 0, stdout: '{"id":1}\n{"id":2,"last":true}\n', stderr: "" });
  });
});
