/** A run that lost something, or never began, must not look like one that worked. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { pipeline } from "../src/pipeline.ts";
import { write } from "../src/sinks/write.ts";
import { read } from "../src/sources/read.ts";
import { folder } from "./support.ts";
import { caught, numbered } from "./transforms/own-provider.ts";

describe("a run", () => {
  test("whose generator throws `undefined` fails, and its output does not appear", async () => {
    const path = join(folder(), "out.ndjson");
    // biome-ignore lint/correctness/useYield: it fails before it gives anything.
    async function* broken(): AsyncGenerator<object> {
      await Promise.reject();
    }
    const error = await caught(pipeline(read(numbered(50)), broken, write(path)));
    expect(error).toMatchObject({ code: "stage_failed", report: { written: 0 } });
    expect(existsSync(path)).toBe(false);
  });

  test("that cannot begin closes the streams that it was given", async () => {
    const source = Readable.from(numbered(3));
    const error = await caught(pipeline(source, 5 as never, write(join(folder(), "x.ndjson"))));
    expect(error.code).toBe("invalid_option");
    expect(source.destroyed).toBe(true);
  });

  test("that ends whole has an account that comes out even", async () => {
    const report = await pipeline(numbered(10), (record) => record, write(join(folder(), "x.ndjson")));
    expect(report).toMatchObject({ read: 10, written: 10, unfinished: 0 });
  });
});
