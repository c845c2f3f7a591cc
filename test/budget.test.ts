import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Budget, dollars } from "../src/budget.ts";

describe("a budget", () => {
  test("is never passed by what is spent and reserved, in whatever order calls come and end", () => {
    const step = fc.record({
      want: fc.double({ min: 0, max: 1, noNaN: true }),
      used: fc.double({ min: 0, max: 1, noNaN: true }),
      end: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.double({ min: 0.1, max: 20, noNaN: true }), (steps, cap) => {
        const run = new Budget(cap);
        const stage = new Budget(cap / 2, run);
        const open: { budget: Budget; reserved: number }[] = [];
        let spent = 0;
        for (const { want, used, end } of steps) {
          const last = end ? open.shift() : undefined;
          if (last !== undefined) {
            spent += last.reserved * used;
            last.budget.settle(last.reserved, last.reserved * used);
          }
          const budget = end ? stage : run;
          if (budget.short(want) !== undefined) continue;
          budget.reserve(want);
          open.push({ budget, reserved: want });
        }
        const reserved = open.reduce((sum, one) => sum + one.reserved, 0);
        expect(spent + reserved).toBeLessThanOrEqual(cap + 1e-9);
        expect(run.left).toBeCloseTo(cap - spent - reserved, 9);
        expect(run.pending).toBe(open.length);
      }),
    );
  });

  test("says which one has no room, its own or the one around it", () => {
    const run = new Budget(1);
    const stage = new Budget(5, run);
    expect(stage.short(1)).toBeUndefined();
    expect(stage.short(2)).toBe(run);
    expect(stage.short(6)).toBe(stage);
  });

  test("wakes who waits for room once, when all of it is free again", () => {
    const run = new Budget(1);
    const stage = new Budget(1, run);
    const seen: number[] = [];
    run.onRoom(() => seen.push(run.left));
    stage.onRoom(() => seen.push(stage.left, run.left));
    stage.reserve(1);
    stage.settle(1, 0.25);
    stage.reserve(0.5);
    stage.settle(0.5, 0.5);
    expect(seen).toEqual([0.75, 0.75, 0.75]);
  });

  test("is written in cents, and in more digits where it is less than a dollar", () => {
    expect([0, 12.345, 1_234.5, 0.0123, 0.00001].map(dollars)).toEqual([
      "$0.00",
      "$12.35",
      "$1,234.50",
      "$0.0123",
      "less than $0.0001",
    ]);
  });
});
