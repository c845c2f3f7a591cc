/** (i) The store of responses by itself. */

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inProcess } from "../load.ts";
import { median, type Row } from "../row.ts";

interface Said {
  readonly puts: number;
  readonly hits: number;
}

export const store: Row = {
  title: "answers of 2 kB put into the store (100 at a time, each on disk before it counts) and found again",
  run: async ({ folder, millrace, runs, scale, said }) => {
    const seen: Said[] = [];
    for (let round = 0; round < runs; round++) {
      const place = mkdtempSync(join(folder, "store-"));
      const job = { millrace, path: join(place, "responses.db"), count: Math.round(50_000 * scale) };
      seen.push(await inProcess<Said>("loads/store.js", [JSON.stringify(job)]));
      rmSync(place, { recursive: true });
      said("the store");
    }
    const [puts, hits] = [median(seen.map((each) => each.puts)), median(seen.map((each) => each.hits))];
    const lines = [{ who: "store", columns: { "puts/s": puts, "hits/s": hits } }];
    return { lines, bars: [{ row: "i", what: "hits/s", value: hits, least: 20_000 }], runs: seen };
  },
};
