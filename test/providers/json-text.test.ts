import { expect, test } from "vitest";
import { jsonText } from "../../src/providers/json-text.ts";
import { TIMED } from "../support.ts";

test.each([
  ["the bare value", '{"a":1}', '{"a":1}'],
  ["a bare array", "[1,2]", "[1,2]"],
  ["a bare word of JSON", ' "yes" ', '"yes"'],
  ["a fence", '```json\n{"a":1}\n```', '{"a":1}'],
  ["a fence without a name, in prose", 'Sure:\n```\n{"a":1}\n```\nDone.', '{"a":1}'],
  ["a fence that never closes", '```json\n{"a":1}', '{"a":1}'],
  ["prose around", 'Here you are [1]: {"a":"}"} I hope it helps.', '{"a":"}"}'],
  ["an array of objects, in prose", 'Here: [{"a":1},{"a":2}]. Done', '[{"a":1},{"a":2}]'],
  ["a faulty object with a good array in it, and a footnote", "{'a': [1]} [2]", '{"a": [1]}'],
  ["prose with a bracket that never closes", 'as in [1: {"a":1} ok', '{"a":1}'],
  ["escaped quotes", 'x {"a":"say \\"}\\" now"} y', '{"a":"say \\"}\\" now"}'],
  ["a fence around a word of JSON", '```json\n"yes"\n```', '"yes"'],
  ["a value that holds a fence", '{"a":"```js\\n{}```"}', '{"a":"```js\\n{}```"}'],
  ["a fence with a fence inside", '```json\n{"a":"```js{```"}\n```', '{"a":"```js{```"}'],
  ["thoughts before", '<think>maybe {"a":0}?</think>\n{"a":1}', '{"a":1}'],
  ["a trailing comma", '{"a":1,}', '{"a":1}'],
  ["single quotes", "{'a': 1}", '{"a": 1}'],
  ["a comment and a bare name", "{a: 1 /* one */}", '{"a": 1 }'],
])("JSON is found in %s", (_what, text, json) => {
  expect(jsonText(text)).toBe(json);
});

test.each(["", "I cannot do that.", "see [1] and [2]", "42 apples"])(
  "'%s' holds no object and comes back as it was",
  (text) => {
    const found = jsonText(text);
    expect(found === text || Array.isArray(JSON.parse(found))).toBe(true);
  },
);

test("a long text of brackets is given up on in time", TIMED, () => {
  const start = performance.now();
  jsonText("{ [ ".repeat(200_000));
  expect(performance.now() - start).toBeLessThan(2_000);
});
