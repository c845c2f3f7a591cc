import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { failure } from "../../src/errors.ts";
import { onAbort } from "../../src/limits/on-abort.ts";
import { backOff, nextStep } from "../../src/limits/retry.ts";
import { sleep } from "../../src/limits/sleep.ts";

const policy = { maxRetries: 5, retryBaseDelay: 500, maxWait: 900_000 };
const fresh = { attempts: 0, retries: 0, waits: 0, waitedMs: 0 };
const high = () => 0.999_999;

describe("after a failed attempt", () => {
  test("a fault is retried after a back-off that doubles up to 30 s, jittered from 0", () => {
    const delays = [0, 1, 2, 3, 4, 5, 6, 7].map((times) => Math.round(backOff(500, times, high)));
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(backOff(500, 4, () => 0)).toBe(0);
  });

  test("a fault fails for good when its retries are used up", () => {
    const error = failure("server_error", "500");
    expect(nextStep(error, { ...fresh, retries: 4 }, policy)).toMatchObject({ action: "retry" });
    expect(nextStep(error, { ...fresh, retries: 5 }, policy)).toEqual({ action: "fail", error });
  });

  test("being told to wait uses up no retry, however often", () => {
    const error = failure("rate_limited", "429", { retryAfter: 1_000 });
    expect(nextStep(error, { ...fresh, retries: 5, waits: 100, waitedMs: 60_000 }, policy)).toMatchObject({
      action: "wait",
    });
  });

  test("a named wait is obeyed, spread a little upwards and never cut short", () => {
    for (const retryAfter of [50, 1_000, 89_000, 800_000]) {
      for (const random of [() => 0, () => 0.5, high]) {
        const step = nextStep(failure("rate_limited", "429", { retryAfter }), fresh, policy, random);
        if (step.action === "fail") throw step.error;
        expect(step.delayMs).toBeGreaterThanOrEqual(retryAfter);
        expect(step.delayMs).toBeLessThanOrEqual(retryAfter + Math.min(5_000, retryAfter * 0.1));
      }
    }
  });

  test("waits that would pass maxWait stop the run and say which option allows more", () => {
    const long = nextStep(failure("rate_limited", "429", { retryAfter: 3_840_000 }), fresh, policy);
    expect(long).toMatchObject({ action: "fail", error: { code: "max_wait_exceeded", scope: "run" } });
    const summed = nextStep(failure("overloaded", "529"), { ...fresh, waits: 40, waitedMs: 899_999 }, policy, high);
    expect(summed).toMatchObject({ action: "fail", error: { message: expect.stringContaining("--max-wait") } });
  });

  test("an endless `retry-after: 0` does not become a hot loop", () => {
    const error = failure("rate_limited", "429", { retryAfter: 0 });
    const step = nextStep(error, { ...fresh, waits: 12 }, policy, high);
    expect(step).toMatchObject({ action: "wait" });
    expect("delayMs" in step && step.delayMs).toBeGreaterThan(1_000);
  });

  test("the provider's own word on retrying is heard both ways", () => {
    const never = failure("server_error", "500", { shouldRetry: false });
    expect(nextStep(never, fresh, policy)).toEqual({ action: "fail", error: never });
    const again = failure("invalid_request", "400", { shouldRetry: true });
    expect(nextStep(again, fresh, policy)).toMatchObject({ action: "retry" });
  });

  test("what is wrong with the record or for the run is not tried again", () => {
    for (const code of ["invalid_request", "refused", "authentication_failed", "no_credit"] as const) {
      expect(nextStep(failure(code, code), fresh, policy)).toMatchObject({ action: "fail" });
    }
  });
});

describe("hearing an abort", () => {
  test("ten thousand hearers share one listener, and leave none behind", () => {
    const signal = new AbortController().signal;
    const deafen = Array.from({ length: 10_000 }, () => onAbort(signal, () => {}));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    for (const end of deafen) end();
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("each is called once, but those that have been taken back", () => {
    const controller = new AbortController();
    const called: string[] = [];
    const deafen = onAbort(controller.signal, () => called.push("a"));
    onAbort(controller.signal, () => called.push("b"));
    deafen();
    deafen();
    controller.abort();
    expect(called).toEqual(["b"]);
  });

  test("a sleep ends with the signal's reason at once", async () => {
    const controller = new AbortController();
    const asleep = sleep(3_600_000, controller.signal);
    controller.abort(new Error("up"));
    await expect(asleep).rejects.toThrow("up");
    await expect(sleep(1, controller.signal)).rejects.toThrow("up");
  });
});
