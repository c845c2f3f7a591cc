/** Inputs that are large in one way: time grows with their size and no faster, memory hardly at all. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ReadOptions, read } from "../../src/sources/read.ts";
import { letterBox } from "../streams.ts";
import { folder, readRows, rows, startCli, TIMED } from "../support.ts";

const MIB = 1024 * 1024;

describe("time grows as the input does", () => {
  const long = (length: number) => Buffer.alloc(length, "x").toString("latin1");
  const kinds: Record<string, [ReadOptions, (length: number) => string]> = {
    "one line": [{}, (length) => `{"a":"${long(length)}"}\n`],
    "one line of escapes": [{}, (length) => `{"a":"${'\\"'.repeat(length / 2)}"}\n`],
    "one line that is nested": [{}, (length) => `${"[".repeat(length)}\n`],
    "one line that is too long": [{ maxLineBytes: 100 }, (length) => `${long(length)}\n`],
    "lines that are broken": [{}, (length) => "x\n".repeat(length / 512)],
    "blank lines": [{}, (length) => "\n".repeat(length / 8)],
    "one item": [{ format: "json" }, (length) => `[{"a":"${long(length)}"}]`],
    "one item of escapes": [{ format: "json" }, (length) => `[{"a":"${'\\"'.repeat(length / 2)}"}]`],
    "one item of backslashes": [{ format: "json" }, (length) => `[{"a":"${"\\\\".repeat(length / 2)}"}]`],
    "one item that is nested": [{ format: "json" }, (length) => `[${"[".repeat(length)}${"]".repeat(length)}]`],
    "spaces between items": [{ format: "json" }, (length) => `[${" \n".repeat(length / 2)}{}]`],
    "text beside the array": [{ format: "json", path: "b" }, (length) => `{"a":"${long(length)}","b":[{}]}`],
    "members beside the array": [
      { format: "json", path: "b" },
      (length) => `{${'"a":1,'.repeat(length / 64)}"b":[{}]}`,
    ],
    "one field": [{ format: "csv" }, (length) => `a\n"${long(length)}"\n`],
    "one field of quotes": [{ format: "csv" }, (length) => `a\n"${'""'.repeat(length / 2)}"\n`],
    "one field of line breaks": [{ format: "csv" }, (length) => `a\n"${"\n".repeat(length)}"\n`],
    "one row of many fields": [{ format: "csv" }, (length) => `a\n${",".repeat(length / 16)}\n`],
    "one row that is too long": [{ format: "csv", maxLineBytes: 100 }, (length) => `a\n"${long(length)}"\n`],
    "a quote that is never closed": [{ format: "csv" }, (length) => `a\n"${long(length)}`],
  };

  test.each(Object.keys(kinds))("%s", TIMED, async (kind) => {
    const [options, make] = kinds[kind] as (typeof kinds)[string];
    const timed = async (length: number) => {
      const bytes = Buffer.from(make(length));
      const chunks = Array.from({ length: Math.ceil(bytes.length / 4_096) }, (_, at) =>
        bytes.subarray(at * 4_096, (at + 1) * 4_096),
      );
      const startedAt = performance.now();
      let met = 0;
      const { stream: deadLetters, letters } = letterBox();
      for await (const _ of read(chunks, { maxLineBytes: 64 * MIB, ...options, deadLetters })) met++;
      if (kind !== "blank lines") expect(met + letters.length).toBeGreaterThan(0);
      return performance.now() - startedAt;
    };
    const best = async (length: number) => Math.min(await timed(length), await timed(length), await timed(length));
    await best(MIB / 16);
    // 16 times the size: 256 times the time if each chunk went over all that came before it.
    expect((await best(4 * MIB)) / (await best(MIB / 4))).toBeLessThan(80);
  });
});

/** Has a process write its highest memory, in KiB, to a file when it ends. */
const WATCH = `data:text/javascript,${encodeURIComponent(
  'import { writeFileSync } from "node:fs"; process.on("exit", () => writeFileSync("rss", String(process.resourceUsage().maxRSS)));',
)}`;

/** Runs the command line on a stream that is made as it is taken. */
async function fed(flags: readonly string[], parts: Iterable<Buffer>) {
  const cwd = folder();
  const args = ["analyze", ...flags, "--provider", "local", "-q"];
  const { child, ended } = startCli(args, { cwd, env: { NODE_OPTIONS: `--import=${WATCH}` } });
  let gone = false;
  child.stdin.on("close", () => {
    gone = true;
  });
  for (const part of parts) {
    if (gone) break;
    if (child.stdin.write(part)) continue;
    await new Promise<void>((resolve) => {
      const go = () => {
        child.stdin.off("drain", go).off("close", go);
        resolve();
      };
      child.stdin.on("drain", go).on("close", go);
    });
  }
  child.stdin.end();
  const { code, stdout, stderr } = await ended;
  const peak = Number(readFileSync(join(cwd, "rss"), "utf8")) / 1024;
  return { cwd, code, stderr, rows: rows(stdout), peak };
}

const RECORD = '{"id":"good","content":"A storm hit Oslo."}';

function* huge(before: string, megabytes: number, after: string, filling = "x") {
  yield Buffer.from(before);
  const part = Buffer.alloc(MIB, filling);
  for (let at = 0; at < megabytes; at++) yield part;
  yield Buffer.from(after);
}

describe("memory", () => {
  /** What the command line takes for one small record, and what it may take on top of that. */
  const small = () => fed([], [Buffer.from(RECORD)]);
  const MORE = 150;

  // The first two of 600 MiB: only there would the text of the whole line be longer than V8 allows. Some seconds each.
  test.each([
    ["line", 600, [], `${RECORD}\n{"id":"bad","content":"`, `"}\n${RECORD}\n`, 2, 25],
    ["field", 600, ["--from", "csv"], 'id,content\ngood,"a\nb"\nbad,"', '"\ngood,Sun.\n', 4, 7],
    ["item", 64, ["--from", "json"], `[${RECORD},\n{"id":"bad","content":"`, `"},\n${RECORD}]`, 2, 25],
  ] as const)(
    "for a %s of %i MiB on stdin stays small; the others are answered",
    async (_, size, flags, before, after, line, around) => {
      const [{ peak: least }, ended] = await Promise.all([small(), fed(flags, huge(before, size, after))]);
      expect([ended.code, ended.stderr]).toEqual([1, ""]);
      expect(ended.rows.map(({ id }) => id)).toEqual(["good", "good"]);
      const letters = readRows(join(ended.cwd, "dead-letters.ndjson"));
      const source = { line, byteOffset: before.lastIndexOf("\n") + 1 };
      expect(letters).toMatchObject([{ error: { code: "line_too_long" }, source }]);
      expect(letters[0]?.error.message).toContain(` has ${size * MIB + around} bytes`);
      expect(letters[0]?.raw).toHaveLength(1_024);
      expect(ended.peak).toBeLessThan(least + MORE);
    },
  );

  test("for a file of lines of 64 MiB and of ten million levels stays small", async () => {
    const cwd = folder();
    const path = join(cwd, "in.ndjson");
    const levels = '{"a":'.repeat(10_000_000);
    writeFileSync(path, [RECORD, `"${"x".repeat(64 * MIB)}"`, RECORD, levels, RECORD].join("\n"));
    const [{ peak: least }, ended] = await Promise.all([small(), fed([path, "--max-failures", "2"], [])]);
    expect([ended.code, ended.stderr, ended.rows.length]).toEqual([0, "", 3]);
    const letters = readRows(join(ended.cwd, "dead-letters.ndjson"));
    expect(letters.map(({ error, source }) => [error.code, source?.line])).toEqual([
      ["line_too_long", 2],
      ["line_too_long", 4],
    ]);
    expect(ended.peak).toBeLessThan(least + MORE);
  });

  test("for ten million levels within the limit of a line, or around the array, does not overflow", async () => {
    const path = join(folder(), "in.ndjson");
    writeFileSync(path, [RECORD, "[".repeat(10_000_000), RECORD].join("\n"));
    const [deep, around] = await Promise.all([
      fed([path], []),
      fed(["--from", "json", "--path", "a"], huge('{"b":', 10, "", "[")),
    ]);
    expect([deep.code, deep.stderr, deep.rows.length]).toEqual([1, "", 2]);
    expect(readRows(join(deep.cwd, "dead-letters.ndjson"))).toMatchObject([{ error: { code: "too_deep" } }]);
    expect(around.code).toBe(3);
    expect(around.stderr).toContain("nested deeper than 512 levels");
  });
});
