/** The order in which waiting calls are let in. */

import { describe, expect, test } from "vitest";
import { AGEING, Line, MOST_PRIORITY, type Waiter } from "../../src/client/line.ts";

const waiter = (since: number, priority = 0): Waiter => ({ since, priority, gone: false });

function order(line: Line<Waiter>): Waiter[] {
  const gone: Waiter[] = [];
  for (let head = line.head; head !== undefined; head = line.head) {
    gone.push(head.waiter);
    line.shift();
    line.landed();
  }
  return gone;
}

describe("a line", () => {
  test("of 1,000 waiting records starts the 10 urgent ones first, whenever they came", () => {
    const line = new Line<Waiter>(1_000, 0);
    const waiters = Array.from({ length: 1_000 }, (_, at) => waiter(at, at % 100 === 99 ? 1 : 0));
    for (const one of waiters) line.add(one);
    const first = order(line);
    expect(first.slice(0, 10)).toEqual(waiters.filter(({ priority }) => priority === 1));
    expect(first.slice(10)).toEqual(waiters.filter(({ priority }) => priority === 0));
  });

  test("lets an ordinary record go before urgent ones that come once it has waited for its ageing", () => {
    const line = new Line<Waiter>(1, 0);
    const old = waiter(0);
    const before = waiter(AGEING * 3 - 1, 3);
    const after = waiter(AGEING * 3 + 1, 3);
    const beyond = waiter(AGEING * MOST_PRIORITY + 2, 1e9);
    for (const one of [beyond, after, old, before]) line.add(one);
    expect(order(line)).toEqual([before, old, after, beyond]);
  });

  test("keeps the place of who comes back, and forgets who has left", () => {
    const line = new Line<Waiter>(1, 0);
    const [first, second, third] = [waiter(1), waiter(2), waiter(3)];
    line.add(second);
    line.add(third);
    line.add(first);
    line.remove(second);
    line.remove(second);
    expect(line.waiting).toBe(2);
    expect(order(line)).toEqual([first, third]);
    expect(line.waiting).toBe(0);
  });

  test("has no head while as many are in flight as may be, over all lines of the stage", () => {
    const flight = { calls: 0 };
    const [one, other] = [new Line<Waiter>(1, 0, flight), new Line<Waiter>(1, 0, flight)];
    one.add(waiter(1));
    other.add(waiter(2));
    one.shift();
    expect(other.head).toBeUndefined();
    one.landed();
    expect(other.head).toBeDefined();
  });
});
