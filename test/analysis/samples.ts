import { readFileSync } from "node:fs";

export interface Sample {
  readonly id: string;
  readonly title: string;
  readonly url: string;
  readonly author: string;
  readonly source: string;
  readonly date: string;
  readonly language: string;
  readonly content: string;
}

export const samples: readonly Sample[] = readFileSync(
  new URL("../../samples/articles.ndjson", import.meta.url),
  "utf8",
)
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Sample);
