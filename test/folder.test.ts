/** A folder is made with those above it, and one that cannot be is told at once. */

import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeFolder } from "../src/folder.ts";
import { articles, cli, folder, writeLines } from "./support.ts";

describe("a folder", () => {
  test("is made with all above it, as private as asked, and left as it is when it is there", async () => {
    const path = join(folder(), "a/b/c");
    expect(await makeFolder(path, 0o700)).toBe(true);
    expect([path, join(path, "..")].map((each) => statSync(each).mode & 0o777)).toEqual([0o700, 0o700]);
    expect(await makeFolder(path)).toBe(false);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  test("is made once by many at a time", async () => {
    const path = join(folder(), "a/b/c");
    const made = await Promise.all(Array.from({ length: 20 }, () => makeFolder(path)));
    expect(made.filter(Boolean)).toHaveLength(1);
  });

  test("below or in place of a file is told by the system's own error", async () => {
    const file = join(folder(), "file");
    writeFileSync(file, "");
    await expect(makeFolder(file)).rejects.toMatchObject({ code: "EEXIST" });
    await expect(makeFolder(join(file, "a/b"))).rejects.toMatchObject({ code: "ENOTDIR" });
  });
});

describe.runIf(existsSync("/proc/self"))("where no folder can be made though the one above is there", () => {
  test.each([
    ["a store", ["--store", "/proc/millrace/answers.db", "--provider", "openai"], 2],
    ["an output", ["-o", "/proc/millrace/out.ndjson"], 2],
    ["a database", ["-o", "/proc/millrace/out.db"], 2],
    ["a report", ["-o", "out.ndjson", "--report", "/proc/millrace/report.json"], 3],
  ])("%s is refused, by its name", async (_, args, code) => {
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), articles(1));
    const env = { OPENAI_API_KEY: "sk-none", OPENAI_BASE_URL: "http://127.0.0.1:9/v1" };
    const ended = await cli(["analyze", "in.ndjson", "--provider", "local", ...args], { cwd, env });
    expect(ended).toMatchObject({ code, stdout: "", stderr: expect.stringContaining("/proc/millrace") });
  });
});
