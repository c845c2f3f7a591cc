/** A file appears whole or not at all. */

import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { describe, expect, test } from "vitest";
import { pipeline } from "../../src/pipeline.ts";
import { type WriteOptions, write } from "../../src/sinks/write.ts";
import { caught, numbered, script, turns } from "../streams.ts";
import { folder, readRows } from "../support.ts";

const output = () => join(folder(), "out.ndjson");

/** A source that gives some records and then fails. */
async function* breaking(count: number) {
  yield* numbered(count);
  await turns(2);
  throw new Error("the cable");
}

describe("write to a path", () => {
  test("makes the file, and the folders above it, when all is written, and not before", async () => {
    const dir = folder();
    const path = join(dir, "a/b/out.ndjson");
    const seen: boolean[] = [];
    async function* records() {
      for (const record of numbered(3)) {
        yield record;
        await turns(20);
        seen.push(existsSync(path), existsSync(`${path}.partial`));
      }
    }
    const sink = write(path);
    await pipeline(records(), sink);
    expect(seen).toEqual([false, true, false, true, false, true]);
    expect(readFileSync(path, "utf8")).toBe('{"id":0}\n{"id":1}\n{"id":2}\n');
    expect(readdirSync(join(dir, "a/b"))).toEqual(["out.ndjson"]);
    expect(sink.report).toMatchObject({ name: "write", in: 3, out: 3 });
  });

  test("makes an empty file of no records", async () => {
    const path = output();
    await pipeline([], write(path));
    expect(readFileSync(path, "utf8")).toBe("");
  });

  test("replaces an older output only when the new one is complete", async () => {
    const path = output();
    writeFileSync(path, "old\n");
    await caught(pipeline(breaking(5), write(path)));
    expect(readFileSync(path, "utf8")).toBe("old\n");
    expect(readRows(`${path}.partial`)).toEqual(numbered(5));
    await pipeline(numbered(2), write(path));
    expect(readRows(path)).toEqual(numbered(2));
    expect(existsSync(`${path}.partial`)).toBe(false);
  });

  test("leaves no partial file of nothing", async () => {
    const dir = folder();
    await caught(pipeline(breaking(0), write(join(dir, "out.ndjson"))));
    expect(readdirSync(dir)).toEqual([]);
  });

  test("leaves whole lines when it is destroyed in the middle", async () => {
    const path = output();
    const sink = write(path);
    sink.on("error", () => {});
    const record = { text: "x".repeat(3_000) };
    let taken = 0;
    for (; taken < 1_000; taken++) {
      if (!sink.write(record)) await new Promise((resolve) => sink.once("drain", resolve));
      if (taken % 100 === 99) await turns(1);
    }
    sink.write(record);
    sink.destroy(new Error("enough"));
    await caught(finished(sink));
    await new Promise((resolve) => (sink.closed ? resolve(0) : sink.once("close", resolve)));
    const text = readFileSync(`${path}.partial`, "utf8");
    expect(text.endsWith("\n")).toBe(true);
    const rows = readRows(`${path}.partial`);
    expect(rows.length).toBeGreaterThan(900);
    expect(rows.length).toBe(sink.report.out);
    for (const row of rows) expect(row).toEqual(record);
  });

  test("leaves whole lines when the disk is full in the middle of one, and says so", async () => {
    const path = output();
    const { stdout, stderr } = await script(
      `
      import { pipeline, write } from "./src/index.ts";
      async function* records() {
        for (let id = 0; id < 200; id++) {
          yield { id, text: "x".repeat(1_000) };
          await new Promise(setImmediate);
        }
      }
      await pipeline(records(), write(process.argv[1])).catch(({ code, message, cause, report }) =>
        console.log(JSON.stringify({ code, message, cause: cause.code, written: report.written })));
      `,
      // Blocks of 512 bytes or, in some shells, of 1,024.
      { args: [path], first: "ulimit -f 141" },
    );
    expect(stderr).toBe("");
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ code: "sink_failed", cause: "EFBIG" });
    expect(told.message).toContain(path);
    const rows = readRows(`${path}.partial`);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.length).toBeLessThan(150);
    expect(rows.length).toBe(told.written);
    expect(readFileSync(`${path}.partial`, "utf8").endsWith("}\n")).toBe(true);
    expect(existsSync(path)).toBe(false);
  });

  test("follows a link, also one to a file that is not there yet", async () => {
    for (const exists of [true, false]) {
      const dir = folder();
      mkdirSync(join(dir, "real"));
      if (exists) writeFileSync(join(dir, "real/out.ndjson"), "old\n");
      symlinkSync("real/out.ndjson", join(dir, "second.ndjson"));
      symlinkSync(join(dir, "second.ndjson"), join(dir, "link.ndjson"));
      await pipeline(numbered(2), write(join(dir, "link.ndjson")));
      expect(readRows(join(dir, "real/out.ndjson"))).toEqual(numbered(2));
      expect(readlinkSync(join(dir, "second.ndjson"))).toBe("real/out.ndjson");
      expect(readdirSync(dir).sort()).toEqual(["link.ndjson", "real", "second.ndjson"]);
      expect(readdirSync(join(dir, "real"))).toEqual(["out.ndjson"]);
    }
  });

  test("writes straight to what is no regular file", async () => {
    expect(await pipeline(numbered(1_000), write("/dev/null"))).toMatchObject({ written: 1_000 });
    expect(existsSync("/dev/null.partial")).toBe(false);
  });

  test("fails with sink_failed and its cause when the system takes no more", async () => {
    const error = await caught(pipeline(numbered(1_000), write("/dev/full")));
    expect(error).toMatchObject({ code: "sink_failed", cause: { code: "ENOSPC" }, report: { written: 0 } });
    expect(error.message).toMatch(/^Writing \/dev\/full failed: ENOSPC/);
  });

  test.each<[string, (dir: string) => string, string]>([
    ["below a file", (dir) => join(dir, "file/out.ndjson"), "ENOTDIR"],
    ["of a folder", (dir) => join(dir, "folder"), "EISDIR"],
    ["in a device", () => "/dev/null/out.ndjson", "ENOTDIR"],
    ["of links in a circle", (dir) => join(dir, "circle"), "ELOOP"],
  ])("refuses the name %s before anything is read", async (_, name, cause) => {
    const dir = folder();
    writeFileSync(join(dir, "file"), "");
    mkdirSync(join(dir, "folder"));
    symlinkSync("circle", join(dir, "circle"));
    let read = false;
    function* records() {
      read = true;
      yield { id: 1 };
    }
    const error = await caught(pipeline(records(), write(name(dir))));
    expect(error).toMatchObject({ code: "invalid_option", kind: "configuration", cause: { code: cause } });
    expect(error.message).toContain("Cannot write");
    expect(read).toBe(false);
    expect(readdirSync(dir).sort()).toEqual(["circle", "file", "folder"]);
  });

  test.each<[WriteOptions, RegExp]>([
    [
      { deadletters: undefined } as WriteOptions,
      /write\(\) has no option "deadletters"\. Did you mean "deadLetters"\?/,
    ],
    [{ format: "xml" as "ndjson" }, /`format` must be one of "ndjson", "json", "csv", got "xml"/],
  ])("refuses the options %j", (options, message) => {
    expect(() => write("out.ndjson", options)).toThrow(message);
  });

  test("refuses an ending of another format, and what is no output", () => {
    for (const path of ["a.tsv", "a.ndjson.xz", "a.parquet"]) {
      expect(() => write(path)).toThrow(/is not supported in this version/);
    }
    for (const none of [7, null, undefined, {}])
      expect(() => write(none as unknown as string)).toThrow(/must be a path/);
  });
});
