import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anthropicAssembly } from "../../src/providers/anthropic-stream.ts";
import { chatAssembly } from "../../src/providers/chat-stream.ts";
import { VENDORS } from "../../src/providers/models.ts";
import { responsesAssembly } from "../../src/providers/responses-stream.ts";
import { readSettings } from "../../src/providers/settings.ts";
import { streamed } from "../../src/providers/stream.ts";
import { rejection } from "../http/server.ts";
import { listener, STREAMED } from "./events.ts";

const ASSEMBLIES: Readonly<Record<string, typeof chatAssembly>> = {
  anthropic: anthropicAssembly,
  "openai chat": chatAssembly,
  "openai responses": responsesAssembly,
  mistral: chatAssembly,
};

const settings = readSettings(VENDORS.openai, { apiKey: "k-123456" }, { known: ["apiKey"], compatible: false });
const TEXT = "Grüße aus 東京 🗼.";

/** What a body that comes in these chunks is read as. */
async function read(title: string, chunks: readonly Uint8Array[]) {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const { heard, options } = listener();
  const called = Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
  const { data } = await streamed(options, { settings, assembly: ASSEMBLIES[title]!(), called });
  return { data, text: heard.deltas.join("") };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Cut before each of these positions. */
function cutAt(whole: Uint8Array, positions: readonly number[]): Uint8Array[] {
  const edges = [0, ...positions.toSorted((a, b) => a - b), whole.length];
  return edges.slice(1).map((end, index) => whole.subarray(edges[index], end));
}

describe.each(STREAMED)("$title", ({ title, events }) => {
  const all = events(["Grüße", " aus 東京", " 🗼", "."]);
  const plain = all.join("");
  const forms: Readonly<Record<string, string>> = {
    "as it is": plain,
    "with CRLF": plain.replaceAll("\n", "\r\n"),
    "with CR": plain.replaceAll("\n", "\r"),
    "with comments, ids, a mark of its encoding and fields that nobody knows": `\ufeff: hello\n\n${all
      .map((event, index) => `: ping\n\nid: ${index}\nretry: 1000\nmood: good\n${event}`)
      .join("")}`,
    "without spaces after the colons": plain.replaceAll(/^(data|event): /gm, "$1:"),
    "with its data over several lines": plain.replaceAll('",', '",\ndata: '),
  };

  test.each(Object.entries(forms))(
    "%s, cut anywhere in two or byte by byte, it is the same answer",
    async (_, form) => {
      const whole = bytes(form);
      const expected = await read(title, [bytes(plain)]);
      expect(expected.text).toBe(TEXT);
      for (let at = 0; at <= whole.length; at++) expect(await read(title, cutAt(whole, [at]))).toEqual(expected);
      const single = Array.from(whole, (byte) => Uint8Array.of(byte));
      expect(await read(title, single)).toEqual(expected);
    },
  );

  test("however it is cut, it is the same answer", async () => {
    const expected = await read(title, [bytes(plain)]);
    const cut = fc
      .constantFrom(...Object.values(forms).map(bytes))
      .chain((whole) => fc.array(fc.nat(whole.length), { maxLength: 40 }).map((positions) => cutAt(whole, positions)));
    await fc.assert(
      fc.asyncProperty(cut, async (chunks) => {
        expect(await read(title, chunks)).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  test("ended after any byte but its last few, it is a bad response and never a shorter answer", async () => {
    const whole = bytes(plain);
    // What follows the marker's own text are line ends.
    const marked = plain.trimEnd().length + (whole.length - plain.length);
    for (let end = 0; end < marked; end++) {
      const error = await rejection(read(title, [whole.subarray(0, end)]));
      expect(error, `after ${end} bytes`).toMatchObject({ code: "bad_response" });
    }
    for (let end = marked; end <= whole.length; end++)
      expect((await read(title, [whole.subarray(0, end)])).text).toBe(TEXT);
  });
});
