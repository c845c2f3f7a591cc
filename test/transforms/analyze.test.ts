/** What `analyze()` makes of answers, faults and options. */

import { Readable } from "node:stream";
import { pipeline as nodePipeline } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { failure } from "../../src/errors.ts";
import { pipeline } from "../../src/pipeline.ts";
import { drop } from "../../src/record.ts";
import { analyze } from "../../src/transforms/analyze.ts";
import { asked, caught, collector, numbered, ownProvider, type Reply, usage } from "./own-provider.ts";

type Numbered = { readonly id?: unknown };
const fast = { retryBaseDelay: 1, prompt: (record: Numbered) => `q${record.id}` };

const ANALYSIS = {
  title: "",
  summary: "",
  keyPoints: [],
  topics: [],
  entities: [],
  sentiment: "neutral",
  language: "en",
};

describe("analyze", () => {
  test("gives each record its own answer, in order, whatever the latencies", async () => {
    const provider = ownProvider(async (request) => {
      await new Promise((resolve) => setTimeout(resolve, (Number(asked(request).slice(1)) * 7) % 13));
      return { text: `answer to ${asked(request)}` };
    });
    const { records, stream } = collector();
    await pipeline(numbered(50), analyze({ provider, ...fast, concurrency: 8 }), stream);
    expect(records).toEqual(
      numbered(50).map(({ id }) => ({
        id,
        analysis: { text: `answer to q${id}` },
        provider: "own",
        model: "m1",
        usage: { ...usage, cacheReadTokens: 0, cacheWriteTokens: 0 },
      })),
    );
  });

  test("checks answers with Zod and hands `output` the typed value", async () => {
    const Verdict = z.object({ tone: z.enum(["good", "bad"]), score: z.number().default(1) });
    const provider = ownProvider(() => ({ text: '{"tone":"good"}' }));
    const { records, stream } = collector();
    const output = (_: Numbered, { value }: { value: z.output<typeof Verdict> }) => ({
      tone: value.tone,
      score: value.score,
    });
    await pipeline(numbered(1), analyze({ provider, ...fast, schema: Verdict, output }), stream);
    expect(records).toEqual([{ tone: "good", score: 1 }]);
    expect(provider.requests[0]?.schema).toMatchObject({ type: "object", required: ["tone"] });
  });

  test("asks again once after an answer that does not fit, and shows the model its fault", async () => {
    const provider = ownProvider(({ messages }) => ({ text: messages.length === 1 ? '{"n":"two"}' : '{"n":2}' }));
    const { records, stream } = collector();
    const schema = { type: "object", properties: { n: { type: "number" } }, required: ["n"] };
    const report = await pipeline(numbered(1), analyze({ provider, ...fast, schema }), stream);
    expect(records).toMatchObject([{ analysis: { n: 2 } }]);
    expect(provider.requests[1]?.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(asked(provider.requests[1])).toContain("/n: must be number");
    expect(report.usage).toMatchObject({ inputTokens: 20, outputTokens: 4 });
  });

  test("dead-letters an answer that does not fit twice, one that is refused and one that is filtered", async () => {
    const provider = ownProvider((request) => {
      if (asked(request) === "q0" || request.messages.length > 1) return { text: "no JSON" };
      if (asked(request) === "q1") return { text: "", finishReason: "refusal" };
      if (asked(request) === "q2") return { text: "", finishReason: "filter" };
      return { text: "{}" };
    });
    const { records, stream } = collector();
    const letters = collector();
    const stage = analyze({ provider, ...fast, schema: { type: "object" } });
    await pipeline(numbered(5), stage, stream, { deadLetters: letters.stream });
    expect(records).toHaveLength(2);
    const told = letters.records as { error: { code: string; attempts: number } }[];
    expect(told.map(({ error }) => `${error.code} ${error.attempts}`).sort()).toEqual([
      "content_filtered 1",
      "invalid_answer 2",
      "refused 1",
    ]);
  });

  test("tries a cut answer once more with four times the room, and no third time", async () => {
    const limits: (number | undefined)[] = [];
    const provider = ownProvider((request) => {
      limits.push(request.maxOutputTokens);
      const whole = asked(request) === "q0" && request.maxOutputTokens === 400;
      return { text: "x", finishReason: whole ? "stop" : "length" };
    });
    const { records, stream } = collector();
    const letters = collector();
    await pipeline(numbered(2), analyze({ provider, ...fast, concurrency: 1 }), stream, {
      deadLetters: letters.stream,
    });
    expect(limits.sort()).toEqual([400, 400, undefined, undefined]);
    expect(records).toHaveLength(1);
    expect(letters.records).toMatchObject([{ error: { code: "truncated_answer", attempts: 2 }, record: { id: 1 } }]);
  });

  test("lets the others go first while a record waits as it was told to", async () => {
    let told = false;
    const provider = ownProvider((request) => {
      if (asked(request) !== "q0" || told) return { text: "ok" };
      told = true;
      throw failure("rate_limited", "429", { status: 429, retryAfter: 60 });
    });
    const { records, stream } = collector();
    const stage = analyze({
      provider,
      ...fast,
      concurrency: 1,
      ordered: false,
      output: ({ id }: Numbered) => ({ id }),
    });
    const report = await pipeline(numbered(5), stage, stream);
    expect(records).toEqual([1, 2, 3, 4, 0].map((id) => ({ id })));
    expect(report).toMatchObject({ requests: 6, retries: 0, rateLimited: 1 });
  });

  test("gives a fault up after maxRetries, and says how often it was tried", async () => {
    const provider = ownProvider((request) => {
      if (asked(request) === "q1") throw failure("server_error", "500 from own", { status: 500 });
      return { text: "ok" };
    });
    const letters = collector();
    const stage = analyze({ provider, ...fast, maxRetries: 2 });
    const report = await pipeline(numbered(3), stage, collector().stream, { deadLetters: letters.stream });
    expect(letters.records).toMatchObject([
      { error: { code: "server_error", status: 500, attempts: 3 }, stage: "analyze" },
    ]);
    expect(report).toMatchObject({ written: 2, deadLettered: 1, retries: 2, failures: { server_error: 1 } });
  });

  test("ends an attempt that takes too long, also where the provider does not listen", async () => {
    let calls = 0;
    const provider = ownProvider(() => (calls++ === 0 ? new Promise<Reply>(() => {}) : { text: "late" }));
    const { records, stream } = collector();
    const report = await pipeline(numbered(1), analyze({ provider, ...fast, timeout: 30 }), stream);
    expect(records).toMatchObject([{ analysis: { text: "late" } }]);
    expect(report.retries).toBe(1);
  });

  test("dead-letters an article without content and names the fields that it has", async () => {
    const provider = ownProvider(() => ({ text: JSON.stringify(ANALYSIS) }));
    const letters = collector();
    const records = [{ content: "Good." }, { id: 7, body: "text", headline: "x" }, { content: "Good too." }];
    const report = await pipeline(records, analyze({ provider }), collector().stream, { deadLetters: letters.stream });
    expect(letters.records).toMatchObject([{ error: { code: "missing_content", attempts: 0 }, record: { id: 7 } }]);
    expect((letters.records as { error: { message: string } }[])[0]?.error.message).toContain("id, body, headline");
    expect(report).toMatchObject({ written: 2, requests: 2 });
  });

  test("stops before anything is sent when the first records all lack content, or all of fewer", async () => {
    const provider = ownProvider(() => ({ text: "never asked" }));
    for (const count of [2, 100]) {
      const records = Array.from({ length: count }, () => ({ body: "text" }));
      const letters = collector().stream;
      const error = await caught(
        pipeline(records, analyze({ provider }), collector().stream, { deadLetters: letters }),
      );
      expect(error).toMatchObject({ code: "invalid_option", message: expect.stringContaining("It has: body.") });
    }
    expect(provider.requests).toEqual([]);
  });

  test("a schema of the user's own that throws is an answer that does not fit, and no end of the run", async () => {
    const schema = z.object({ day: z.string().transform((text) => new Date(text).toISOString()) });
    const provider = ownProvider((request) => ({
      text: JSON.stringify({ day: request.messages[0]?.content === "q1" ? "never" : "2026-11-22" }),
    }));
    const letters = collector();
    const report = await pipeline(numbered(3), analyze({ provider, ...fast, schema }), collector().stream, {
      deadLetters: letters.stream,
    });
    expect(report).toMatchObject({ written: 2, failures: { invalid_answer: 1 } });
  });

  test("of an answer that does not fit, only names that the schema knows are told", async () => {
    const schema = {
      type: "object",
      properties: { known: { type: "number" } },
      additionalProperties: { type: "number" },
    };
    const provider = ownProvider((request) => ({
      text: request.messages[0]?.content === "q0" ? '{"SECRET words":"x","known":"y"}' : "{}",
    }));
    const letters = collector();
    await pipeline(numbered(2), analyze({ provider, ...fast, schema }), collector().stream, {
      deadLetters: letters.stream,
    });
    const told = JSON.stringify(letters.records);
    expect(told).toContain("/known: must be number");
    expect(told).not.toContain("SECRET");
  });

  test("what a provider quotes of an article is not repeated", async () => {
    const article = "The committee met in secret on Tuesday to weigh the offer.";
    const provider = ownProvider((request) => {
      if (!asked(request).includes("secret")) return { text: "ok" };
      throw failure("invalid_request", `400: cannot take "The committee met in secret on Tuesday" as input.`);
    });
    const letters = collector();
    const prompt = ({ id }: Numbered) => (id === 0 ? `About:\n${article}` : "other");
    await pipeline(numbered(2), analyze({ provider, prompt }), collector().stream, { deadLetters: letters.stream });
    const [letter] = letters.records as { error: { message: string } }[];
    expect(letter?.error.message).toBe('400: cannot take "…" as input.');
  });

  test("waits for a prompt that is made asynchronously, and dead-letters one that cannot be made", async () => {
    const provider = ownProvider((request) => ({ text: asked(request) }));
    const letters = collector();
    const prompt = async ({ id }: Numbered) => {
      await Promise.resolve();
      if (id === 1) throw new Error("no prompt");
      return `late ${id}`;
    };
    const { records, stream } = collector();
    await pipeline(numbered(2), analyze({ provider, prompt }), stream, { deadLetters: letters.stream });
    expect(records).toMatchObject([{ analysis: { text: "late 0" } }]);
    expect(letters.records).toMatchObject([{ error: { code: "stage_failed", attempts: 0 }, record: { id: 1 } }]);
  });

  test("dead-letters what a function of the user's own throws on or forgets to return, and drops what it drops", async () => {
    const provider = ownProvider(() => ({ text: "ok" }));
    const output = ({ id }: Numbered) => {
      if (id === 0) throw new TypeError("boom");
      if (id === 1) return undefined;
      return id === 2 ? drop : { id };
    };
    const letters = collector();
    const stage = analyze({ provider, ...fast, output });
    const report = await pipeline(numbered(4), stage, collector().stream, { deadLetters: letters.stream });
    expect(report).toMatchObject({
      read: 4,
      written: 1,
      dropped: 1,
      failures: { stage_failed: 1, returned_nothing: 1 },
    });
  });

  test("works in Node's own pipeline, with dead letters that their maker ends", async () => {
    const provider = ownProvider((request) => {
      if (asked(request) === "q1") throw failure("refused", "no");
      return { text: "ok" };
    });
    const letters = collector();
    const { records, stream } = collector();
    const stage = analyze({ provider, ...fast, deadLetters: letters.stream });
    await nodePipeline(Readable.from(numbered(4)), stage, stream);
    expect(records).toHaveLength(3);
    expect(letters.records).toHaveLength(1);
    expect(letters.stream.writableEnded).toBe(false);
    expect(stage.report).toMatchObject({ in: 4, out: 3, deadLettered: 1 });
  });

  test("without dead letters fails with the first record that fails", async () => {
    const provider = ownProvider(() => {
      throw failure("refused", "The model refused.");
    });
    const error = await caught(pipeline(numbered(4), analyze({ provider, ...fast }), collector().stream));
    expect(error).toMatchObject({ code: "refused", report: { written: 0 } });
  });

  test("two stages with one provider object share its limit on calls in flight", async () => {
    let inFlight = 0;
    let most = 0;
    const provider = ownProvider(async () => {
      most = Math.max(most, ++inFlight);
      await new Promise((resolve) => setTimeout(resolve, 2));
      inFlight--;
      return { text: "ok" };
    });
    const stage = () => analyze({ provider, ...fast, concurrency: 6, output: ({ id }: Numbered) => ({ id }) });
    await pipeline(numbered(60), stage(), stage(), collector().stream);
    expect(most).toBe(6);
  });

  test("refuses options that cannot be, with the nearest name", () => {
    const provider = ownProvider(() => ({ text: "" }));
    expect(() => analyze({ provider, concurency: 4 } as never)).toThrow('Did you mean "concurrency"?');
    expect(() => analyze({ provider, concurrency: 0 })).toThrow("whole number from 1");
    expect(() => analyze({} as never)).toThrow("`provider` is missing");
    expect(() => analyze({ provider, ...fast, schema: { type: "nonsense" } })).toThrow("not a valid JSON Schema");
  });
});
