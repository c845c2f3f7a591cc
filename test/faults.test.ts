import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  article,
  articles,
  cli,
  environment,
  folder,
  KEY,
  readRows,
  retriesAtOnce,
  simulator,
  VENDOR_NAMES,
  writeLines,
} from "./support.ts";

const FAULTS = {
  error500: 0.06,
  overloaded529: 0.04,
  resetBeforeHeaders: 0.025,
  resetMidBody: 0.025,
  cutBody: 0.04,
  htmlBody: 0.03,
  rateLimit429: 0.03,
  wrongSchema: 0.04,
  timeout408: 0.02,
};

/** 300 lines: three poisoned articles, three broken lines, one article without content, 293 good ones. */
function lines() {
  const all: (string | object)[] = articles(300);
  for (const at of [17, 120, 250]) all[at] = { ...article(`a${at}`), content: `POISON ${article(`a${at}`).content}` };
  all[5] = '{"id":"a5","content":';
  all[88] = "not json at all";
  all[299] = '["an","array"]';
  all[42] = { id: "a42", title: "Nothing in it" };
  return all;
}

const BROKEN = [5, 17, 42, 88, 120, 250, 299];

describe("a run under faults", () => {
  for (const vendor of VENDOR_NAMES) {
    for (const seed of [11, 42]) {
      test(`${vendor}, seed ${seed}: 293 answers and 7 dead letters, none lost or double, exit 1`, async () => {
        const cwd = folder();
        const server = await simulator({ seed, latency: 20, faults: FAULTS, poison: "POISON", retryAfter: 0.05 });
        writeLines(join(cwd, "in.ndjson"), lines());
        retriesAtOnce(cwd);
        const args = [
          "analyze",
          "in.ndjson",
          "-o",
          "out.ndjson",
          "-c",
          "40",
          "--provider",
          vendor,
          "--report",
          "report.json",
        ];
        const ended = await cli(args, { cwd, env: environment(server.url, vendor) });
        expect(ended.stderr).toContain("293 written, 7 failed");
        expect(ended.code).toBe(1);

        const good = readRows(join(cwd, "out.ndjson"));
        const expected = Array.from({ length: 300 }, (_, index) => index).filter((index) => !BROKEN.includes(index));
        expect(good.map((row) => row.id)).toEqual(expected.map((index) => `a${index}`));
        for (const row of good) expect(row.analysis.summary).toContain(` ${row.id}`);

        const letters = readRows(join(cwd, "out.failed.ndjson"));
        expect(letters.map((row) => row.source?.line).sort((a, b) => Number(a) - Number(b))).toEqual(
          BROKEN.map((index) => index + 1),
        );
        const { byOutcome } = await server.stats();
        // A run in which no fault fired would prove nothing.
        for (const fault of Object.keys(FAULTS)) expect(byOutcome[fault as never], fault).toBeGreaterThan(0);
        const everything = JSON.stringify([ended, good, letters]);
        expect(everything).not.toContain(KEY);
      });
    }
  }
});
