/** Articles of 2,000 words, made of the samples: no two alike, and with more names than real ones have. */

import type { Sample } from "./samples.ts";

export const WORDS = 2_000;

export function longArticles(samples: readonly Sample[], count: number): { title: string; content: string }[] {
  const english = samples.filter(({ language }) => language === "en");
  return Array.from({ length: count }, (_, at) => {
    // A different stride each round, so that other articles meet.
    const stride = 1 + Math.floor(at / english.length);
    const parts = Array.from({ length: 6 }, (_, part) => english[(at + part * stride) % english.length]!);
    const words = parts.flatMap(({ content }) => content.split(/(?<=\s)/));
    return { title: parts[0]!.title, content: words.slice(0, WORDS).join("") };
  });
}
