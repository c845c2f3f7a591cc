/** What an answer must look like: sent to the provider as JSON Schema, and checked when the answer is back. */

import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import { Ajv2020 } from "ajv/dist/2020.js";
import { failure } from "../errors.ts";
import { parseJson } from "../json.ts";
import type { JsonSchema } from "../providers/provider.ts";
import { isPlain } from "./plain-schema.ts";

/** A schema of any library that speaks Standard Schema with JSON Schema (Zod 4.2+, ArkType 2.1.28+), or plain JSON Schema. */
export type AnswerSchema = StandardSchemaV1 | JsonSchema;

/** What `result.value` is, by the schema. */
export type AnswerOf<S> = S extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<S> : unknown;

/** A value that fits, or what is wrong with it, in words that the model can act on; of the answer only names that the schema knows. */
export type Checked = { readonly value: unknown } | { readonly fault: string };

export interface AnswerCheck {
  readonly jsonSchema: JsonSchema;
  check(text: string): Promise<Checked>;
}

/** Faults named in a re-ask, at most. */
const MOST_FAULTS = 5;

const isStandard = (schema: AnswerSchema): schema is StandardSchemaV1 => "~standard" in schema;

/** @throws ConfigurationError when the schema cannot be turned into JSON Schema or is not one */
export function answerCheck(schema: AnswerSchema): AnswerCheck {
  const { jsonSchema, validate } = isStandard(schema) ? standardCheck(schema) : plainCheck(schema);
  return {
    jsonSchema,
    async check(text) {
      const value = parsed(text);
      return value === NOT_JSON ? { fault: "The answer is not one valid JSON value." } : validate(value);
    },
  };
}

interface Validator {
  readonly jsonSchema: JsonSchema;
  readonly validate: (value: unknown) => Checked | Promise<Checked>;
}

const NOT_JSON = Symbol("not JSON");

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return NOT_JSON;
  }
}

function standardCheck(schema: StandardSchemaV1): Validator {
  const standard = schema["~standard"] as StandardSchemaV1.Props & Partial<StandardJSONSchemaV1.Props>;
  if (standard.jsonSchema === undefined) {
    throw failure(
      "invalid_option",
      `\`schema\`: this version of ${standard.vendor} gives no JSON Schema. Update it, or pass plain JSON Schema.`,
    );
  }
  // The provider is to give what validation takes in: defaults and transforms come after.
  const jsonSchema = converted(standard.jsonSchema, standard.vendor);
  return {
    jsonSchema,
    async validate(value) {
      try {
        const result = await standard.validate(value);
        if (result.issues === undefined) return { value: result.value };
        return faultOf(
          result.issues.map(({ path = [], message }) => ({ path: path.map(keyOf), message })),
          jsonSchema,
        );
      } catch (error) {
        // A transform of the user's own, such as `new Date(text).toISOString()`, has no other way to say no.
        return { fault: `The schema could not take the value (${error instanceof Error ? error.name : "it threw"}).` };
      }
    },
  };
}

function converted(converter: StandardJSONSchemaV1.Converter, vendor: string): JsonSchema {
  try {
    return converter.input({ target: "draft-2020-12" });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw failure("invalid_option", `\`schema\`: ${vendor} cannot turn it into JSON Schema: ${why}`, { cause });
  }
}

const keyOf = (segment: PropertyKey | StandardSchemaV1.PathSegment): string =>
  String(typeof segment === "object" ? segment.key : segment);

interface Issue {
  readonly path: readonly string[];
  readonly message: string | undefined;
}

/** A key that the schema does not name is the model's own words, perhaps the article's: it is not repeated. */
function faultOf(issues: readonly Issue[], schema: JsonSchema): Checked {
  const known = JSON.stringify(schema);
  const shown = (key: string) => (/^\d+$/.test(key) || known.includes(`${JSON.stringify(key)}:`) ? key : "…");
  const faults = issues.map(({ path, message }) => `/${path.map(shown).join("/")}: ${message}`);
  return { fault: faults.slice(0, MOST_FAULTS).join("; ") };
}

/** Of a JSON Pointer, RFC 6901. */
const segments = (pointer: string): string[] =>
  pointer
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));

function plainCheck(schema: JsonSchema): Validator {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    throw failure(
      "invalid_option",
      "`schema` must be a Standard Schema (Zod, ArkType, Valibot …) or a JSON Schema object.",
    );
  }
  const accepts = compile(schema);
  return {
    jsonSchema: schema,
    validate(value) {
      if (accepts(value)) return { value };
      const issues = (accepts.errors ?? []).map(({ instancePath, message }) => ({
        path: segments(instancePath),
        message,
      }));
      return faultOf(issues, schema);
    },
  };
}

function compile(schema: JsonSchema) {
  // Formats are the provider's to interpret; unknown keywords are allowed, as JSON Schema says.
  const settings = { allErrors: true, strict: false, validateFormats: false, logger: false } as const;
  try {
    const valid = isPlain(schema);
    const ajv = new Ajv2020({ ...settings, validateSchema: !valid, meta: !valid });
    return ajv.compile(schema);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw failure("invalid_option", `\`schema\` is not a valid JSON Schema: ${why}`, { cause });
  }
}
