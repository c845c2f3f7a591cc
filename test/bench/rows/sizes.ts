/** (g) Inputs of very different sizes: memory and time per record must not grow with them. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { articlesFile } from "../articles.ts";
import { inProcess } from "../load.ts";
import { type Bar, type Context, median, type Row } from "../row.ts";

const LEAST = 10_000;
const WORDS = 60;

interface Said {
  readonly written: number;
  readonly usPerRecord: number;
  readonly rssMB: number;
}

async function measured(count: number, { folder, seed, millrace }: Context): Promise<Said> {
  const input = await articlesFile(folder, { count, words: WORDS, seed });
  const output = join(folder, "sizes.ndjson");
  const said = await inProcess<Said>("loads/records.js", [JSON.stringify({ millrace, input, output })]);
  if (said.written !== count) throw new Error(`${said.written} of ${count} records were written.`);
  rmSync(output);
  return said;
}

export const sizes: Row = {
  title: "input of 10,000 records and more (60 words each) through read → analyze → write, answered at once",
  run: async (context) => {
    const counts = [...new Set([LEAST, Math.min(10 * LEAST, context.records), context.records])];
    const seen = new Map(counts.map((count) => [count, [] as Said[]]));
    for (let round = 0; round < context.runs; round++) {
      for (const count of counts) {
        seen.get(count)?.push(await measured(count, context));
        context.said(`${count} records`);
      }
    }
    const of = (count: number, number: (said: Said) => number) => median((seen.get(count) ?? []).map(number));
    const lines = counts.map((count) => ({
      who: `${count} records`,
      columns: { "µs/record": of(count, (said) => said.usPerRecord), "peak MB": of(count, (said) => said.rssMB) },
    }));
    const most = counts.at(-1) as number;
    const ratio = (number: (said: Said) => number) => of(most, number) / of(LEAST, number);
    const name = `at ${most} records ÷ at ${LEAST}`;
    const bars: Bar[] = [
      { row: "g", what: `peak RSS ${name}`, value: ratio((said) => said.rssMB), most: 1.1 },
      { row: "g", what: `time per record ${name}`, value: ratio((said) => said.usPerRecord), most: 1.1 },
    ];
    return { lines, bars, runs: Object.fromEntries(seen) };
  },
};
