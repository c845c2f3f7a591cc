import { describe, expect, test } from "vitest";
import { samples } from "./samples.ts";

const wordCount = (text: string): number => text.split(/\s+/).filter(Boolean).length;

describe("samples/articles.ndjson", () => {
  test("holds at least 28 articles with ids and addresses of their own", () => {
    expect(samples.length).toBeGreaterThanOrEqual(28);
    expect(new Set(samples.map(({ id }) => id)).size).toBe(samples.length);
    expect(new Set(samples.map(({ url }) => url)).size).toBe(samples.length);
  });

  test("has articles in at least four languages besides English", () => {
    const others = samples.filter(({ language }) => language !== "en");
    expect(others.length).toBeGreaterThanOrEqual(4);
    expect(new Set(others.map(({ language }) => language)).size).toBeGreaterThanOrEqual(4);
  });

  test.each(samples.map((sample) => [sample.id, sample] as const))("%s is a whole article", (_id, sample) => {
    const words = wordCount(sample.content);
    expect(words).toBeGreaterThanOrEqual(300);
    expect(words).toBeLessThanOrEqual(900);
    expect(sample.content.split("\n\n").length).toBeGreaterThanOrEqual(5);
    expect(sample.url).toMatch(/^https:\/\/example\.org\//);
    expect(new Date(sample.date).toISOString().slice(0, 10)).toBe(sample.date);
    for (const field of [sample.title, sample.author, sample.source]) expect(field.trim()).not.toBe("");
  });
});
