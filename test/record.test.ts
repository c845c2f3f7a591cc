/** What is remembered of records beside them, and what they weigh. */

import { describe, expect, test } from "vitest";
import { carrySource, setSource, sizeOf, sourceOf } from "../src/record.ts";

const from = (line: number) => {
  const record = { line };
  setSource(record, { file: "in.ndjson", line, byteOffset: line * 10 });
  return record;
};

describe("a record's source", () => {
  test("is that of the record which it was made of", () => {
    const made = {};
    carrySource(from(3), made);
    expect(sourceOf(made)).toEqual({ file: "in.ndjson", line: 3, byteOffset: 30 });
  });

  test("stays where a stage passes the record itself on", () => {
    const record = from(3);
    carrySource(record, record);
    expect(sourceOf(record)?.line).toBe(3);
  });

  test("stays where one record is carried to the same object twice", () => {
    const record = from(3);
    const made = {};
    carrySource(record, made);
    carrySource(record, made);
    expect(sourceOf(made)?.line).toBe(3);
  });

  test("is absent for an object that stands for records of two places, and stays so", () => {
    const constant = {};
    const first = from(1);
    for (const record of [first, from(2), first]) carrySource(record, constant);
    expect(sourceOf(constant)).toBeNull();
  });

  test("is absent for an object that stood for a record of no known place first", () => {
    const constant = {};
    carrySource({}, constant);
    carrySource(from(2), constant);
    expect(sourceOf(constant)).toBeNull();
  });

  test("is absent for what is no object", () => {
    carrySource(from(1), "text");
    for (const value of ["text", 7, null, undefined, {}]) expect(sourceOf(value)).toBeNull();
  });
});

describe("sizeOf", () => {
  test("counts strings, buffers and every node", () => {
    expect(sizeOf("x".repeat(1_000))).toBe(2_016);
    expect(sizeOf(Buffer.alloc(5_000))).toBe(5_016);
    expect(sizeOf({ a: "xx", b: [1, 2, 3] })).toBe(6 * 16 + 4);
    for (const value of [null, undefined, 5, true]) expect(sizeOf(value)).toBe(16);
  });

  test("takes what it does not look at to be like what it did", () => {
    const size = sizeOf(Array.from({ length: 100_000 }, () => "x".repeat(100)));
    expect(size).toBeGreaterThan(10_000_000);
    expect(size).toBeLessThan(40_000_000);
  });

  test("ends for what holds itself, and does not throw for what cannot be looked at", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    cycle.again = [cycle, cycle];
    expect(sizeOf(cycle)).toBeGreaterThan(0);
    const throws = {
      get field() {
        throw new Error("no");
      },
    };
    expect(sizeOf(throws)).toBe(16);
  });
});
