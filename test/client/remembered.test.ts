/** Runs over a store: what is asked, what is not asked again, and what the report says of it. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { failure } from "../../src/errors.ts";
import { analyze, type PipelineOptions, pipeline } from "../../src/index.ts";
import type { ModelRequest, Provider } from "../../src/providers/provider.ts";
import type { AnalyzeOptions } from "../../src/transforms/analyze-options.ts";
import { folder } from "../support.ts";
import { asked, caught, collector, numbered, ownProvider, type Reply, usage } from "../transforms/own-provider.ts";

type Answer = Parameters<typeof ownProvider>[0];

/** One that costs something. */
const paid = (answer: Answer) => Object.assign(ownProvider(answer), { baseURL: "https://example.org" });

interface Asking {
  readonly store: PipelineOptions["store"];
  readonly records?: readonly object[];
  readonly options?: Partial<AnalyzeOptions<{ readonly id: number }>>;
}

/** A run of its own over the store: what it wrote, what failed, its report. */
async function run(provider: Provider, { store, records = numbered(1), options = {} }: Asking) {
  const [out, letters] = [collector(), collector()];
  const report = await pipeline(
    [...records, { id: "other" }],
    analyze({ provider, prompt: ({ id }) => `about ${id}`, ...options } as AnalyzeOptions),
    out.stream,
    { deadLetters: letters.stream, ...(store === undefined ? {} : { store }) },
  );
  const failed = (letters.records as { error: { code: string; attempts: number } }[]).map(({ error }) => error.code);
  return { report, failed, out: JSON.stringify(out.records) };
}

const place = () => join(folder(), "made/responses.db");

/** What the record that is only there to let others fail is answered with. */
const orElse =
  (answer: Answer): Answer =>
  async (request, signal) =>
    asked(request).includes("other") ? { text: '{"a":"fine"}' } : answer(request, signal);

const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"] };

describe("a run over a store", () => {
  test("asks nothing again, gives the same, and bills nothing", async () => {
    const store = place();
    const provider = paid(() => ({
      text: '{"a":"\\ud800"}',
      usage: { ...usage, cacheReadTokens: 3 },
      requestId: "r1",
    }));
    const first = await run(provider, { store, records: numbered(20) });
    const again = await run(provider, { store, records: numbered(20) });
    expect(provider.requests).toHaveLength(21);
    expect(again.out).toBe(first.out);
    expect(first.report).toMatchObject({ cached: 0, requests: 21, usage: { inputTokens: 210 } });
    expect(again.report).toMatchObject({ cached: 21, requests: 0, usage: { inputTokens: 0, outputTokens: 0 } });
  });

  test("gives back every text as it came: half pairs, zeros, nothing", async () => {
    const store = place();
    const texts = ["\ud83d", "a\u0000b", "", "🙂 é", "\ufffd", "x".repeat(300_000)];
    const provider = paid((request) => ({ text: texts[Number(asked(request).slice(6))] ?? "other" }));
    const first = await run(provider, { store, records: numbered(texts.length) });
    expect((await run(provider, { store, records: numbered(texts.length) })).out).toBe(first.out);
    expect(provider.requests).toHaveLength(texts.length + 1);
  });

  test("asks only for the new records when the input has grown", async () => {
    const store = place();
    const provider = paid((request) => ({ text: asked(request) }));
    await run(provider, { store, records: numbered(30) });
    const { report } = await run(provider, { store, records: numbered(40) });
    expect(report).toMatchObject({ requests: 10, cached: 31, written: 41 });
  });

  test("makes one call for equal requests, in flight together or not, over all stages that share the store", async () => {
    const store = place();
    const provider = paid(async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { text: asked(request) };
    });
    const records = Array.from({ length: 150 }, (_, index) => ({ id: index % 50 }));
    const one = () =>
      analyze<{ id: number }>({ provider, prompt: ({ id }) => `about ${id}`, output: (r) => r, concurrency: 40 });
    const { stream } = collector();
    const report = await pipeline(records, one(), one(), stream, { store });
    expect(provider.requests).toHaveLength(50);
    expect(report).toMatchObject({ requests: 50, cached: 250, written: 150 });
  });

  test("a failed leader does not fail its followers", async () => {
    const store = place();
    let calls = 0;
    const provider = paid(
      orElse(async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (++calls <= 2) throw failure("invalid_request", "no");
        return { text: "third" };
      }),
    );
    const records = Array.from({ length: 6 }, () => ({ id: 1 }));
    const { report, failed } = await run(provider, { store, records });
    expect(failed).toEqual(["invalid_request", "invalid_request"]);
    expect(report).toMatchObject({ written: 5, cached: 3 });
    expect(calls).toBe(3);
  });

  test("asks for another answer to the same request by its sample", async () => {
    const store = place();
    let calls = 0;
    const provider = paid(() => ({ text: `answer ${++calls}` }));
    const ask = (sample: AnalyzeOptions<{ id: number }>["sample"] & {}) =>
      run(provider, { store, options: { sample } });
    const first = await ask(0);
    const second = await ask(({ id }) => (id === 0 ? 1 : 0));
    expect(calls).toBe(3);
    expect(second.out).not.toBe(first.out);
    expect((await ask(0)).out).toBe(first.out);
    const wrong = await ask(({ id }) => (id === 0 ? -1 : 0));
    expect(wrong.failed).toEqual(["stage_failed"]);
    await expect(ask(1.5)).rejects.toMatchObject({ code: "invalid_option" });
  });

  const verdicts: Readonly<Record<string, { answer: Answer; calls: number }>> = {
    refused: { answer: () => ({ text: "", finishReason: "refusal" }), calls: 1 },
    content_filtered: { answer: () => ({ text: "", finishReason: "filter" }), calls: 1 },
    invalid_answer: { answer: () => ({ text: "no JSON" }), calls: 2 },
    truncated_answer: { answer: () => ({ text: "{", finishReason: "length" }), calls: 2 },
  };
  const filtered = () => {
    throw failure("content_filtered", "The filter withheld it.", { status: 400 });
  };
  const limited = ({ maxOutputTokens }: ModelRequest): Reply => {
    if (maxOutputTokens !== undefined) throw failure("invalid_request", "too many tokens");
    return { text: "{", finishReason: "length" };
  };
  const cases: readonly [string, string, { answer: Answer; calls: number }][] = [
    ...Object.entries(verdicts).map(([code, one]) => [code, code, one] as const),
    ["content_filtered as an error", "content_filtered", { answer: filtered, calls: 1 }],
    ["truncated_answer at a limit that cannot be raised", "truncated_answer", { answer: limited, calls: 2 }],
  ].map((one) => one as [string, string, { answer: Answer; calls: number }]);
  for (const [name, code, { answer, calls }] of cases) {
    test(`remembers ${name} without a call, until it is to be tried again`, async () => {
      const store = place();
      const provider = paid(orElse(answer));
      const first = await run(provider, { store, options: { schema } });
      expect(first.failed).toEqual([code]);
      expect(provider.requests).toHaveLength(calls + 1);
      const second = await run(provider, { store, options: { schema } });
      expect(second).toMatchObject({ failed: [code], report: { requests: 0, cached: 2 } });
      const retried = await run(provider, { store: { path: store, retryFailed: true }, options: { schema } });
      expect(retried).toMatchObject({ failed: [code], report: { requests: calls, cached: 1 } });
      const healed = paid(() => ({ text: '{"a":"well"}' }));
      const last = await run(healed, { store: { path: store, retryFailed: true }, options: { schema } });
      expect(last).toMatchObject({ failed: [], report: { requests: 1, written: 2 } });
      expect((await run(healed, { store, options: { schema } })).out).toBe(last.out);
      expect(healed.requests).toHaveLength(1);
    });
  }

  test("tries faults and refusals of the request again", async () => {
    for (const code of ["invalid_request", "server_error", "timeout", "bad_response"] as const) {
      const store = place();
      let calls = 0;
      const provider = paid(
        orElse(() => {
          if (++calls === 1) throw failure(code, "no");
          return { text: "well" };
        }),
      );
      const options = { maxRetries: 0 };
      expect((await run(provider, { store, options })).failed).toEqual([code]);
      expect(await run(provider, { store, options })).toMatchObject({ failed: [], report: { requests: 1, cached: 1 } });
    }
  });

  test("gives a cut answer only to who asks for no more room than it had", async () => {
    const store = place();
    const provider = paid(
      orElse(({ maxOutputTokens = 100 }) =>
        maxOutputTokens < 1_000 ? { text: "{", finishReason: "length" } : { text: '{"a":"whole"}' },
      ),
    );
    const ask = async (maxOutputTokens: number) =>
      (await run(provider, { store, options: { schema, maxOutputTokens } })).report.requests;
    expect(await ask(100)).toBe(3); // 100 and 400, both cut; and the other record
    expect([await ask(100), await ask(50)]).toEqual([0, 0]);
    expect(await ask(300)).toBe(1); // served at 300, whole at 1,200
    expect([await ask(10), await ask(5_000)]).toEqual([0, 0]);
  });

  test("asks anew under `fresh`, once for equal requests, and keeps the new answers", async () => {
    const store = place();
    let calls = 0;
    const provider = paid(() => ({ text: `answer ${++calls}` }));
    const records = [{ id: 1 }, { id: 1 }, { id: 2 }];
    await run(provider, { store, records });
    expect(calls).toBe(3);
    const fresh = await run(provider, { store: { path: store, fresh: true }, records, options: { concurrency: 1 } });
    expect(fresh.report).toMatchObject({ requests: 3, cached: 1 });
    expect((await run(provider, { store, records })).out).toBe(fresh.out);
    expect(calls).toBe(6);
  });

  test("keeps nothing for a provider that calls nobody, and nothing without a store", async () => {
    const store = place();
    const provider = ownProvider((request) => ({ text: asked(request) }));
    for (let time = 0; time < 2; time++) await run(provider, { store });
    expect(provider.requests).toHaveLength(4);
    const costly = paid((request) => ({ text: asked(request) }));
    for (let time = 0; time < 2; time++) await run(costly, { store: undefined });
    expect(costly.requests).toHaveLength(4);
  });

  test("releases at a stop whoever waits for another's answer, and keeps that answer", async () => {
    const store = place();
    const stop = new AbortController();
    const provider = paid(async () => {
      stop.abort();
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { text: "late" };
    });
    const records = Array.from({ length: 10 }, () => ({ id: 1 }));
    const stage = analyze<{ id: number }>({ provider, prompt: ({ id }) => `about ${id}` });
    const { stream, records: out } = collector();
    await pipeline(records, stage, stream, { store, stop: stop.signal }).catch(() => {});
    expect(out).toHaveLength(1);
    expect(
      (
        await run(
          paid(() => ({ text: "again" })),
          { store, records },
        )
      ).report.requests,
    ).toBe(1);
  });

  test("refuses options of the store that cannot be", async () => {
    const { stream } = collector();
    for (const store of ["", 5, { path: "x", retry: true }, {}]) {
      const error = await caught(pipeline(numbered(1), stream, { store: store as never }));
      expect(error).toMatchObject({ code: "invalid_option" });
    }
  });
});
