/** Schemas that are told to be valid without Ajv. */

import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ARTICLE_SCHEMA } from "../../src/analysis/analysis.ts";
import { isPlain } from "../../src/client/plain-schema.ts";
import { answerCheck } from "../../src/client/schema.ts";
import type { JsonSchema } from "../../src/providers/provider.ts";

const keywords = [
  ..."type enum const default title description format properties additionalProperties required items anyOf".split(" "),
  ..."minItems maxItems minLength maxLength uniqueItems minimum maximum exclusiveMinimum exclusiveMaximum".split(" "),
  ..."$ref $defs $schema prefixItems pattern multipleOf not oneOf constructor __proto__ x-own".split(" "),
];
const types = ["string", "number", "integer", "boolean", "object", "array", "null", "strng"];

/** Whatever may stand behind a keyword, right or wrong. */
const { schema } = fc.letrec<{ schema: unknown; value: unknown }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    fc.boolean(),
    fc.dictionary(fc.constantFrom(...keywords), tie("value"), { maxKeys: 3 }),
  ),
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(...types, 0, 1, -1, 0.5, true, false, null, "", "a"),
    fc.array(fc.constantFrom<unknown>(...types, 1, true), { maxLength: 3 }),
    fc.array(tie("schema"), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom("a", "b"), tie("schema"), { maxKeys: 2 }),
    tie("schema"),
  ),
}));

describe("isPlain", () => {
  test("says so of no schema that Ajv calls invalid", () => {
    const ajv = new Ajv2020({ strict: false, logger: false });
    let plain = 0;
    fc.assert(
      fc.property(schema, (made) => {
        if (typeof made !== "object" || made === null || !isPlain(made as JsonSchema)) return;
        if (Object.keys(made).length > 0) plain++;
        expect(ajv.validateSchema(made)).toBe(true);
      }),
      { numRuns: 20_000 },
    );
    expect(plain).toBeGreaterThan(100);
  });

  test("says so of what schemas of answers are made of", () => {
    expect(isPlain(ARTICLE_SCHEMA)).toBe(true);
    const list = { type: "array", items: { anyOf: [{ type: "string", enum: ["a"] }, { type: ["null", "integer"] }] } };
    expect(isPlain({ type: "object", properties: { list }, required: ["list"], additionalProperties: false })).toBe(
      true,
    );
  });

  test("leaves the rest to Ajv, which refuses a wrong one by name, and one that holds itself", () => {
    const itself: Record<string, unknown> = { type: "array" };
    itself.items = itself;
    const wrong = [
      { type: "strng" },
      { properties: { a: 5 } },
      { required: "a" },
      { minLength: -1 },
      { $ref: 5 },
      itself,
    ];
    for (const each of wrong) expect(() => answerCheck(each)).toThrow(/not a valid JSON Schema/);
  });
});
