/** Schemas to answer: one like the built-in analysis, and any that the generator claims to cover. */

import fc from "fast-check";
import type { JsonObject } from "../../src/simulator/ask.ts";

const strings = { type: "array", items: { type: "string" } };

export const ANALYSIS_LIKE = {
  type: "object",
  properties: {
    title: { type: "string" },
    summary: { type: "string" },
    keyPoints: strings,
    topics: { ...strings, minItems: 1, maxItems: 5 },
    entities: {
      type: "array",
      items: {
        type: "object",
        properties: { name: { type: "string" }, type: { type: "string", enum: ["person", "place", "other"] } },
        required: ["name", "type"],
        additionalProperties: false,
      },
    },
    sentiment: { type: "string", enum: ["negative", "neutral", "positive", "mixed"] },
    language: { type: "string" },
  },
  required: ["title", "summary", "keyPoints", "topics", "entities", "sentiment", "language"],
  additionalProperties: false,
};

const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));

const stringSchema = fc
  .record({ minLength: fc.nat(60), extra: fc.nat(60), parts: fc.nat(3) })
  .map(({ minLength, extra, parts }) => ({
    type: "string",
    ...(parts & 1 ? { minLength } : {}),
    ...(parts & 2 ? { maxLength: minLength + extra } : {}),
  }));

const integerSchema = fc
  .record({
    low: fc.integer({ min: -1000, max: 1000 }),
    span: fc.integer({ min: 12, max: 500 }),
    step: fc.nat(5),
    kind: fc.nat(4),
  })
  .map(({ low, span, step, kind }) => ({
    type: kind === 4 ? "number" : "integer",
    ...(kind === 1 ? { exclusiveMinimum: low } : kind > 1 ? { minimum: low } : {}),
    ...(kind === 3 ? { exclusiveMaximum: low + span } : kind === 4 ? { maximum: low + span } : {}),
    ...(step > 0 ? { multipleOf: step } : {}),
  }));

const numberSchema = fc
  .tuple(fc.double({ min: -10, max: 10, noNaN: true }), fc.double({ min: 0.001, max: 5, noNaN: true }))
  .map(([low, span]) => ({ type: "number", minimum: low, exclusiveMaximum: low + span }));

const leaf: fc.Arbitrary<JsonObject> = fc.oneof(
  stringSchema,
  integerSchema,
  numberSchema,
  fc.constantFrom<JsonObject>({ type: "boolean" }, { type: "null" }, {}, { type: ["string", "null"] }),
  fc.uniqueArray(scalar, { minLength: 1, maxLength: 5 }).map((values) => ({ enum: values })),
  scalar.map((value) => ({ const: value })),
  fc.constant({ $ref: "#/$defs/shared" }),
);

const name = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => text !== "__proto__");

const inner = fc.letrec<{ schema: JsonObject }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, depthIdentifier: "schema" },
    leaf,
    fc
      .record({
        properties: fc.dictionary(name, tie("schema"), { maxKeys: 4 }),
        open: fc.boolean(),
        more: fc.boolean(),
      })
      .map(({ properties, open, more }) => ({
        type: "object",
        properties,
        required: [
          ...Object.keys(properties).filter((_, i) => !open || i % 2 === 0),
          ...(more && open ? ["besides"] : []),
        ],
        ...(open ? {} : { additionalProperties: false }),
      })),
    fc.record({ items: tie("schema"), least: fc.nat(3), extra: fc.nat(3) }).map(({ items, least, extra }) => ({
      type: "array",
      items,
      minItems: least,
      maxItems: least + extra,
    })),
    fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((schemas) => ({ anyOf: schemas })),
    fc.tuple(stringSchema, integerSchema).map((schemas) => ({ allOf: [{ anyOf: schemas }] })),
    fc.constant({ type: "array", items: { enum: ["a", "b", "c", "d"] }, uniqueItems: true, minItems: 2 }),
  ),
}));

/** Any schema of the keywords that `growValue` covers, with one definition to refer to. */
export const arbitrarySchema: fc.Arbitrary<JsonObject> = fc.tuple(inner.schema, leaf).map(([schema, shared]) => ({
  ...schema,
  $defs: { shared: shared.$ref ? { type: "boolean" } : shared },
}));
