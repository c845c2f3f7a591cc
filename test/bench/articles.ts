/** The articles that are asked about: made of a seed, each with its own words and an id that the simulator's answer repeats. */

import { once } from "node:events";
import { createWriteStream, existsSync } from "node:fs";
import { join } from "node:path";

export interface Made {
  readonly count: number;
  readonly words: number;
  readonly seed: number;
}

const SYLLABLES = "ka lo mi ter san ve ru en ti on ar pe du gra sil é ’".split(" ");

/** Numbers from 0 up to, without, `most`; the same for the same seed. */
export function numbers(seed: number): (most: number) => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

/** Five thousand words of one to four syllables, the first ones more frequent. */
function speaker(seed: number): (words: number) => string {
  const next = numbers(seed);
  const vocabulary = Array.from({ length: 5_000 }, () =>
    Array.from({ length: 1 + next(4) }, () => SYLLABLES[next(SYLLABLES.length)]).join(""),
  );
  return (words) => Array.from({ length: words }, () => vocabulary[next(1 + next(vocabulary.length))]).join(" ");
}

export const idOf = (index: number): string => `a${index}`;

/** Writes them once a folder; gives the file's path. */
export async function articlesFile(folder: string, { count, words, seed }: Made): Promise<string> {
  const path = join(folder, `articles-${count}-${words}-${seed}.ndjson`);
  if (existsSync(path)) return path;
  const speak = speaker(seed);
  const out = createWriteStream(path);
  for (let index = 0; index < count; index++) {
    const id = idOf(index);
    const content = `[[id:${id}]] ${speak(words)}`;
    const article = { id, title: `About ${id}: ${speak(6)}`, url: `https://example.org/${id}`, content };
    if (!out.write(`${JSON.stringify(article)}\n`)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
  return path;
}
