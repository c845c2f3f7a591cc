/** The record that `analyze()` makes of an answer, left to itself. */

import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { pipeline } from "../../src/pipeline.ts";
import { write } from "../../src/sinks/write.ts";
import { analyze } from "../../src/transforms/analyze.ts";
import { asked, numbered, ownProvider, usage } from "./own-provider.ts";

test("the usage of an answer has the same four numbers whether or not the vendor's cache was used, so that CSV holds all", async () => {
  const provider = ownProvider((request) => ({
    text: "a",
    usage: asked(request) === "q120" ? { ...usage, cacheReadTokens: 7, cacheWriteTokens: 2 } : usage,
  }));
  const records = numbered(130).map((one) => (one.id === 110 ? { ...one, title: "T", url: "U" } : one));
  let csv = "";
  const stream = new Writable({
    write(chunk, _encoding, callback) {
      csv += chunk;
      callback();
    },
  });
  await pipeline(
    records,
    analyze({ provider, prompt: ({ id }: { id: number }) => `q${id}` }),
    write(stream, { format: "csv" }),
  );
  const lines = csv.split("\n");
  expect(lines[0]).toBe(
    "id,title,url,analysis.text,provider,model,usage.inputTokens,usage.outputTokens,usage.cacheReadTokens,usage.cacheWriteTokens",
  );
  expect([lines[1], lines[111], lines[121]]).toEqual([
    "0,,,a,own,m1,10,2,0,0",
    "110,T,U,a,own,m1,10,2,0,0",
    "120,,,a,own,m1,10,2,7,2",
  ]);
});
