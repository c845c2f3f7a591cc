/**
 * The killer inputs on the command line, from files and from stdin, plain and packed. A process takes a second, so that all
 * that can stand in one document does; `cuts.test.ts` has each by itself.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { folder, readRows, startCli } from "../support.ts";
import { type Killer, MARK } from "./inputs.ts";
import { everything, killers } from "./table.ts";

const LIMITS = { maxDepth: 512 };
const PACKERS = {
  "": (bytes: Buffer) => bytes,
  ".gz": (bytes: Buffer) => gzipSync(bytes),
  ".zst": (bytes: Buffer) => zstdCompressSync(bytes),
} as const;
type Ending = keyof typeof PACKERS;

const flagsOf = ({ format, path }: Killer) => ["--from", format, ...(path === undefined ? [] : ["--path", path])];

/** What a run comes to, with its output and its dead letters wherever they lie. */
async function run(input: Buffer, place: string, flags: readonly string[]) {
  const cwd = folder();
  const args = ["analyze", place, ...flags, "--provider", "local", "-o", "out.ndjson", "--report", "report.json"];
  if (place !== "-") writeFileSync(join(cwd, place), input);
  const { child, ended } = startCli(args, { cwd });
  if (place === "-") child.stdin.write(input);
  child.stdin.end();
  const { code, stdout, stderr } = await ended;
  const found = (name: string) => [name, `${name}.partial`].map((one) => join(cwd, one)).find(existsSync);
  const [out, failed] = [found("out.ndjson"), found("out.failed.ndjson")];
  const report = existsSync(join(cwd, "report.json")) ? JSON.parse(readFileSync(join(cwd, "report.json"), "utf8")) : {};
  return {
    code,
    stdout,
    stderr,
    report,
    whole: existsSync(join(cwd, "out.ndjson")),
    text: out === undefined ? "" : readFileSync(out, "utf8"),
    rows: out === undefined ? [] : readRows(out),
    letters: failed === undefined ? [] : readRows(failed),
  };
}

/** The same input from a file and from stdin, at the same time. */
const both = (input: Buffer, file: string, flags: readonly string[]) =>
  Promise.all([file, "-"].map(async (place) => [place, await run(input, place, flags)] as const));

const letterOf = ({ error, source }: Awaited<ReturnType<typeof run>>["letters"][number]) => ({
  code: error.code,
  line: source?.line,
  byteOffset: source?.byteOffset,
});

describe.each(everything(LIMITS).map((one) => [`${one.format} with ${one.name}`, one] as const))("%s", (_, one) => {
  /** JSON has no number for it, so that the record that keeps it cannot be written again. */
  const huge = one.bytes.includes("1e400") ? one.places[one.ids.indexOf(String(hugeId(one)))] : undefined;
  const ids = one.ids.filter((id) => huge === undefined || id !== hugeId(one));
  const letters = [...one.letters, ...(huge === undefined ? [] : [{ code: "unserializable", ...huge }])];

  test.each(Object.keys(PACKERS) as Ending[])(
    `%s: ${ids.length} answers and ${letters.length} dead letters from a file and from stdin, exit 1`,
    async (ending) => {
      const flags = [...flagsOf(one), "--keep", "all"];
      for (const [place, ended] of await both(PACKERS[ending](one.bytes), `in.${one.format}${ending}`, flags)) {
        expect([ended.code, ended.stdout]).toEqual([1, ""]);
        expect(ended.rows.map(({ id }) => id)).toEqual(ids);
        expect(ended.letters.map(letterOf).sort((a, b) => Number(a.byteOffset) - Number(b.byteOffset))).toEqual(
          letters.sort((a, b) => a.byteOffset - b.byteOffset),
        );
        for (const { source } of ended.letters) expect(source?.file).toBe(place);
        const { read, written, deadLettered, unfinished } = ended.report;
        expect({ read, written, deadLettered, unfinished }).toEqual({
          read: ids.length + letters.length,
          written: ids.length,
          deadLettered: letters.length,
          unfinished: 0,
        });
        expect(ended.stderr).not.toMatch(/^\s+at |Error/m);
        if (one.format === "csv") continue;
        for (const kept of ['"__proto__":{"polluted":1}', '"Half a pair \\ud83d of it."', "U+2028 \u2028, U+2029"]) {
          expect(ended.text).toContain(kept);
        }
      }
    },
  );
});

/** The id of the record that holds 1e400. */
function hugeId({ bytes }: Killer): string | undefined {
  return /\{"id":"(r\d+)"[^{}]*1e400/.exec(bytes.toString("latin1"))?.[1];
}

const named = (format: string, name: string): Killer => {
  const found = killers(LIMITS).find((one) => one.format === format && one.name === name);
  if (found === undefined) throw new Error(`there is no ${format} with ${name}`);
  return found;
};

interface Fault {
  readonly input: Buffer;
  readonly place: string;
  readonly flags?: readonly string[];
  readonly code: number;
  readonly message: RegExp;
  readonly of: Killer;
}

test("a fault of the input: what stood before is kept, exit 3; one of its kind: nothing is sent, exit 2", async () => {
  const lines = named("ndjson", "lines that are no record");
  const whole = gzipSync(lines.bytes);
  const bomb = gzipSync(Buffer.concat([lines.bytes, Buffer.alloc(100 * 1024 * 1024, " ")]));
  const wrong = Buffer.from(whole);
  wrong[wrong.length - 8] = (wrong[wrong.length - 8] as number) ^ 1;
  const garbage = Buffer.from("garbage");
  const zstd = zstdCompressSync(lines.bytes);
  const table = (format: string, name: string, place: string, ending: Ending, code: number): Fault => {
    const of = named(format, name);
    return {
      input: PACKERS[ending](of.bytes),
      place,
      flags: flagsOf(of),
      code,
      message: of.fault?.message ?? /^$/,
      of,
    };
  };
  const packed = (place: string, message: RegExp, ...parts: Buffer[]): Fault => {
    return { input: Buffer.concat(parts), place, code: 3, message, of: lines };
  };
  const utf16 = Buffer.from(`${MARK}id,content\n1,a\n`, "utf16le");
  const faults: Fault[] = [
    table("json", "an item that is cut", "in.json", "", 3),
    table("json", "an item that is no JSON", "-", ".gz", 3),
    table("json", "a path that matches nothing, at a path", "in.json", "", 2),
    table("csv", "a header that names a column twice", "-", ".zst", 2),
    { input: utf16, place: "in.csv", code: 2, message: /is UTF-16 .*iconv -f UTF-16 -t UTF-8/, of: lines },
    packed("in.ndjson.gz", /is corrupt/, whole, garbage),
    packed("-", /is corrupt/, whole, garbage),
    packed("in.ndjson.zst", /is corrupt/, zstd, garbage),
    packed("-", /it is cut/, whole, whole.subarray(0, 9)),
    packed("in.ndjson.gz", /some of it may be wrong/, wrong),
    packed("in.ndjson.gz", /it may be a bomb/, bomb),
    packed("-", /it may be a bomb/, bomb),
  ];
  const next = faults.values();
  const worker = async () => {
    for (const { input, place, flags = [], code, message, of } of next) {
      const ended = await run(input, place, flags);
      expect([ended.stderr, ended.code, ended.whole]).toEqual([expect.stringMatching(message), code, false]);
      expect(ended.rows.map(({ id }) => id)).toEqual(code === 3 ? of.ids : []);
      expect(ended.letters.map(letterOf)).toEqual(code === 3 ? of.letters : []);
    }
  };
  await Promise.all([worker(), worker()]);
}, 60_000);
