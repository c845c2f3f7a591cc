import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ARTICLE_SCHEMA } from "../../src/analysis/analysis.ts";
import { outputBefore, outputOf } from "../../src/estimate/output.ts";
import { Sample } from "../../src/estimate/sample.ts";

describe("a sample", () => {
  test("counts each of a few, some hundreds of many, evenly, and all when asked", () => {
    const counted = (texts: number, whole = false) => {
      const sample = new Sample({ whole });
      let calls = 0;
      for (let i = 0; i < texts; i++) sample.add(10, () => ++calls && 3);
      return { ...sample.total, calls };
    };
    expect(counted(150)).toMatchObject({ tokens: 450, counted: 150, error: 0 });
    const many = counted(100_000);
    expect(many.tokens).toBeCloseTo(300_000);
    expect(many.counted).toBeGreaterThanOrEqual(195);
    expect(many.counted).toBeLessThan(400);
    expect(many.calls).toBeLessThan(2_500);
    expect(counted(1_000, true)).toMatchObject({ tokens: 3_000, counted: 1_000, error: 0 });
    expect(new Sample().total).toEqual({ tokens: 0, error: 0, counted: 0 });
  });

  test("tells an error that holds the truth nearly always", () => {
    let held = 0;
    const runs = fc.sample(fc.infiniteStream(fc.double({ min: 0.1, max: 0.6, noNaN: true })), 100);
    for (const ratios of runs) {
      const sample = new Sample({ size: 50 });
      let truth = 0;
      for (let i = 0; i < 2_000; i++) {
        const length = 100 + ((i * 97) % 900);
        const tokens = length * (ratios.next().value as number);
        truth += tokens;
        sample.add(length, () => tokens);
      }
      const { tokens, error } = sample.total;
      if (Math.abs(tokens - truth) <= 3 * error) held++;
    }
    expect(held).toBeGreaterThan(90);
  });
});

describe("the output of a call", () => {
  test("is a range from the schema, larger for what holds more", () => {
    const text = { type: "string" };
    const object = (properties: object, required: string[] = []) => ({ type: "object", properties, required });
    const small = outputOf(object({ tone: { enum: ["good", "bad"] } }, ["tone"]));
    const large = outputOf(
      object({ tone: { enum: ["good", "bad"] }, words: { type: "array", items: text } }, ["tone", "words"]),
    );
    expect(small.high).toBeLessThan(12);
    expect(large.low).toBeGreaterThan(small.low);
    expect(large.high).toBeGreaterThan(small.high * 10);
    expect(outputOf(object({ text: { ...text, maxLength: 20 } })).high).toBeLessThan(20);
    expect(outputOf(ARTICLE_SCHEMA)).toEqual({ low: 230, high: 850 });
    expect(outputOf(undefined).high).toBeGreaterThan(500);
  });

  test("ends for schemas that refer to themselves, and takes whatever is no schema", () => {
    const tree = {
      $ref: "#/$defs/tree",
      $defs: {
        tree: {
          type: "object",
          properties: { leaf: { type: "string" }, all: { type: "array", items: { $ref: "#/$defs/tree" } } },
        },
      },
    };
    const odd = [
      tree,
      { $ref: "#/nowhere" },
      { $ref: "#" },
      { type: ["string", "null"] },
      { anyOf: [] },
      { enum: [] },
      true,
      {},
      { type: "array" },
    ];
    for (const schema of odd) {
      const { low, high } = outputOf(schema as never);
      expect(low, JSON.stringify(schema)).toBeGreaterThanOrEqual(0);
      expect(high).toBeGreaterThanOrEqual(low);
      expect(high).toBeLessThan(Number.POSITIVE_INFINITY);
    }
  });

  test("is what it was before, once there are enough answers, the surer the more there are", () => {
    expect(outputBefore([100, 120], 50)).toBeUndefined();
    const few = outputBefore(
      Array.from({ length: 12 }, (_, i) => 80 + i * 5),
      1_000,
    );
    const many = outputBefore(
      Array.from({ length: 480 }, (_, i) => 80 + (i % 12) * 5),
      1_000,
    );
    expect(few?.low).toBeLessThan(107.5);
    expect(few?.high).toBeGreaterThan(107.5);
    expect((many?.high ?? 0) - (many?.low ?? 0)).toBeLessThan((few?.high ?? 0) - (few?.low ?? 0));
  });
});
