/** What a refusal tells where a limit is told: that this limit is used up, or that there is another one. */

import { describe, expect, test } from "vitest";
import { accountingOf } from "../../src/limits/accounting.ts";
import { Admission, type AdmissionEvent, type Ending } from "../../src/limits/admission.ts";
import type { LimitKind } from "../../src/limits/amounts.ts";

const SIZE = { input: 250, output: 250, most: 1_000 };
const told = (remaining: number) => [
  { name: "r", kind: "requests", limit: 3_000, remaining, window: 60_000, step: 1 } as const,
];

const ANSWERED: Ending = { kind: "answered", usage: { inputTokens: 250, outputTokens: 250 }, told: told(100) };

/** Fifty requests a second are told, of which 100 are there; then six calls at once are refused. */
function refused(refusal: { remaining?: number; limit?: LimitKind; hint?: number }) {
  const events: AdmissionEvent[] = [];
  const admission = new Admission(accountingOf("anthropic"), (event) => events.push(event));
  admission.concurrency.allow(64, false);
  const need = admission.need(SIZE);
  const first = admission.start(need, 0);
  admission.settle(first, ANSWERED, 100);
  const tickets = Array.from({ length: 6 }, (_, i) => admission.start(need, 200 + i));
  const { remaining, limit, hint = 1_000 } = refusal;
  const ending: Ending = { kind: "limited", hint, limit, told: remaining === undefined ? [] : told(remaining) };
  for (const [i, ticket] of tickets.entries()) admission.settle(ticket, ending, 210 + i);
  const heard = events.map(({ type }) => type).filter((type) => type === "pace" || type === "pause");
  return { heard, wait: admission.wait(need, 216) };
}

describe("calls refused under a told limit", () => {
  test.each([
    ["by their headers", { remaining: 0 }],
    ["by their headers and their words", { remaining: 0, limit: "requests" as const }],
  ])("of which nothing remains %s: the next call waits for it, and no rate is searched for", (_how, refusal) => {
    const { heard, wait } = refused(refusal);
    expect(heard).toEqual([]);
    expect(wait.cause).toBe("requests");
    // One comes back in 20 ms; two are spared.
    expect(wait.ms).toBeGreaterThan(10);
    expect(wait.ms).toBeLessThan(100);
  });

  test("of which nothing remains for long: all wait, and ask again before the hint is over", () => {
    const { heard, wait } = refused({ remaining: 0, hint: 30_000 });
    expect(heard).toEqual(["pause"]);
    expect(wait.ms).toBeGreaterThan(1_500);
    expect(wait.ms).toBeLessThan(3_000);
  });

  test("time and again, though they are let through slower and slower: something else refuses, and is searched for", () => {
    const events: AdmissionEvent[] = [];
    const admission = new Admission(accountingOf("anthropic"), (event) => events.push(event));
    admission.concurrency.allow(64, false);
    const need = admission.need(SIZE);
    admission.settle(admission.start(need, 0), ANSWERED, 100);
    let refusals = 0;
    for (let now = 200; !events.some(({ type }) => type === "pace"); now++) {
      if (admission.wait(need, now).ms > 0) continue;
      const ticket = admission.start(need, now);
      admission.settle(ticket, { kind: "limited", hint: 1_000, limit: "requests", told: told(0) }, now + 1);
      if (++refusals > 30) break;
    }
    expect(refusals).toBeGreaterThan(5);
    expect(refusals).toBeLessThan(30);
  });

  test.each([
    ["of which much remains", { remaining: 90 }],
    ["while they speak of another one", { remaining: 0, limit: "output" as const }],
    ["that say nothing, far from it by our own count", {}],
  ])("%s: there is another limit, and its rate is searched for", (_how, refusal) => {
    expect(refused(refusal).heard).toContain("pace");
  });
});
