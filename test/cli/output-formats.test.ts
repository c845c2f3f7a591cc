/** The output's format, by its ending. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { strictCsv } from "../sinks/strict-csv.ts";
import { articles, cli, folder, readRows, rows, writeLines } from "../support.ts";

const LOCAL = ["analyze", "in.ndjson", "--provider", "local"];

function place() {
  const cwd = folder();
  writeLines(join(cwd, "in.ndjson"), [...articles(3), "no JSON"]);
  return { cwd, run: (...args: string[]) => cli([...LOCAL, ...args], { cwd }) };
}

describe("-o", () => {
  test("writes what its endings say; the dead letters' name has none of them", async () => {
    const { cwd, run } = place();
    const bytes = (name: string) => readFileSync(join(cwd, name));
    for (const name of ["a.ndjson", "b.json.gz", "c.csv.zst"]) expect((await run("-o", name)).code).toBe(1);
    const plain = rows(bytes("a.ndjson").toString());
    expect(JSON.parse(gunzipSync(bytes("b.json.gz")).toString())).toEqual(plain);
    const [header = [], ...lines] = strictCsv(zstdDecompressSync(bytes("c.csv.zst")).toString());
    expect(header.slice(0, 5)).toEqual(["id", "title", "url", "analysis.title", "analysis.summary"]);
    expect(lines.map(([id]) => id)).toEqual(plain.map(({ id }) => id));
    const summary = header.indexOf("analysis.summary");
    expect(lines.map((line) => line[summary])).toEqual(plain.map(({ analysis }) => analysis.summary));
    expect(readRows(join(cwd, "c.failed.ndjson"))).toMatchObject([{ error: { code: "invalid_json" } }]);
    expect(readdirSync(cwd).sort()).toEqual(
      [
        "a.failed.ndjson",
        "a.ndjson",
        "b.failed.ndjson",
        "b.json.gz",
        "c.csv.zst",
        "c.failed.ndjson",
        "in.ndjson",
      ].sort(),
    );
  });

  test("writes the same bytes when the same command is run again", async () => {
    const { cwd, run } = place();
    for (const name of ["out.csv.gz", "out.json.zst"]) {
      await run("-o", name);
      const once = readFileSync(join(cwd, name));
      await run("-o", name);
      expect(readFileSync(join(cwd, name)).equals(once)).toBe(true);
    }
  });
});

describe("--columns", () => {
  test("says of a misspelt one that no record has it", async () => {
    const { run } = place();
    const { code, stderr } = await run("-o", "out.csv", "--columns", "id,analysis.titel");
    expect(code).toBe(1);
    expect(stderr).toContain('none of the 3 records has: "analysis.titel" (did you mean "analysis.title"?)');
    expect(stderr).not.toContain("Warning");
  });

  test("chooses the columns of a CSV", async () => {
    const { cwd, run } = place();
    expect((await run("-o", "out.csv", "--columns", "analysis.language, id")).code).toBe(1);
    expect(readFileSync(join(cwd, "out.csv"), "utf8")).toBe("analysis.language,id\nen,a0\nen,a1\nen,a2\n");
  });

  test.each<[string[], RegExp]>([
    [["--columns", "id"], /--columns is for CSV: give an --output that ends in \.csv/],
    [["-o", "out.json", "--columns", "id"], /--columns is for CSV/],
    [["-o", "out.csv", "--columns", "id,,title"], /--columns takes fields, as id,analysis\.title, got "id,,title"/],
    [["-o", "out.csv", "--columns", "id,id"], /--columns names "id" twice/],
    [["-o", "out.tsv"], /out\.tsv: "\.tsv" is not supported/],
    [["--dead-letters", "failed.csv"], /Dead letters cannot be CSV \(failed\.csv\)/],
  ])("%j is refused before anything is written", async (args, message) => {
    const { cwd, run } = place();
    const ended = await run(...args);
    expect(ended.stderr).toMatch(message);
    expect(ended.code).toBe(2);
    expect(ended.stdout).toBe("");
    expect(readdirSync(cwd)).toEqual(["in.ndjson"]);
  });
});
