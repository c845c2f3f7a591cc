import { expect, test } from "vitest";
import { z } from "zod";
import { anthropicSchema, strictSchema } from "../../src/providers/json-schema.ts";
import { SCHEMA } from "./vendors.ts";

test("a plain closed schema is sent as it is", () => {
  expect(anthropicSchema(SCHEMA)).toEqual(SCHEMA);
  expect(strictSchema(SCHEMA)).toEqual(SCHEMA);
});

test("bounds that Anthropic refuses go into the description, and objects are closed", () => {
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: {
      minimum: { type: "integer", minimum: 1, maximum: 5, description: "stars" },
      tags: { type: "array", items: { type: "string", minLength: 2, format: "uri" }, maxItems: 3 },
      link: { oneOf: [{ type: "string", format: "color" }, { type: "null" }] },
      inner: { type: "object", properties: { a: { type: "string" } } },
    },
    required: ["minimum"],
  };
  expect(anthropicSchema(schema)).toEqual({
    type: "object",
    properties: {
      minimum: { type: "integer", description: "stars (minimum: 1, maximum: 5)" },
      tags: {
        type: "array",
        items: { type: "string", format: "uri", description: "(minLength: 2)" },
        description: "(maxItems: 3)",
      },
      link: { anyOf: [{ type: "string", description: '(format: "color")' }, { type: "null" }] },
      inner: { type: "object", properties: { a: { type: "string" } }, additionalProperties: false },
    },
    required: ["minimum"],
    additionalProperties: false,
  });
});

test("zod's schemas are strict when every property is required", () => {
  const schema = z.toJSONSchema(
    z.object({ a: z.string().min(2), n: z.number().int().max(9), c: z.enum(["x", "y"]).nullable() }),
  );
  expect(strictSchema(schema as Record<string, unknown>)).toMatchObject({
    properties: { a: { type: "string", description: "(minLength: 2)" }, n: { maximum: 9 } },
    additionalProperties: false,
  });
  expect(JSON.stringify(strictSchema(schema as Record<string, unknown>))).not.toContain("$schema");
});

test.each([
  ["an optional property", { ...SCHEMA, required: [] }],
  ["an open object", { ...SCHEMA, additionalProperties: true }],
  [
    "an open object inside",
    { ...SCHEMA, properties: { tone: { type: "array", items: { type: "object", properties: {} } } } },
  ],
  [
    "a record of values",
    { ...SCHEMA, properties: { tone: { type: "object", additionalProperties: { type: "string" } } } },
  ],
  ["allOf", { ...SCHEMA, allOf: [{}] }],
  ["an array at the root", { type: "array", items: SCHEMA }],
  ["an open definition", { ...SCHEMA, $defs: { a: { type: "object", properties: { b: {} } } } }],
])("a schema with %s is outside strict mode", (_what, schema) => {
  expect(strictSchema(schema)).toBeUndefined();
});

test("the schema that was given is never changed", () => {
  const schema = { type: "object", properties: { a: { type: "string", minLength: 1 } } };
  const before = structuredClone(schema);
  anthropicSchema(schema);
  strictSchema(schema);
  expect(schema).toEqual(before);
});
