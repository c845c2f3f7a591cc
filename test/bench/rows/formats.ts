/** (h) Each format read and written, beside the bare loop that one would write in its place. */

import { statSync } from "node:fs";
import { join } from "node:path";
import { articlesFile } from "../articles.ts";
import { inProcess } from "../load.ts";
import { type Bar, type Context, type Line, median, type Row } from "../row.ts";

const FORMATS = ["ndjson", "json", "csv", "ndjson.gz", "ndjson.zst"];
const HOW = ["millrace", "bare"] as const;
const WORDS = 2_000;
/** Different articles, written over and over: more text than a compressor looks back on. */
const DISTINCT = 2_000;

type Runs = Record<(typeof HOW)[number], number[]>;

/** Milliseconds, turn by turn. What is read is what millrace has just written. */
async function raced(format: string, what: "read" | "write", { context, count }: Given): Promise<Runs> {
  const { folder, seed, millrace, runs } = context;
  const from = await articlesFile(folder, { count: DISTINCT, words: WORDS, seed });
  const seen: Runs = { millrace: [], bare: [] };
  for (let round = 0; round < runs; round++) {
    for (const how of HOW) {
      const path = join(folder, what === "read" || how === "millrace" ? `all.${format}` : `bare.${format}`);
      const job = { millrace, how, what, format, path, records: { from, count } };
      const { ms, seen: records } = await inProcess<Said>("loads/formats.js", [JSON.stringify(job)]);
      if (what === "read" && records !== count)
        throw new Error(`${how} read ${records} of ${count} ${format} records.`);
      seen[how].push(ms);
    }
  }
  context.said(`${what} ${format}`);
  return seen;
}

interface Said {
  readonly ms: number;
  readonly seen: number;
}

interface Given {
  readonly context: Context;
  readonly count: number;
}

export const formats: Row = {
  title: "each format read and written, against the bare loop",
  run: async (context) => {
    const count = Math.round(20_000 * context.scale);
    const lines: Line[] = [];
    const bars: Bar[] = [];
    const all: Record<string, Runs> = {};
    for (const format of FORMATS) {
      for (const what of ["write", "read"] as const) {
        const runs = await raced(format, what, { context, count });
        all[`${what} ${format}`] = runs;
        // What is packed counts as what it holds.
        const bytes = statSync(join(context.folder, `all.${format.split(".")[0]}`)).size;
        const [ours, bare] = [median(runs.millrace), median(runs.bare)];
        const columns = {
          "records/s": count / (ours / 1_000),
          "MB/s": bytes / 1_000 / ours,
          "bare MB/s": bytes / 1_000 / bare,
          "ratio to bare": bare / ours,
        };
        lines.push({ who: `${what} ${format}`, columns });
        if (what === "read" && format === "ndjson") {
          bars.push({ row: "h", what: "NDJSON read ÷ the bare loop's speed", value: bare / ours, least: 0.85 });
        }
      }
    }
    return { lines, bars, runs: all };
  },
};
