/** zstd's frames: where they end, and what libzstd does not say of damaged ones. */

import { constants, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { decompressed } from "../../src/sources/decompress.ts";
import { ZstdFrame } from "../../src/sources/zstd-frame.ts";

const LIMITS = { maxBytes: Number.MAX_SAFE_INTEGER, maxRatio: Number.MAX_SAFE_INTEGER };

/** What comes out of bytes that come in pieces of a size. */
async function unpacked(bytes: Buffer, size: number) {
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const parts: Buffer[] = [];
  try {
    for await (const part of decompressed(pieces(), "zstd", LIMITS)) parts.push(part);
    return { text: Buffer.concat(parts).toString("latin1"), fault: false };
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("the zstd archive"))) throw error;
    return { text: Buffer.concat(parts).toString("latin1"), fault: true };
  }
}

const random = (bytes: number) => Buffer.from(Array.from({ length: bytes }, (_, at) => (at * at * 31 + at * 7) % 251));

const { ZSTD_c_checksumFlag, ZSTD_c_contentSizeFlag } = constants;
const FRAMES = {
  "of nothing": zstdCompressSync(""),
  "of one byte": zstdCompressSync("x"),
  "of 300 bytes": zstdCompressSync(random(300)),
  "of 70,000 bytes": zstdCompressSync(random(70_000)),
  "of many blocks": zstdCompressSync(random(400_000)),
  "of repeated bytes": zstdCompressSync(Buffer.alloc(1_000_000, "a")),
  "with a checksum": zstdCompressSync(random(500), { params: { [ZSTD_c_checksumFlag]: 1 } }),
  "without its size": zstdCompressSync(random(500), { params: { [ZSTD_c_contentSizeFlag]: 0 } }),
  "to be skipped": Buffer.from("5e2a4d180400000061626364", "hex"),
  "of nothing, to be skipped": Buffer.from("502a4d1800000000", "hex"),
};

describe.each(Object.entries(FRAMES))("a frame %s", (_, bytes) => {
  test("ends after its last byte, wherever it is cut", () => {
    for (const size of [1, 2, 3, 7, 1_000, bytes.length + 9]) {
      const frame = new ZstdFrame();
      const all = Buffer.concat([bytes, Buffer.from("more than it")]);
      let ended = -1;
      for (let at = 0; at < all.length && ended === -1; at += size) {
        const end = frame.push(all.subarray(at, at + size));
        if (end !== -1) ended = at + end;
      }
      expect([ended, frame.ended]).toEqual([bytes.length, true]);
    }
  });

  test("between two others is read like them", async () => {
    const around = zstdCompressSync("around");
    const alone = await unpacked(bytes, bytes.length);
    expect(alone.fault).toBe(false);
    const size = bytes.length < 2_000 ? 1 : 40_000;
    const all = await unpacked(Buffer.concat([around, bytes, around]), size);
    expect(all).toEqual({ text: `around${alone.text}around`, fault: false });
  });

  test("that is cut anywhere is told to be", async () => {
    for (let at = 1; at < bytes.length; at += Math.ceil(bytes.length / 40)) {
      for (const size of [bytes.length < 2_000 ? 1 : 10_000, bytes.length]) {
        const { fault } = await unpacked(bytes.subarray(0, at), size);
        expect(fault, `at ${at} in pieces of ${size}`).toBe(true);
      }
    }
  });
});

test("what is wrong with a small archive is told, though its bytes come one by one", async () => {
  for (const text of ["", "x", '{"a":1}\n']) {
    const packed = zstdCompressSync(text);
    for (let at = 0; at < packed.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Buffer.from(packed);
        damaged[at] = (damaged[at] as number) ^ (1 << bit);
        const slowly = await unpacked(damaged, 1);
        expect(slowly, damaged.toString("hex")).toMatchObject({
          fault: (await unpacked(damaged, damaged.length)).fault,
        });
        // What no checksum guards may come out changed, but not with less in it.
        if (!slowly.fault) expect(slowly.text).toHaveLength(text.length);
      }
    }
  }
});

/** Blocks of one repeated byte: 131,072 of them in four bytes. */
function bomb(blocks: number): Buffer {
  const bytes = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
  for (let block = 1; block <= blocks; block++) {
    const header = 131_072 * 8 + 2 + (block === blocks ? 1 : 0);
    bytes.push(header & 0xff, (header >> 8) & 0xff, header >> 16, 0x20);
  }
  return Buffer.from(bytes);
}

test("of what one piece becomes, little is held at once", async () => {
  const packed = bomb(4_000);
  expect(packed.length).toBeLessThan(20_000);
  async function* once() {
    yield packed;
  }
  const before = process.memoryUsage().arrayBuffers;
  let [bytes, most] = [0, 0];
  for await (const part of decompressed(once(), "zstd", LIMITS)) {
    bytes += part.length;
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  expect(bytes).toBe(4_000 * 131_072);
  expect(most).toBeLessThan(150_000_000);
});
