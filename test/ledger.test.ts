/** The report's counts are those of the server: call by call, under faults. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ReportFile } from "../src/cli/report-file.ts";
import type { LedgerEntry } from "../src/simulator/ledger.ts";
import {
  article,
  articles,
  cli,
  environment,
  folder,
  retriesAtOnce,
  simulator,
  startCli,
  VENDOR_NAMES,
  type VendorName,
  writeLines,
} from "./support.ts";

const FAULTS = {
  error500: 0.05,
  error503: 0.03,
  overloaded529: 0.03,
  rateLimit429: 0.05,
  timeout408: 0.02,
  resetBeforeHeaders: 0.03,
  resetMidBody: 0.03,
  hang: 0.02,
  cutBody: 0.03,
  htmlBody: 0.02,
  invalidJsonBody: 0.02,
  wrongSchema: 0.05,
  maxTokensCut: 0.03,
  refusal: 0.02,
} as const;

/** How the client has to take what became of a call. */
const WAITS = new Set(["overloaded529", "rateLimit429", "rate_limited", "overloaded"]);
const NO_ANSWER = new Set(["resetBeforeHeaders", "resetMidBody", "hang", "cutBody", "htmlBody", "invalidJsonBody"]);
const REFUSED = new Set(["error500", "error503", "timeout408"]);

const isFault = ({ outcome }: LedgerEntry) => NO_ANSWER.has(outcome) || REFUSED.has(outcome);

/** What the report must say of these calls. */
function accountOf(ledger: readonly LedgerEntry[]) {
  const whole = ledger.filter((entry) => entry.delivered && !isFault(entry) && !WAITS.has(entry.outcome));
  const sum = (count: (entry: LedgerEntry) => number) => whole.reduce((total, entry) => total + count(entry), 0);
  const last = new Map<string, LedgerEntry>();
  let retries = 0;
  for (const entry of ledger) {
    const before = last.get(entry.id ?? "");
    if (before !== undefined && isFault(before)) retries++;
    last.set(entry.id ?? "", entry);
  }
  return {
    requests: ledger.length,
    retries,
    rateLimited: ledger.filter(({ outcome }) => WAITS.has(outcome)).length,
    // What says 408 may have been worked on all the same.
    unknownUsage: ledger.filter(({ outcome }) => NO_ANSWER.has(outcome) || outcome === "timeout408").length,
    inputTokens: sum(({ inputTokens }) => inputTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
  };
}

const told = ({ requests, retries, rateLimited, unknownUsage, usage }: ReportFile) => ({
  requests,
  retries,
  rateLimited,
  unknownUsage,
  inputTokens: usage.inputTokens,
  outputTokens: usage.outputTokens,
});

const reportIn = (cwd: string) => JSON.parse(readFileSync(join(cwd, "report.json"), "utf8")) as ReportFile;

async function run(vendor: VendorName, seed: number, count = 150) {
  const cwd = folder();
  const server = await simulator({ seed, latency: 5, faults: FAULTS, retryAfter: 0.05, poison: "POISON" });
  const lines: object[] = articles(count, 10);
  lines[7] = { ...article("a7", 10), content: `POISON ${article("a7", 10).content}` };
  lines[9] = { id: "a9", title: "nothing to ask about" };
  writeLines(join(cwd, "in.ndjson"), lines);
  retriesAtOnce(cwd);
  const flags = ["--provider", vendor, "-c", "30", "--timeout", "1s", "--report", "report.json"];
  const args = ["analyze", "in.ndjson", "-o", "out.ndjson", ...flags];
  const again = () => cli(args, { cwd, env: environment(server.url, vendor) });
  return { cwd, server, again, ended: await again() };
}

describe("requests, retries, refusals and tokens of a report", () => {
  for (const vendor of VENDOR_NAMES) {
    for (const seed of [3, 17]) {
      test(`are those of ${vendor}'s ledger, seed ${seed}, and what is said at the end`, async () => {
        const { cwd, server, ended, again } = await run(vendor, seed);
        const report = reportIn(cwd);
        const ledger = await server.ledger();
        expect(told(report)).toEqual(accountOf(ledger));
        expect(report.requests).toBe((await server.stats()).requests);
        for (const fault of Object.keys(FAULTS)) {
          expect(ledger.filter(({ outcome }) => outcome === fault).length, fault).toBeGreaterThan(0);
        }
        expect(report.read).toBe(150);
        expect(report.written + report.deadLettered + report.dropped + report.unfinished).toBe(150);
        const { requests, retries, rateLimited, written, deadLettered } = report;
        expect(ended.stderr).toContain(`${written} written, ${deadLettered} failed, 0 dropped, of 150 read`);
        expect(ended.stderr).toContain(`${requests} (${retries} retries, ${rateLimited} told to wait)`);

        // What the second run asks is what the first could not get.
        await again();
        const second = reportIn(cwd);
        const later = await server.ledger(ledger.length + 1);
        expect(told(second)).toEqual(accountOf(later));
        const asked = new Set(later.map(({ id }) => id)).size;
        // The one that lacks its text asks nothing.
        expect(second.cached).toBe(150 - 1 - asked);
      });
    }
  }

  test("count a call that was cut off by a stop, and no tokens for it", async () => {
    const cwd = folder();
    const server = await simulator({ latency: 60_000 });
    writeLines(join(cwd, "in.ndjson"), articles(40, 5));
    const args = ["analyze", "in.ndjson", "-o", "out.ndjson", "-c", "8", "--grace", "100ms", "--report", "report.json"];
    const { child, ended } = startCli(args, { cwd, env: environment(server.url, "anthropic"), input: "" });
    while ((await server.stats()).inFlight < 8) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
    const report = reportIn(cwd);
    expect(report).toMatchObject({
      exitCode: 130,
      error: { code: "aborted" },
      requests: 8,
      unknownUsage: 8,
      retries: 0,
    });
    expect(report.usage.inputTokens).toBe(0);
    expect(report.unfinished).toBe(report.read);
    expect((await server.stats()).requests).toBe(8);
  });
});
