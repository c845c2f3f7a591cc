/** Each file operation of a run fails once. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { analyzeCommand } from "../../src/cli/commands.ts";
import { exitCodeOf, messageOf } from "../../src/cli/exit.ts";
import { type Faulty, installFault } from "../faulty-fs.ts";
import { articles, cli, folder, ROOT, writeLines } from "../support.ts";

const CODES = ["ENOSPC", "EIO", "EACCES", "EMFILE"];

/**
 * What changes nothing when it fails: looks at what may not be there (the dead letters' place, an older output and its
 * mode), the making of a folder that is there already, and the folder and the lock let go when all is done.
 */
const HARMLESS = [/^stat /, /^mkdir $/, /^rm .*\.lock$/, /^close $/];

/** Runs the command in this process; what it says on stderr. */
async function command(input: string, output: string) {
  const { write } = process.stderr;
  let stderr = "";
  process.stderr.write = ((text: string) => {
    stderr += text;
    return true;
  }) as typeof write;
  try {
    const flags = { output, provider: "local", progress: "none", report: `${output}.report` } as const;
    return { code: await analyzeCommand([input], flags), stderr };
  } catch (error) {
    return { code: exitCodeOf(error), stderr: `${stderr}millrace: ${messageOf(error)}\n` };
  } finally {
    process.stderr.write = write;
  }
}

/** The names and contents of a folder's files, but for the report, which tells the time. */
const contents = (path: string): Record<string, string> =>
  Object.fromEntries(
    (existsSync(path) ? readdirSync(path) : [])
      .filter((name) => !name.endsWith(".report"))
      .map((name) => [name, readFileSync(join(path, name), "latin1")]),
  );

interface Place {
  readonly input: string;
  readonly out: string;
  readonly output: string;
}

/**
 * 12 articles, and two lines that become dead letters; a function that makes the folder to write into anew, with what an
 * older run has left where `older` says so.
 */
function place(name: string, older: boolean): () => Place {
  const dir = folder();
  const lines = articles(12);
  const all = [...lines.slice(0, 6), "{broken", ...lines.slice(6), "[]"];
  const input = writeLines(join(dir, "in.ndjson"), all);
  const out = join(dir, "out");
  return () => {
    rmSync(out, { recursive: true, force: true });
    if (older) {
      mkdirSync(out);
      writeFileSync(join(out, name), "older\n");
      writeFileSync(join(out, "out.failed.ndjson"), "older letters\n");
    }
    return { input, out, output: join(out, name) };
  };
}

const plain = (name: string, bytes: string): string => {
  const buffer = Buffer.from(bytes, "latin1");
  return (
    name.includes(".gz") ? gunzipSync(buffer) : name.includes(".zst") ? zstdDecompressSync(buffer) : buffer
  ).toString();
};

/** What a run may leave that met a fault: what was there before, or all of it, or a part that can be read. */
function expectKept(left: Record<string, string>, older: Record<string, string>, whole: Record<string, string>) {
  for (const [name, bytes] of Object.entries(left)) {
    if (name.endsWith(".lock")) continue;
    const complete = name.replace(/\.partial$/, "");
    if (name === complete) {
      expect([older[name], whole[name]], name).toContain(bytes);
      continue;
    }
    // What is written in one piece with its end may lack that; else a part must read as what it is a part of.
    const lines = /\.(ndjson|csv)$/.test(complete);
    if (!lines && whole[complete]?.startsWith(bytes)) continue;
    const text = plain(complete, bytes);
    if (complete.endsWith(".json")) JSON.parse(text);
    else {
      expect(text.endsWith("\n"), name).toBe(true);
      expect(plain(complete, whole[complete] ?? "").startsWith(text), name).toBe(true);
    }
  }
}

describe.each<[string, boolean[]]>([
  ["out.ndjson", [false, true]],
  ["out.json", [true]],
  ["out.csv", [false]],
  ["out.ndjson.gz", [true]],
  ["out.csv.zst", [false]],
])("a run into %s", (name, olders) => {
  test.each(olders)(
    "that fails at any file operation keeps what was done, says what failed, and can be done again (an older output: %s)",
    async (older) => {
      const fresh = place(name, older);
      const { input, out, output } = fresh();
      expect((await command(input, output)).code).toBe(1);
      const whole = contents(out);
      const codes = new Set<number>();
      let at = 1;
      for (; at < 200; at++) {
        const there = fresh();
        const before = contents(there.out);
        const faulty: Faulty = installFault({ under: there.out, at, code: CODES[at % CODES.length] ?? "EIO" });
        const { code, stderr } = await command(there.input, there.output).finally(faulty.restore);
        // The last operation is behind us: this run met no fault.
        if (faulty.fired === undefined) {
          expect(code).toBe(1);
          break;
        }
        const where = `${at}: ${faulty.fired}: exit ${code}\n${stderr}`;
        codes.add(code);
        if (code === 1) {
          expect(
            HARMLESS.some((harmless) => harmless.test(faulty.fired ?? "")),
            where,
          ).toBe(true);
          expect(contents(there.out), where).toMatchObject(whole);
        } else {
          expect([2, 3], where).toContain(code);
          expect(stderr, where).toMatch(new RegExp(`^millrace: .*${there.out}/out.*${CODES[at % CODES.length]}`, "m"));
          expect(stderr, where).not.toMatch(/^ {4}at |bug in millrace/m);
          expectKept(contents(there.out), before, whole);
          const [, kept] = /kept in (\S+);/.exec(stderr) ?? [];
          if (kept !== undefined) expect(existsSync(kept), where).toBe(true);
          if (code === 2) expect(contents(there.out), where).toMatchObject(before);
        }
        expect((await command(there.input, there.output)).code, where).toBe(1);
        expect(contents(there.out), where).toEqual(whole);
      }
      expect(at).toBeGreaterThan(20);
      expect(at).toBeLessThan(200);
      expect([...codes].sort()).toEqual([1, 2, 3]);
    },
  );

  test("whose writes are all cut short in turn is whole nevertheless", async () => {
    const fresh = place(name, false);
    const { input, out, output } = fresh();
    await command(input, output);
    const whole = contents(out);
    for (let at = 1; at < 100; at++) {
      const there = fresh();
      const faulty = installFault({ under: there.out, at, code: "short" });
      const { code } = await command(there.input, there.output).finally(faulty.restore);
      expect(code).toBe(1);
      expect(contents(there.out)).toEqual(whole);
      if (faulty.fired !== undefined) continue;
      expect(at).toBeGreaterThan(1);
      break;
    }
  });
});

describe("the command line", () => {
  test.each([
    ["write out.ndjson.partial", 3],
    ["rename out.ndjson.partial", 3],
    ["sync out.failed.ndjson.partial", 3],
    ["rm out.ndjson.lock", 1],
  ])("that meets a full disk at %s ends with %i, and its next run is whole", async (operation, expected) => {
    const fresh = place("out.ndjson", true);
    const { input, out, output } = fresh();
    const cwd = join(out, "..");
    const args = ["analyze", input, "-o", output, "--provider", "local", "--report", `${output}.report`];
    await command(input, output);
    const whole = contents(out);
    fresh();
    const fault = { under: out, at: 1, only: operation, code: "ENOSPC", report: join(cwd, "fired") };
    const preload = pathToFileURL(join(ROOT, "test/faulty-fs.ts")).href;
    const env = { NODE_OPTIONS: `--import=${preload}`, MILLRACE_TEST_FAULT: JSON.stringify(fault) };
    const { code, stderr } = await cli(args, { cwd, env });
    expect(readFileSync(join(cwd, "fired"), "utf8"), "the fault must have fired").toBe(operation);
    expect(code, stderr).toBe(expected);
    expect(stderr).not.toMatch(/^ {4}at /m);
    if (expected > 1) expect(stderr).toMatch(/out(\.failed)?\.ndjson.*ENOSPC/);
    expect(["older\n", whole["out.ndjson"]]).toContain(readFileSync(output, "utf8"));
    expect((await command(input, output)).code).toBe(1);
    expect(contents(out)).toEqual(whole);
  });
});
