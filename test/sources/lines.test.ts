/** The same bytes give the same records however they are cut; and no line is too long. */

import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Line, LineSplitter } from "../../src/sources/lines.ts";
import { script, taken } from "../streams.ts";
import { TIMED } from "../support.ts";

const OPTIONS = { maxLineBytes: 60, maxDepth: 4 };

const bytes = (text: string, encoding: BufferEncoding = "utf8") => Buffer.from(text, encoding);

const line = fc.oneof(
  fc
    .record({ id: fc.nat(), text: fc.string({ unit: "binary", maxLength: 12 }) })
    .map((value) => bytes(JSON.stringify(value))),
  fc
    .constantFrom("", "  ", "\t", "\r", "null", "[1]", '"text"', "7", '{"a":', "{}{}", "\u0000", '{"a":"\u2028"}')
    .map((text) => bytes(text)),
  fc.nat(3_000).map((length) => bytes(JSON.stringify({ long: "é".repeat(length) }))),
  fc.nat(8).map((levels) => bytes(`{"a":${"[".repeat(levels)}${"]".repeat(levels)}}`)),
  fc.uint8Array({ maxLength: 20 }).map((part) => Buffer.from(part.filter((byte) => byte !== 0x0a))),
  fc.constant(bytes('{"name":"Zo\xeb"}', "latin1")),
);

const document = fc
  .record({
    bom: fc.boolean(),
    lines: fc.array(fc.tuple(line, fc.constantFrom("\n", "\r\n")), { maxLength: 12 }),
    last: line,
    cut: fc.nat(3),
  })
  .map(({ bom, lines, last, cut }) => {
    const whole = Buffer.concat([
      bytes(bom ? "\uFEFF" : ""),
      ...lines.flatMap(([content, end]) => [content, bytes(end)]),
      last,
    ]);
    return whole.subarray(0, whole.length - cut);
  });

function cutAt<Whole extends { length: number; slice(start: number, end: number): Whole }>(
  whole: Whole,
  places: readonly number[],
): Whole[] {
  const ends = [...places.map((place) => place % (whole.length + 1)), 0, whole.length].sort((a, b) => a - b);
  return ends.slice(1).map((end, index) => whole.slice(ends[index] ?? 0, end));
}

describe("reading lines", () => {
  test("gives the same records, dead letters, lines and offsets wherever the bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(document, fc.array(fc.nat(), { maxLength: 20 }), fc.boolean(), async (whole, places, all) => {
        const chunks = all ? [...whole].map((byte) => Buffer.from([byte])) : cutAt(whole, places);
        expect(await taken(chunks, OPTIONS)).toEqual(await taken([whole], OPTIONS));
      }),
      { numRuns: 300 },
    );
  });

  test("gives each line the number and offset that it has in the file", async () => {
    await fc.assert(
      fc.asyncProperty(document, async (whole) => {
        const { sources, letters } = await taken([whole], OPTIONS);
        const places = [...sources, ...letters.map(({ source }) => source)].sort(
          (a, b) => (a?.line ?? 0) - (b?.line ?? 0),
        );
        const expected = [];
        let byteOffset = 0;
        for (const [index, content] of whole.toString("latin1").split("\n").entries()) {
          const blank = /^[ \t\r]*$/.test(index === 0 ? content.replace(/^\xef\xbb\xbf/, "") : content);
          if (!blank || content.length > OPTIONS.maxLineBytes) {
            expected.push({ file: "(iterable)", line: index + 1, byteOffset });
          }
          byteOffset += content.length + 1;
        }
        expect(places).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  test("text cut between the halves of a surrogate pair is put together again", async () => {
    const records = fc.array(fc.dictionary(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(records, fc.array(fc.nat(), { maxLength: 10 }), fc.boolean(), async (records, places, all) => {
        const text = records.map((record) => `${JSON.stringify(record)}\n`).join("");
        const chunks = all ? text.split("") : cutAt(text, places);
        expect((await taken(chunks)).records).toEqual(records.map((record) => JSON.parse(JSON.stringify(record))));
        expect((await taken(Readable.from(chunks))).records).toHaveLength(records.length);
      }),
      { numRuns: 100 },
    );
  });

  test("half a surrogate pair at the very end is not lost in silence", async () => {
    const { records, letters } = await taken(['{"a":1}', "\n", '{"b":2}\ud83d']);
    expect(records).toEqual([{ a: 1 }]);
    expect(letters).toMatchObject([{ error: { code: "truncated_line" }, source: { line: 2 } }]);
  });
});

describe("LineSplitter", () => {
  const lines = (chunks: Iterable<Buffer>, maxBytes = 1 << 30): Line[] => {
    const splitter = new LineSplitter(maxBytes);
    const found = [...chunks].flatMap((chunk) => [...splitter.push(chunk)]);
    return [...found, ...splitter.end()];
  };

  test("of a line that is too long keeps the first 1,024 bytes, whatever the limit and the chunks are", () => {
    const text = Array.from({ length: 3_000 }, (_, index) => index % 10).join("");
    for (const limit of [1, 100, 1_024, 2_999]) {
      for (const size of [1, 7, 1_000, 4_000]) {
        const chunks = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
          text.slice(at * size, (at + 1) * size),
        );
        const [first, second] = lines(
          [...chunks, "\n", "next"].map((chunk) => bytes(chunk)),
          limit,
        );
        expect(first?.bytes.toString()).toBe(text.slice(0, 1_024));
        expect(first?.length).toBe(3_000);
        expect(second).toMatchObject({ number: 2, byteOffset: 3_001, length: 4 });
      }
    }
  });

  test("takes linear time for a line of many chunks", TIMED, () => {
    // Small ones: what the length alone costs must not drown in what fresh memory costs.
    const chunk = Buffer.alloc(16, "x");
    const time = (count: number): number => {
      const splitter = new LineSplitter(1 << 30);
      const startedAt = performance.now();
      for (let at = 0; at < count; at++) for (const _ of splitter.push(chunk));
      expect([...splitter.end()]).toMatchObject([{ length: count * 16 }]);
      return performance.now() - startedAt;
    };
    const best = (count: number) => Math.min(...Array.from({ length: 5 }, () => time(count)));
    best(2_000);
    // 32 times the length: 1,024 times the time if each chunk went over the whole line again.
    expect(best(64_000) / best(2_000)).toBeLessThan(400);
  });

  test("holds no more than its limit of a line of 64 MiB", async () => {
    const { stdout, stderr } = await script(
      `
      import { LineSplitter } from "./src/sources/lines.ts";
      const splitter = new LineSplitter(16 * 1024 * 1024);
      const held = () => (gc(), process.memoryUsage().arrayBuffers);
      const before = held();
      let peak = 0;
      for (let at = 0; at < 1024; at++) {
        for (const _ of splitter.push(Buffer.alloc(64 * 1024, "x"))) throw new Error("no line ends here");
        if (at % 32 === 0) peak = Math.max(peak, held() - before);
      }
      const [line] = [...splitter.push(Buffer.from("\\n"))];
      console.log(JSON.stringify({ peak, after: held() - before, length: line.length, kept: line.bytes.length }));
      `,
      { flags: ["--expose-gc"] },
    );
    expect(stderr).toBe("");
    const { peak, after, length, kept } = JSON.parse(stdout);
    expect({ length, kept }).toEqual({ length: 64 * 1024 * 1024, kept: 1_024 });
    expect(peak).toBeGreaterThan(8 * 1024 * 1024);
    expect(peak).toBeLessThan(17 * 1024 * 1024);
    expect(after).toBeLessThan(4 * 1024 * 1024);
  });
});
