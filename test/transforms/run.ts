/** A run through the stages that a test is about. */

import { join } from "node:path";
import { pipeline, type StageInput } from "../../src/pipeline.ts";
import { read } from "../../src/sources/read.ts";
import { collector, letterBox, numbered } from "../streams.ts";
import { folder, writeLines } from "../support.ts";

export type Numbered = { readonly id: number };

/** A run through one or more stages, from a file so that records have sources. */
export async function run(count: number, ...stages: StageInput[]) {
  const path = writeLines(join(folder(), "in.ndjson"), numbered(count));
  const { letters, stream: deadLetters } = letterBox();
  const { records, stream } = collector();
  const report = await pipeline(read(path), ...stages, stream, { deadLetters });
  return { records: records as Numbered[], letters, report };
}
