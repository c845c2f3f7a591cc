/** How a run with `analyze()` ends before its end: hopeless, fatal, aborted, stopped. */

import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { failure } from "../../src/errors.ts";
import { pipeline } from "../../src/pipeline.ts";
import { analyze } from "../../src/transforms/analyze.ts";
import { asked, caught, collector, numbered, ownProvider, type Reply } from "./own-provider.ts";

const fast = { retryBaseDelay: 1, prompt: (record: { readonly id?: unknown }) => `q${record.id}` };
const lettersOf = () => ({ deadLetters: collector().stream });

describe("a run with analyze()", () => {
  test("stops at once for what is wrong for every record, and says what to do", async () => {
    const provider = ownProvider(() => {
      throw failure("authentication_failed", "401. Check the key.", { status: 401 });
    });
    const run = pipeline(
      numbered(500),
      analyze({ provider, ...fast, concurrency: 4 }),
      collector().stream,
      lettersOf(),
    );
    expect(await caught(run)).toMatchObject({ code: "authentication_failed", message: "401. Check the key." });
    expect(provider.requests.length).toBeLessThanOrEqual(4);
  });

  test("stops when the first 20 records fail in one way, and when all of fewer do", async () => {
    const provider = ownProvider(() => {
      throw failure("invalid_request", "400", { status: 400 });
    });
    for (const count of [1, 3, 500]) {
      const letters = collector();
      const stage = analyze({ provider, ...fast, concurrency: 2 });
      const error = await caught(pipeline(numbered(count), stage, collector().stream, { deadLetters: letters.stream }));
      expect(error.code).toBe("hopeless");
      expect(letters.records.length).toBeGreaterThanOrEqual(Math.min(count, 20));
      expect(letters.records.length).toBeLessThan(25);
    }
  });

  test("goes on when records fail in different ways, or by a function of the user's own", async () => {
    const provider = ownProvider((request) => {
      const id = Number(asked(request).slice(1));
      if (id < 30) throw failure(id % 2 === 0 ? "invalid_request" : "refused", "no");
      return { text: "ok" };
    });
    const output = ({ id }: { readonly id?: unknown }) => (Number(id) >= 60 ? undefined : { id });
    const report = await pipeline(
      numbered(90),
      analyze({ provider, ...fast, output }),
      collector().stream,
      lettersOf(),
    );
    expect(report).toMatchObject({ read: 90, written: 30, deadLettered: 60 });
  });

  test("stops when most of the last 200 records fail", async () => {
    const provider = ownProvider((request) => {
      if (Number(asked(request).slice(1)) >= 300) throw failure("invalid_answer", "no");
      return { text: "ok" };
    });
    const stage = analyze({ provider, ...fast, concurrency: 1 });
    const error = await caught(pipeline(numbered(1_000), stage, collector().stream, lettersOf()));
    expect(error).toMatchObject({ code: "hopeless", message: expect.stringContaining("101 of the last 200 records") });
  });

  test("aborts every call in flight when it is aborted, and leaves no listener on the user's signal", async () => {
    const signals: AbortSignal[] = [];
    const abort = new AbortController();
    const provider = ownProvider((_, signal) => {
      signals.push(signal);
      if (signals.length === 8) abort.abort(new Error("enough"));
      return new Promise<Reply>(() => {});
    });
    const stage = analyze({ provider, ...fast, concurrency: 8 });
    const error = await caught(pipeline(numbered(100), stage, collector().stream, { signal: abort.signal }));
    expect(error).toMatchObject({ code: "aborted", cause: { message: "enough" } });
    expect(signals).toHaveLength(8);
    expect(signals.every((signal) => signal.aborted)).toBe(true);
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(0);
  });

  test("on a stop lets calls in flight end, lets go of what waits, and writes what was answered", async () => {
    const stop = new AbortController();
    const open: (() => void)[] = [];
    const provider = ownProvider(async () => {
      await new Promise<void>((resolve) => {
        open.push(resolve);
        if (open.length < 4) return;
        stop.abort();
        for (const end of open) end();
      });
      return { text: "ok" };
    });
    const { records, stream } = collector();
    const stage = analyze({ provider, ...fast, concurrency: 4 });
    const error = await caught(pipeline(numbered(1_000), stage, stream, { stop: stop.signal }));
    expect(error).toMatchObject({ code: "aborted", report: { written: 4 } });
    expect(records).toHaveLength(4);
    expect(provider.requests).toHaveLength(4);
  });

  test("on a stop does not wait out a wait that the provider asked for", async () => {
    const stop = new AbortController();
    const provider = ownProvider(() => {
      setImmediate(() => stop.abort());
      throw failure("rate_limited", "429", { status: 429, retryAfter: 600_000 });
    });
    const run = pipeline(numbered(3), analyze({ provider, ...fast }), collector().stream, { stop: stop.signal });
    expect(await caught(run)).toMatchObject({ code: "aborted", report: { read: 3, written: 0, unfinished: 3 } });
  });
});
