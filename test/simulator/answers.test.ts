/** What the model says: answers that fit their schema, and can be told apart. */

import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { growValue } from "../../src/simulator/answers/grow.ts";
import { spoil } from "../../src/simulator/answers/spoil.ts";
import { ANALYSIS_LIKE, arbitrarySchema } from "./schemas.ts";
import { askAnthropic, askChat, simulate, VERDICT } from "./support.ts";

const accepts = (schema: object, value: unknown): boolean => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  return ajv.compile(schema)(value);
};

const markFor = (text: string) => ({ text, id: null });

describe("values", () => {
  test("fit any schema made of the keywords that are covered", () => {
    fc.assert(
      fc.property(arbitrarySchema, fc.string(), (schema, text) => {
        const value = growValue(schema, markFor(text));
        expect(accepts(schema, JSON.parse(JSON.stringify(value)))).toBe(true);
      }),
      { numRuns: 120 },
    );
  });

  test("are spoiled so that the schema refuses them", () => {
    fc.assert(
      fc.property(arbitrarySchema, fc.string(), (schema, text) => {
        const spoiled = spoil(growValue(schema, markFor(text)), schema, markFor(text));
        fc.pre(spoiled !== undefined);
        expect(accepts(schema, JSON.parse(JSON.stringify(spoiled)))).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test("of a schema that refers to itself come to an end", () => {
    const tree = {
      $defs: {
        node: {
          type: "object",
          properties: {
            name: { type: "string" },
            left: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] },
            children: { type: "array", items: { $ref: "#/$defs/node" } },
          },
          required: ["name", "left", "children"],
          additionalProperties: false,
        },
      },
      $ref: "#/$defs/node",
    };
    for (let i = 0; i < 12; i++) {
      const value = growValue(tree, markFor(`text ${i}`));
      expect(accepts(tree, value)).toBe(true);
      expect(JSON.stringify(value).length).toBeLessThan(300_000);
    }
  });

  test.each([
    "^[a-z]{2}(-[A-Z]{2})?$",
    "^\\d{4}-\\d{2}$",
    "^(red|green)\\s[^aeiou]+x?$",
    "^#[0-9a-fA-F]{6}$",
    "^\\p{L}+$",
  ])("match the pattern %s where it can be sampled", (pattern) => {
    const schema = { type: "string", pattern };
    const matched = ["a", "b", "c"].filter((text) => accepts(schema, growValue(schema, markFor(text))));
    // Unicode properties are beyond the sampler: it must not fail over them.
    expect(matched).toHaveLength(pattern.includes("\\p") ? 0 : 3);
  });
});

describe("answers", () => {
  test("fit the built-in analysis' kind of schema at every vendor", async () => {
    const { url } = await simulate();
    const claude = await askAnthropic(url, { text: "one [[id:r1]]", schema: ANALYSIS_LIKE });
    const gpt = await askChat(url, { text: "one [[id:r1]]", schema: ANALYSIS_LIKE });
    const value = JSON.parse(claude.json.content[0].text);
    expect(accepts(ANALYSIS_LIKE, value)).toBe(true);
    expect(JSON.parse(gpt.json.choices[0].message.content)).toEqual(value);
    for (const text of [value.title, value.summary, value.language, ...value.topics]) {
      expect(text).toMatch(/^sim-[0-9a-f]{12} r1\b/);
    }
  });

  test("are the same for the same request and differ between texts", async () => {
    const { url } = await simulate();
    const texts = Array.from({ length: 30 }, (_, i) => `article number ${i}`);
    const ask = async (text: string) => (await askChat(url, { text, schema: VERDICT })).json.choices[0].message.content;
    const first = await Promise.all(texts.map(ask));
    const again = await Promise.all(texts.toReversed().map(ask));
    expect(again.toReversed()).toEqual(first);
    expect(new Set(first.map((text) => JSON.parse(text).topic)).size).toBe(30);
    expect(new Set(first.map((text) => JSON.parse(text).tone)).size).toBe(3);
  });

  test("of a re-ask are those of the first question, not of the complaint", async () => {
    const { url } = await simulate();
    const question = { role: "user", content: "What of this? [[id:first]]" };
    const once = await askChat(url, { messages: [question], schema: VERDICT });
    const messages = [question, { role: "assistant", content: "{}" }, { role: "user", content: 'Wrong: {"id":"no"}' }];
    const again = await askChat(url, { messages, schema: VERDICT });
    expect(again.json.choices[0].message.content).toBe(once.json.choices[0].message.content);
  });

  test("in free text are as long as asked for, and cut at the request's limit", async () => {
    const { url } = await simulate({ outputTokens: 200 });
    const long = (await askChat(url)).json;
    expect(long.usage.completion_tokens).toBeGreaterThanOrEqual(200);
    expect(long.choices[0].message.content.length).toBeGreaterThanOrEqual(800);
    const cut = (await askChat(url, { maxTokens: 50 })).json;
    expect(cut.choices[0].finish_reason).toBe("length");
    expect(cut.usage.completion_tokens).toBe(50);
    expect(cut.choices[0].message.content.length).toBeLessThanOrEqual(200);
  });
});
