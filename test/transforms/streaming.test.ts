/** Streamed answers through `analyze()`: what they change (when a call is given up, what is heard) and what they do not. */

import { Readable } from "node:stream";
import { pipeline as nodePipeline } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { failure } from "../../src/errors.ts";
import { pipeline } from "../../src/pipeline.ts";
import { anthropic } from "../../src/providers/anthropic.ts";
import { mistral } from "../../src/providers/mistral.ts";
import { openai } from "../../src/providers/openai.ts";
import type { Provider } from "../../src/providers/provider.ts";
import type { Article } from "../../src/record.ts";
import type { SimulatorOptions } from "../../src/simulator/simulator.ts";
import { analyze } from "../../src/transforms/analyze.ts";
import { faultServer, reply } from "../http/server.ts";
import { STREAMED, stream } from "../providers/events.ts";
import { article, articles, baseURL, KEY, type Row, simulator } from "../support.ts";
import { asked, caught, collector, numbered, ownProvider } from "./own-provider.ts";

const MAKERS: Readonly<Record<string, (url: string) => Provider>> = {
  anthropic: (url) => anthropic({ apiKey: KEY, baseURL: baseURL(url, "anthropic") }),
  "openai chat": (url) => openai({ apiKey: KEY, baseURL: baseURL(url, "openai") }),
  "openai responses": (url) => openai({ apiKey: KEY, baseURL: baseURL(url, "openai"), api: "responses" }),
  mistral: (url) => mistral({ apiKey: KEY, baseURL: baseURL(url, "mistral") }),
};

async function setUp(title: string, options: SimulatorOptions = {}) {
  const server = await simulator(options);
  return { server, provider: MAKERS[title]!(server.url) };
}

const fast = { retryBaseDelay: 1 };

describe.each(Object.keys(MAKERS))("%s", (title) => {
  test("gives the same records and usage as in one piece, and the same text in pieces", async () => {
    const { provider } = await setUp(title, { cachedTokens: 7 });
    const texts = new Map<string, string>();
    const runs: unknown[] = [];
    for (const streaming of [false, true]) {
      const { records, stream } = collector();
      const onDelta = (delta: string, { id }: Article, { attempt }: { attempt: number }) => {
        expect(attempt).toBe(1);
        texts.set(String(id), (texts.get(String(id)) ?? "") + delta);
      };
      const stage = analyze({ provider, streaming, ...(streaming ? { onDelta } : {}) });
      const { usage, retries } = await pipeline(articles(20), stage, stream);
      runs.push({ records, usage, retries });
      if (streaming) {
        const analyses = (records as Row[]).map(({ id, analysis }) => [id, analysis]);
        expect([...texts].map(([id, text]) => [id, JSON.parse(text)]).toSorted()).toEqual(analyses.toSorted());
      }
    }
    expect(runs[1]).toEqual(runs[0]);
    await provider.close();
  });

  test("lets an answer that takes longer than the timeout live as long as it goes on, and only then", async () => {
    const { server, provider } = await setUp(title, { outputTokens: 200, msPerOutputToken: 7 });
    const { records, stream } = collector();
    const letters = collector();
    const options = { provider, timeout: 700, maxRetries: 0, prompt: () => "Write at length." };
    const began = performance.now();
    const plain = pipeline(numbered(1), analyze(options), collector().stream, { deadLetters: letters.stream });
    const [cut] = await Promise.all([
      caught(plain),
      pipeline(numbered(1), analyze({ ...options, streaming: true }), stream),
    ]);
    expect(records).toHaveLength(1);
    expect(performance.now() - began).toBeGreaterThan(1_300);
    expect(cut).toMatchObject({ code: "hopeless", message: expect.stringMatching(/within 0.7 s/) });
    expect(letters.records).toMatchObject([{ error: { code: "timeout" } }]);
    await server.set({ msPerOutputToken: 0, faults: { stallMidBody: 1 } });
    const stalled = caught(pipeline(numbered(1), analyze({ ...options, timeout: 100, streaming: true }), stream));
    expect(await stalled).toMatchObject({ code: "timeout", message: expect.stringContaining("Nothing came") });
    await provider.close();
  });
});

describe("streaming", () => {
  test.each(["anthropic", "openai chat", "mistral"])(
    "%s: under faults nothing is lost, doubled or cut",
    async (title) => {
      const faults = {
        error500: 0.05,
        resetBeforeHeaders: 0.03,
        resetMidBody: 0.05,
        cutBody: 0.05,
        htmlBody: 0.03,
        invalidJsonBody: 0.05,
        streamError: 0.05,
        stallMidBody: 0.02,
        wrongSchema: 0.04,
        maxTokensCut: 0.04,
      };
      const { server, provider } = await setUp(title, { seed: 5, latency: 5, faults, poison: "POISON" });
      const all = articles(150).map((one, at) => (at % 50 === 17 ? { ...one, content: `POISON ${one.content}` } : one));
      const { records, stream } = collector();
      const letters = collector();
      const last = new Map<string, { attempt: number; text: string }>();
      const stage = analyze({
        provider,
        concurrency: 40,
        timeout: 500,
        maxRetries: 20,
        ...fast,
        onDelta(delta, { id }, { attempt }) {
          const known = last.get(String(id));
          last.set(
            String(id),
            known?.attempt === attempt ? { attempt, text: known.text + delta } : { attempt, text: delta },
          );
        },
      });
      await pipeline(all, stage, stream, { deadLetters: letters.stream });
      const good = records as Row[];
      expect(good.map(({ id }) => id)).toEqual(
        all.filter(({ content }) => !content.includes("POISON")).map(({ id }) => id),
      );
      for (const { id, analysis } of good) {
        expect(analysis.summary).toContain(` ${id}`);
        // What the last attempt was heard to say is what came out.
        expect(JSON.parse(last.get(id)?.text ?? "")).toEqual(analysis);
      }
      expect(letters.records).toHaveLength(3);
      const { byOutcome } = await server.stats();
      for (const fault of Object.keys(faults)) expect(byOutcome[fault as never], fault).toBeGreaterThan(0);
      await provider.close();
    },
  );

  test("a listener that throws or rejects fails its record, and no other", async () => {
    const { provider } = await setUp("anthropic");
    for (const fail of [
      () => {
        throw new Error("mine");
      },
      () => Promise.reject(new Error("mine")),
      () => {
        throw Object.assign(failure("rate_limited", "mine"), { name: "Error" });
      },
    ]) {
      const { records, stream } = collector();
      const letters = collector();
      const onDelta = (_: string, { id }: Article) => (id === "a3" ? fail() : undefined);
      const stage = analyze({ provider, streaming: true, onDelta });
      await pipeline(articles(6), stage, stream, { deadLetters: letters.stream });
      expect((records as Row[]).map(({ id }) => id)).toEqual(["a0", "a1", "a2", "a4", "a5"]);
      // All of them failing there would say nothing about the provider.
      await pipeline([article("a3")], analyze({ provider, streaming: true, onDelta }), collector().stream, {
        deadLetters: collector().stream,
      });
      expect(letters.records).toMatchObject([
        { error: { code: "stage_failed", message: "onDelta: the function threw Error: mine", attempts: 1 } },
      ]);
    }
    await provider.close();
  });

  test("a re-ask begins a new attempt, in Node's own pipeline as well", async () => {
    const { provider } = await setUp("openai chat", { faults: { wrongSchema: 1 } });
    const { records, stream } = collector();
    const texts: Record<number, string> = {};
    const stage = analyze({
      provider,
      prompt: ({ content }: Article) => content,
      schema: z.object({ tone: z.enum(["good", "bad"]), because: z.string() }),
      onDelta(delta, record, { attempt }) {
        expect(record.id).toBe("a1");
        texts[attempt] = (texts[attempt] ?? "") + delta;
      },
    });
    await nodePipeline(Readable.from([article("a1")]), stage, stream);
    expect(Object.keys(texts)).toEqual(["1", "2"]);
    expect(records).toMatchObject([{ analysis: JSON.parse(texts[2] ?? "") }]);
    await provider.close();
  });

  test("a provider that cannot stream gives its text in one piece", async () => {
    const provider = ownProvider((request) => ({ text: `answer to ${asked(request)}` }));
    const heard: unknown[] = [];
    const { stream } = collector();
    const stage = analyze({
      provider,
      prompt: ({ id }: { id?: unknown }) => `q${id}`,
      streaming: true,
      onDelta: (...all) => void heard.push(all),
    });
    await pipeline(numbered(2), stage, stream);
    expect(heard).toEqual([
      ["answer to q0", { id: 0 }, { attempt: 1 }],
      ["answer to q1", { id: 1 }, { attempt: 1 }],
    ]);
  });

  test("comes by itself where a cut answer is asked for again beyond what Anthropic gives in one piece", async () => {
    const protocol = STREAMED.find((one) => one.title === "anthropic")!;
    await using server = await faultServer((res, { body }) =>
      JSON.parse(body).stream
        ? stream(res, protocol.events(["at ", "length"]))
        : reply(res, 200, protocol.answer("at le", { finish: "max_tokens" })),
    );
    const provider = protocol.make(server.url);
    const { records, stream: sink } = collector();
    await pipeline(numbered(1), analyze({ provider, maxOutputTokens: 6_000, prompt: () => "Write." }), sink);
    expect(records).toMatchObject([{ analysis: { text: "at length" } }]);
    expect(server.seen.map(({ body }) => JSON.parse(body).max_tokens)).toEqual([6_000, 24_000]);
    await provider.close();
  });

  test("is refused as anything but true or false, and `onDelta` as anything but a function", () => {
    const provider = ownProvider(() => ({ text: "" }));
    expect(() => analyze({ provider, streaming: "yes" as never })).toThrow("`streaming` must be true or false");
    expect(() => analyze({ provider, onDelta: "log" as never })).toThrow("`onDelta` must be a function");
  });
});
