/** The panel's lines: what they say, and that they fit. */

import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import { lastWords } from "../../src/cli/ending.ts";
import { panelLines } from "../../src/cli/panel.ts";
import { summary } from "../../src/cli/summary.ts";
import { Trend } from "../../src/cli/trend.ts";
import type { RunReport } from "../../src/index.ts";

const lane = { provider: "anthropic", model: "claude-haiku-4-5", lane: 1, inFlight: 92, allowed: 96 };

const limit = (kind: "requests" | "input" | "output", perMinute: number, spent: number) =>
  ({
    provider: "anthropic",
    model: "claude-haiku-4-5",
    lane: 1,
    kind,
    from: "provider",
    perMinute,
    spent,
    used: 0.7,
  }) as const;

const report = (changes: Partial<RunReport> = {}): RunReport => ({
  read: 11_694,
  bytesRead: 584_700_000,
  bytesTotal: 1_000_000_000,
  written: 11_571,
  deadLettered: 31,
  failures: { invalid_answer: 17, refused: 14 },
  dropped: 0,
  unfinished: 92,
  cached: 0,
  requests: 11_800,
  inFlight: 92,
  allowed: 96,
  waiting: 41,
  heldBy: "input",
  backingOff: 3,
  lanes: [{ ...lane, state: "open", pacePerMinute: null }],
  retries: 80,
  rateLimited: 12,
  waitedMs: 30_000,
  heldBackMs: { input: 41_000, concurrency: 90_000 },
  headOfLineMs: 0,
  peakConcurrency: 96,
  limits: [limit("requests", 4_000, 11_000), limit("input", 2_000_000, 8_000_000), limit("output", 400_000, 1_000_000)],
  latencyMs: { p50: 1_900, p95: 4_800, p99: 6_000, max: 9_000 },
  usage: { inputTokens: 8_200_000, outputTokens: 1_100_000, cacheReadTokens: 0, cacheWriteTokens: 0 },
  unknownUsage: 0,
  cost: null,
  costAtMost: null,
  pricesDate: null,
  elapsedMs: 252_000,
  stages: [],
  ...changes,
});

/** A run of which a report came `seconds` earlier as well. */
function lines(
  now: RunReport,
  { columns = 80, color = false, label = "articles.ndjson", before = {}, ascii = false } = {},
) {
  const trend = new Trend();
  const past = { written: now.written - 460, bytesRead: now.bytesRead - 23_000_000, requests: now.requests - 500 };
  trend.add({ ...now, ...past, elapsedMs: now.elapsedMs - 10_000, limits: [], ...before } as RunReport);
  trend.add(now);
  return panelLines({ report: now, trend, label, columns, memory: 86_000_000, color, ascii });
}

describe("the panel", () => {
  test("says how far it is, how fast, what is in flight of what is allowed, and what is waited for", () => {
    const text = lines(report(), { columns: 120 });
    expect(text).toHaveLength(6);
    expect(text[0]).toMatch(/^articles\.ndjson {2}█+░+ {2}58 % {2}4m 12s, about \d+m \d\ds left$/);
    expect(text[1]).toBe("11,571 written · 31 failed · 46/s · 11,694 read");
    expect(text[2]).toMatch(/^calls +92 of 96 in flight · 3,000\/min · 80 retries · 12 told to wait/);
    expect(text[4]).toBe(
      "waiting  41 for the input token limit · 3 before their next attempt · so far 41 s for the input token limit",
    );
    expect(text[5]).toBe("used     cost unknown · 8.2M tokens in, 1.1M out · 86.0 MB of memory");
  });

  test("tells what was taken of each limit in the last minute", () => {
    const before = { limits: [limit("requests", 4_000, 9_000), limit("input", 2_000_000, 7_100_000)] };
    const text = lines(report({ limits: [limit("requests", 4_000, 11_000), limit("input", 2_000_000, 8_000_000)] }), {
      before,
    });
    expect(text[3]).toBe("limits   requests 2,000 of 4,000 · input 900K of 2M a minute");
  });

  test("of a limit of one's own and the provider's shows the lower one, and keys of one provider together", () => {
    const own = { ...limit("requests", 1_000, 0), from: "own" } as const;
    const second = { ...limit("requests", 4_000, 0), lane: 2 } as const;
    expect(lines(report({ limits: [limit("requests", 4_000, 0), own, second] }))[3]).toBe(
      "limits   requests 0 of 5,000 a minute",
    );
  });

  test("has no line wider than the terminal, whatever its width and the name of the file", () => {
    const wide = report({ written: 123_456_789, read: 987_654_321, cached: 1_000_000, dropped: 5_000, cost: 1234.5 });
    for (const label of ["a", "articles.ndjson", "記事の長い長い名前のファイル.ndjson", "👩‍👩‍👧‍👦".repeat(20)]) {
      for (let columns = 1; columns <= 200; columns++) {
        const drawn = lines(wide, { columns, label, color: columns % 2 === 0 });
        expect(drawn.length).toBeLessThanOrEqual(6);
        for (const line of drawn)
          expect(stringWidth(line), `${columns}: ${line}`).toBeLessThanOrEqual(Math.max(1, columns - 1));
      }
    }
  });

  test("keeps what matters most at 40 columns", () => {
    const text = lines(report(), { columns: 40 });
    expect(text[0]).toContain("58 %");
    expect(text[1]).toContain("11,571 written · 31 failed");
    expect(text[2]).toContain("92 of 96 in flight");
    expect(text[4]).toContain("41 for the input token limit");
  });

  test("shows no bar where nobody knows how much there is", () => {
    const text = lines(report({ bytesTotal: null }), { label: "stdin" });
    expect(text[0]).toBe("stdin  4m 12s · 585 MB read · 2.3 MB/s");
  });

  test("counts only what has gone all the way as done, not what was read ahead", () => {
    const ahead = report({ read: 100, written: 10, deadLettered: 0, bytesRead: 500, bytesTotal: 1_000 });
    expect(lines(ahead)[0]).toContain(" 5 %");
  });

  test("goes by the records where only the first are read", () => {
    const trend = new Trend(20);
    trend.add(report({ read: 20, written: 15, deadLettered: 0, bytesRead: 10 }));
    expect(trend.fraction).toBe(0.75);
  });

  test("never says $0 for a cost that nobody knows, and what it will be at the end where it is known", () => {
    expect(lines(report()).join()).not.toContain("$");
    const known = report({ cost: 12.83, costAtMost: 12.83, pricesDate: "2026-08-20" });
    expect(lines(known, { columns: 120 }).at(-1)).toBe(
      "used     cost $12.83, about $22.12 at the end · 8.2M tokens in, 1.1M out · 86.0 MB of memory · prices of 2026-08-20",
    );
  });

  test("says which provider is out of order", () => {
    const out = report({ lanes: [{ ...lane, state: "outage", pacePerMinute: null }], heldBy: "outage" });
    expect(lines(out)[2]).toContain("anthropic is out of order");
  });

  test("is short where nobody is called", () => {
    const local = report({
      lanes: [],
      limits: [],
      requests: 0,
      waiting: 0,
      usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
    });
    expect(lines(local)).toHaveLength(3);
  });

  test("has colours only where they are wanted, and only plain characters where there are no others", () => {
    expect(lines(report()).join("")).toBe(stripVTControlCharacters(lines(report()).join("")));
    expect(lines(report(), { color: true }).map(stripVTControlCharacters)).toEqual(lines(report()));
    expect(lines(report(), { ascii: true }).join("")).toMatch(/^[\x20-\x7e]+$/);
  });
});

describe("the end summary", () => {
  const places = { outputs: ["out.ndjson"], deadLetters: "out.failed.ndjson", leftOf: () => undefined, store: "s.db" };
  const failures = { invalid_json: 9, refused: 8, timeout: 7, server_error: 6, invalid_answer: 5, missing_content: 4 };
  const worst = report({
    failures,
    deadLettered: 39,
    dropped: 5,
    read: 11_615,
    unfinished: 0,
    cached: 3,
    unknownUsage: 12,
    cost: 22.1,
    heldBackMs: { input: 41_000, requests: 30_000, outage: 20_000, pause: 10_000, pace: 5_000 },
  });

  test("has twelve lines at most, and counts that add up", () => {
    const { summary: text } = lastWords({ report: worst, error: undefined }, 1, places);
    expect(text.length).toBeLessThanOrEqual(12);
    expect(text[0]).toBe("Done in 4m 12s: 11,571 written, 39 failed, 5 dropped, of 11,615 read");
    expect(text[1]).toBe(
      "  failed       0.34 %: 9 not valid JSON · 8 refused by the model · 7 timed out · 15 for other reasons",
    );
    expect(text.join("\n")).toContain("12 calls broke off, perhaps billed");
    expect(text.join("\n")).toContain("cost         $22.10");
  });

  test("says what to type next: the same command for faults, --retry-failed for answers of no use", () => {
    const next = (changes: Partial<RunReport>) =>
      lastWords({ report: report({ unfinished: 0, ...changes }), error: undefined }, 1, places).summary.at(-1);
    expect(next({ failures })).toBe(
      "The same command again tries 13 of them again, at the price of these only; --retry-failed asks anew for the 13 whose answers were of no use.",
    );
    expect(next({ failures: { timeout: 2 } })).toBe(
      "The same command again tries 2 of them again, at the price of these only.",
    );
    expect(next({ failures: { refused: 2 } })).toMatch(/^With the same command, --retry-failed asks anew for the 2 /);
    expect(next({ failures: { refused: 1 } })).toMatch(/asks anew for the one whose answer was of no use\.$/);
    expect(next({ failures: { invalid_json: 2 } })).toMatch(/out\.failed\.ndjson says which and why/);
  });

  test("counts failures against the records that have ended, when a run was stopped", () => {
    const stopped = report({ read: 500, deadLettered: 3, unfinished: 350, failures: { refused: 3 } });
    const text = summary(stopped, { ending: "Interrupted", outputs: ["-"], deadLetters: "x" }).join("\n");
    expect(text).toContain("failed       2.0 %: 3 refused by the model");
  });

  test("says that a cost is unknown, and not $0", () => {
    const text = summary(report(), { ending: "Done", outputs: ["-"], deadLetters: "x" }).join("\n");
    expect(text).toContain("cost         unknown");
    expect(text).not.toContain("$");
  });

  test("says why counts do not add up where a stage makes several records of one", () => {
    const [first] = summary(report({ read: 5, written: 20, deadLettered: 0, unfinished: 0 }), {
      ending: "Done",
      outputs: ["-"],
      deadLetters: "x",
    });
    expect(first).toMatch(/20 written, 0 failed, 0 dropped, of 5 read \(a stage makes several/);
  });
});
