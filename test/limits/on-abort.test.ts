/** Many who wait on one signal, and leave in any order. */

import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { onAbort } from "../../src/limits/on-abort.ts";

const listeners = (signal: AbortSignal): number => getEventListeners(signal, "abort").length;

describe("onAbort", () => {
  test("tells all who are still there, in the order in which they came", () => {
    const abort = new AbortController();
    const told: number[] = [];
    const leaves = [0, 1, 2, 3, 4].map((each) => onAbort(abort.signal, () => told.push(each)));
    for (const each of [2, 0, 2]) leaves[each]?.();
    onAbort(abort.signal, () => told.push(5));
    abort.abort();
    expect(told).toEqual([1, 3, 4, 5]);
  });

  test("lets those who are told take others and themselves out, and tells nobody twice", () => {
    const abort = new AbortController();
    const told: string[] = [];
    const leaves: (() => void)[] = [];
    for (const name of ["a", "b", "c"]) {
      const act = () => {
        told.push(name);
        for (const leave of leaves.slice(0, 2)) leave();
      };
      leaves.push(onAbort(abort.signal, act));
    }
    abort.abort();
    expect(told).toEqual(["a", "c"]);
  });

  test("puts one listener on the signal for all, and none when all have left", () => {
    const { signal } = new AbortController();
    const leaves = Array.from({ length: 20_000 }, () => onAbort(signal, () => {}));
    expect(listeners(signal)).toBe(1);
    for (const leave of leaves) leave();
    expect(listeners(signal)).toBe(0);
    const leave = onAbort(signal, () => {});
    expect(listeners(signal)).toBe(1);
    leave();
    leave();
    expect(listeners(signal)).toBe(0);
  });
});
