/** What JSON can hold, and how deep it goes. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonFault, nestedTooDeep, parseJson } from "../src/json.ts";

const nested = (levels: number): unknown => {
  let value: unknown = [];
  for (let at = 1; at < levels; at++) value = at % 2 === 0 ? [value] : { in: value };
  return value;
};

describe("jsonFault", () => {
  test("finds none in whatever JSON.parse can give", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(jsonFault(JSON.parse(text))).toBeUndefined();
      }),
    );
  });

  test.each<[string, unknown, string]>([
    ["NaN", Number.NaN, ": is NaN, which JSON has no number for"],
    ["Infinity in a field", { a: { b: -Infinity } }, "/a/b: is -Infinity, which JSON has no number for"],
    ["a BigInt", { id: 1n }, "/id: is a BigInt; write it as a string of its digits"],
    ["a function", { a: [0, () => {}] }, "/a/1: is a function"],
    ["a symbol", { a: Symbol("s") }, "/a: is a symbol"],
    ["undefined itself", undefined, ": is undefined"],
    ["undefined in an array", [1, undefined], "/1: is undefined"],
    ["a hole in an array", new Array(1), "/0: is undefined"],
    ["a Map", { tags: new Map([["a", 1]]) }, "/tags: is a Map, of which JSON keeps nothing"],
    ["a Set", new Set([1]), ": is a Set, of which JSON keeps nothing"],
    ["a promise, forgotten to be awaited", { a: Promise.resolve(1) }, "/a: is a Promise, of which JSON keeps nothing"],
    ["what toJSON gives", { toJSON: () => ({ a: 1n }) }, "/a: is a BigInt; write it as a string of its digits"],
    ["a toJSON that gives nothing", { toJSON: () => undefined }, ": is undefined"],
  ])("names %s and where it is", (_, value, fault) => {
    expect(jsonFault(value)).toBe(fault);
  });

  test("names an object that throws when it is read", () => {
    const getter = Object.defineProperty({}, "a", {
      enumerable: true,
      get: () => {
        throw new Error("SECRET");
      },
    });
    const date = { toJSON: () => JSON.parse("SECRET") };
    for (const value of [getter, date, { date }]) expect(jsonFault(value)).toBe(": throws when it is read");
  });

  test("takes dates, undefined fields, objects without a prototype and one object in two places", () => {
    const shared = { a: 1 };
    const bare = Object.assign(Object.create(null), { a: 1 });
    for (const value of [{ at: new Date(0) }, { a: undefined }, bare, [shared, shared, { shared }]]) {
      expect(jsonFault(value)).toBeUndefined();
    }
  });

  test("does not look at inherited fields, and sees a field named __proto__", () => {
    expect(jsonFault(Object.create({ inherited: 1n }))).toBeUndefined();
    const own = JSON.parse('{"__proto__":{"a":1}}');
    Object.getOwnPropertyDescriptor(own, "__proto__")!.value.a = Number.NaN;
    expect(jsonFault(own)).toBe("/__proto__/a: is NaN, which JSON has no number for");
  });

  test("takes 512 levels and no more, and ends for what holds itself", () => {
    expect(jsonFault(nested(512))).toBeUndefined();
    expect(jsonFault(nested(513))).toMatch(/is nested too deep, or holds itself$/);
    expect(jsonFault(nested(100_000))).toMatch(/is nested too deep/);
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    cycle.again = cycle;
    expect(jsonFault(cycle)).toMatch(/is nested too deep, or holds itself$/);
    expect(jsonFault(cycle)?.length).toBeLessThan(210);
  });
});

describe("nestedTooDeep", () => {
  const depth = (text: string): number => {
    let most = 0;
    while (nestedTooDeep(Buffer.from(text), most)) most++;
    return most;
  };

  test("counts as JSON.parse does, whatever stands in strings", () => {
    const depthOf = (value: unknown): number =>
      typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
    const value = fc.jsonValue({ maxDepth: 5, stringUnit: fc.constantFrom("[", "{", "}", "]", '"', "\\", "a", "é") });
    fc.assert(
      fc.property(value, (value) => {
        expect(depth(JSON.stringify(value))).toBe(depthOf(value));
      }),
    );
  });

  test("brackets in strings do not count, nor do as many beside each other", () => {
    expect(nestedTooDeep(Buffer.from(JSON.stringify({ a: "[{".repeat(10_000) })), 512)).toBe(false);
    expect(nestedTooDeep(Buffer.from(`[${"[],".repeat(10_000)}[]]`), 512)).toBe(false);
    expect(nestedTooDeep(Buffer.from(String.raw`{"a":"\\","b":[["\"[["]]}`), 3)).toBe(false);
  });
});

describe("parseJson", () => {
  test("gives what JSON.parse gives for all that JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test("gives an integer that a double cannot hold as a string of its digits, and any other as a number", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), (integer) => {
        const held = String(Number(integer)) === String(integer);
        expect(parseJson(`{"a":[${integer}]}`)).toEqual({ a: [held ? Number(integer) : String(integer)] });
      }),
    );
  });

  test.each<[string, unknown]>([
    ["9007199254740993", "9007199254740993"],
    ["-9007199254740993", "-9007199254740993"],
    ["9007199254740992", 2 ** 53],
    ["10000000000000000", 1e16],
    [`1${"0".repeat(400)}`, `1${"0".repeat(400)}`],
    ["0.12345678901234567890", Number("0.12345678901234567890")],
    ["12345678901234567890e0", Number("12345678901234567890")],
    // Beyond a double, and no digits to keep: whoever writes it has to say so.
    ["[1e400,-1e400,1e-400,-0]", [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0]],
    ['"12345678901234567890"', "12345678901234567890"],
    ['{"__proto__":12345678901234567890}', JSON.parse('{"__proto__":"12345678901234567890"}')],
  ])("reads %s as it stands", (text, value) => {
    expect(parseJson(text)).toStrictEqual(value);
  });

  test("refuses what JSON.parse refuses", () => {
    expect(() => parseJson('{"a":12345678901234567890')).toThrow(SyntaxError);
  });
});
