/** That stream-json reads every JSON document, and is spared its items. */

import { expect, test, vi } from "vitest";
import { taken } from "../streams.ts";

const fed = vi.hoisted(() => ({ text: "" }));

vi.mock("stream-json/core/parser.js", async (original) => {
  const real = await original<typeof import("stream-json/core/parser.js")>();
  const jsonParser: typeof real.jsonParser = (options) => {
    const parse = real.jsonParser(options) as (piece: unknown) => unknown;
    const heard = (piece: unknown) => {
      if (typeof piece === "string") fed.text += piece;
      return parse(piece);
    };
    return heard as ReturnType<typeof real.jsonParser>;
  };
  return { ...real, jsonParser };
});

test("stream-json is fed the document with an empty string for each item, however it is cut", async () => {
  const bytes = Buffer.from('{"a":[1,"b"],"list": [{"x":"long"}, {"y":[2]} ,3],"end":true}');
  for (const size of [1, 7, 1_000]) {
    fed.text = "";
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    );
    const { records } = await taken(chunks, { format: "json", path: "list" });
    expect(records).toEqual([{ x: "long" }, { y: [2] }]);
    expect(fed.text).toBe('{"a":[1,"b"],"list": ["","",""],"end":true}');
  }
});
