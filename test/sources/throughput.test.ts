/** Reading is no slower than the libraries that it stands on. `npm run bench:formats` measures; here the margins are wide. */

import { once } from "node:events";
import { createReadStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { parse } from "csv-parse";
import chain from "stream-chain";
import { parser } from "stream-json";
import { streamArray } from "stream-json/streamers/stream-array.js";
import { expect, test } from "vitest";
import { read } from "../../src/sources/read.ts";
import { folder, TIMED } from "../support.ts";

const ROWS = 8_000;
const WIDE_MARGIN = 0.6;

const fields = (id: number) => ({
  id,
  title: `Article ${id}`,
  content: `it says, "so" ${"several words ".repeat(12)}`,
});

const FILES: readonly [string, () => string, (path: string) => Readable][] = [
  [
    "in.json",
    () => JSON.stringify(Array.from({ length: ROWS }, (_, id) => fields(id))),
    (path) => chain([createReadStream(path), parser({ streamValues: false }), streamArray()]),
  ],
  [
    "in.csv",
    () =>
      `id,title,content\n${Array.from({ length: ROWS }, (_, id) => `${id},Article ${id},"it says, ""so"" ${"several words ".repeat(12)}"\n`).join("")}`,
    (path) => createReadStream(path).pipe(parse({ columns: true, bom: true })),
  ],
];

async function timed(source: Readable): Promise<number> {
  const startedAt = performance.now();
  let rows = 0;
  await once(
    source.on("data", () => rows++),
    "end",
  );
  expect(rows).toBe(ROWS);
  return performance.now() - startedAt;
}

test.each(FILES)("%s is read about as fast as by its library alone, or faster", TIMED, async (name, text, peer) => {
  const path = join(folder(), name);
  writeFileSync(path, text());
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let run = 0; run < 4; run++) {
    ours.push(await timed(read(path)));
    theirs.push(await timed(peer(path)));
  }
  expect(Math.min(...theirs) / Math.min(...ours)).toBeGreaterThan(WIDE_MARGIN);
});
