/** Ctrl-C and SIGTERM in the middle of a run. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { articles, environment, folder, readRows, simulator, startCli, TIMED, writeLines } from "../support.ts";

/** A run with calls in flight: 200 articles, 10 calls at once. */
async function running(latency: number, ...flags: string[]) {
  const cwd = folder();
  writeLines(join(cwd, "in.ndjson"), articles(200, 5));
  const server = await simulator({ latency });
  const args = ["analyze", "in.ndjson", "-o", "out.ndjson", "-c", "10", ...flags];
  const { child, ended } = startCli(args, { cwd, env: environment(server.url, "anthropic"), input: "" });
  await until(async () => (await server.stats()).inFlight >= 10);
  return { cwd, server, child, ended };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("a signal", () => {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    test(`${signal} lets calls in flight end, keeps what is done, and exits ${code}`, async () => {
      const { cwd, server, child, ended } = await running(300);
      child.kill(signal);
      const { code: exit, stderr } = await ended;
      expect(exit).toBe(code);
      const ledger = await server.ledger();
      expect(ledger.filter((entry) => entry.aborted)).toEqual([]);
      const kept = readRows(join(cwd, "out.ndjson.partial"));
      expect(kept.map((row) => row.id)).toEqual(ledger.map((_, index) => `a${index}`));
      expect(existsSync(join(cwd, "out.ndjson"))).toBe(false);
      expect(stderr).toContain("Interrupted");
      expect(stderr).toContain(`${kept.length} written`);
    });
  }

  test("twice stops at once: sockets closed, process gone", TIMED, async () => {
    const { server, child, ended } = await running(60_000);
    child.kill("SIGINT");
    await new Promise((resolve) => child.stderr.once("data", resolve));
    const asked = performance.now();
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
    expect(performance.now() - asked).toBeLessThan(2_000);
    await until(async () => (await server.stats()).openSockets === 0);
  });

  test("calls that outlast --grace are cut off when it has passed", TIMED, async () => {
    const { child, ended } = await running(60_000, "--grace", "300ms");
    const asked = performance.now();
    child.kill("SIGTERM");
    expect((await ended).code).toBe(143);
    expect(performance.now() - asked).toBeGreaterThan(290);
    expect(performance.now() - asked).toBeLessThan(1_300);
  });
});
