import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { attempt, type DeltaListener } from "../../src/client/attempt.ts";
import { failure, type MillraceError } from "../../src/errors.ts";
import type { CompleteOptions, Completion, Provider } from "../../src/providers/provider.ts";

const ASK = { messages: [{ role: "user", content: "Hi" }] } as const;

const completion = (text: string): Completion => ({
  text,
  finishReason: "stop",
  usage: { inputTokens: 1, outputTokens: 1 },
  model: "m",
  requestId: undefined,
  limits: {},
});

function provider(complete: (options: CompleteOptions) => Promise<string>): Provider {
  return {
    name: "own",
    model: "m",
    maxOutputTokens: 10,
    baseURL: undefined,
    complete: async (_, options) => completion(await complete(options)),
    async close() {},
  };
}

/** Answers after so many signs of life, `gap` ms apart. */
const ticking = (ticks: number, gap: number) =>
  provider(
    ({ onActivity }) =>
      new Promise((resolve) => {
        let count = 0;
        const timer = setInterval(() => {
          onActivity?.();
          if (++count < ticks) return;
          clearInterval(timer);
          resolve(`after ${ticks}`);
        }, gap);
      }),
  );

const idle = () => new AbortController().signal;

test.each([undefined, null, {}, { text: "x" }, { text: 7, usage: { inputTokens: 1, outputTokens: 1 } }])(
  "a provider that gives %j for a completion has failed, and nothing more",
  async (given) => {
    const odd = { ...provider(async () => ""), complete: async () => given as unknown as Completion };
    const outcome = await attempt(odd, ASK, { timeout: 1_000, signal: idle() });
    expect(outcome).toMatchObject({ code: "bad_response" });
    expect((outcome as MillraceError).message).toContain("gave no completion");
  },
);

describe("the timer of a call", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  async function ended(call: Promise<Completion | MillraceError>) {
    await vi.runAllTimersAsync();
    return call;
  }

  test("lets an answer that shows signs of life go on beyond the limit", async () => {
    const outcome = await ended(attempt(ticking(50, 900), ASK, { timeout: 1_000, signal: idle(), streaming: true }));
    expect(outcome).toMatchObject({ text: "after 50" });
  });

  test.each([true, undefined])("ends one that falls silent, and says so (streaming: %s)", async (streaming) => {
    const silent = provider(({ onActivity }) => {
      setTimeout(() => onActivity?.(), 900);
      return new Promise(() => {});
    });
    const began = Date.now();
    const outcome = await ended(attempt(silent, ASK, { timeout: 1_000, signal: idle(), streaming }));
    expect(outcome).toMatchObject({ code: "timeout", message: expect.stringContaining("Nothing came") });
    expect(Date.now() - began).toBe(1_900);
  });

  test("counts the time to the first sign as silence, and all of it for an answer in one piece", async () => {
    const never = provider(() => new Promise(() => {}));
    const streamed = await ended(attempt(never, ASK, { timeout: 1_000, signal: idle(), streaming: true }));
    expect(streamed).toMatchObject({ code: "timeout", message: expect.stringMatching(/Nothing came .* 1 s/) });
    const whole = await ended(attempt(never, ASK, { timeout: 1_000, signal: idle() }));
    expect(whole).toMatchObject({ code: "timeout", message: expect.stringMatching(/No complete answer within 1 s/) });
  });

  test("ends what pings for ever after an hour, or after the limit if that is longer", async () => {
    for (const [timeout, limit] of [
      [60_000, 3_600_000],
      [7_200_000, 7_200_000],
    ] as const) {
      const began = Date.now();
      const options = { timeout, signal: idle(), streaming: true };
      const call = attempt(ticking(1_000, 30_000), ASK, options);
      await vi.advanceTimersByTimeAsync(limit + 30_000);
      expect(await call).toMatchObject({ code: "timeout", message: expect.stringContaining("no end") });
      expect(Date.now() - began).toBe(limit + 30_000);
      await vi.runAllTimersAsync();
    }
  });

  test("is not set again by a provider that goes on after the end", async () => {
    let late: (() => void) | undefined;
    const rude = provider(async ({ onActivity }) => {
      late = onActivity;
      return "ok";
    });
    await attempt(rude, ASK, { timeout: 1_000, signal: idle(), streaming: true });
    late?.();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a listener", () => {
  const call = (complete: (options: CompleteOptions) => Promise<string>, onDelta: DeltaListener) =>
    attempt(provider(complete), ASK, { timeout: 5_000, signal: idle(), streaming: true, onDelta });

  test("gets the pieces, or the whole text once where there were none, and nothing of an empty answer", async () => {
    const heard: string[] = [];
    const listen = (text: string) => void heard.push(text);
    await call(async ({ onDelta }) => {
      for (const piece of ["a", "b"]) onDelta?.(piece);
      return "ab";
    }, listen);
    await call(async () => "whole", listen);
    await call(async () => "", listen);
    expect(heard).toEqual(["a", "b", "whole"]);
  });

  test.each([
    [
      "throws",
      () => {
        throw failure("stage_failed", "mine");
      },
    ],
    [
      "returns a promise that fails",
      async () => {
        throw failure("stage_failed", "mine");
      },
    ],
  ])("that %s ends the call at once, even if the provider takes no notice", async (_, onDelta) => {
    const deaf = call(async ({ onDelta: tell }) => {
      try {
        tell?.("a");
      } catch {}
      return new Promise(() => {});
    }, onDelta);
    expect(await deaf).toMatchObject({ code: "stage_failed" });
    expect(await call(async () => "whole", onDelta)).toMatchObject({ code: "stage_failed" });
  });

  test("is waited for before the answer counts as whole", async () => {
    const order: string[] = [];
    await call(
      async ({ onDelta }) => {
        onDelta?.("a");
        order.push("answered");
        return "a";
      },
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push("heard");
      },
    );
    expect(order).toEqual(["answered", "heard"]);
  });

  test("hears nothing more of a call that is over", async () => {
    const heard: string[] = [];
    let late: ((text: string) => void) | undefined;
    await call(
      async ({ onDelta }) => {
        late = onDelta;
        onDelta?.("a");
        return "a";
      },
      (text) => void heard.push(text),
    );
    late?.("late");
    expect(heard).toEqual(["a"]);
  });
});
