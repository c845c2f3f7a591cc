/** What a configuration file may say: the reader's verdict, and that the schema for editors has the same. */

import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { settingsIn } from "../../src/config/configuration.ts";
import { editorSchema } from "../../src/config/editor-schema.ts";
import { FILE_OPTIONS, type OptionSpec, RUN_OPTIONS } from "../../src/config/options.ts";
import { KEYS, SETTINGS } from "../../src/config/settings.ts";
import { parseYaml } from "../../src/config/yaml.ts";
import { ConfigurationError } from "../../src/errors.ts";

const read = (text: string) => settingsIn(parseYaml(text, "millrace.yaml"));
const values = (text: string) => Object.fromEntries([...read(text).values()].map(({ key, value }) => [key, value]));
const fits = new Ajv({ strict: true, allowUnionTypes: true, strictRequired: false }).compile(editorSchema());

/** Those that only a line number can be wrong about, or that a schema cannot tell, stand elsewhere. */
const GOOD: readonly (readonly [text: string, read: object])[] = [
  ["", {}],
  ["# only a comment\n", {}],
  ["model: claude-haiku-4-5", { model: "claude-haiku-4-5" }],
  ["provider: local", { provider: "local" }],
  ["concurrency: 16", { concurrency: 16 }],
  ["concurrency: auto", { concurrency: "auto" }],
  ["requestsPerMinute: 0x10", { requestsPerMinute: 16 }],
  [
    "timeout: 60s\nmaxWait: 1.5h\ngrace: 0ms\nretryBaseDelay: 500ms",
    {
      timeout: 60_000,
      maxWait: 5_400_000,
      grace: 0,
      retryBaseDelay: 500,
    },
  ],
  ["temperature: 0", { temperature: 0 }],
  ["temperature: 1.5", { temperature: 1.5 }],
  ["store: false", { store: false }],
  ["store: answers.db", { store: "answers.db" }],
  ["ordered: false\nquiet: true", { ordered: false, quiet: true }],
  ["maxFailures: 3", { maxFailures: { count: 3 } }],
  ["maxFailures: 0.5%", { maxFailures: { share: 0.005 } }],
  ["map: { content: body, title: meta.headline }", { map: { content: "body", title: "meta.headline" } }],
  ["keep: all", { keep: "all" }],
  ["keep: author,date", { keep: ["author", "date"] }],
  ["keep:\n  - author\n  - a,b", { keep: ["author", "a,b"] }],
  ["columns: [id, analysis.title]", { columns: ["id", "analysis.title"] }],
  [
    "prices: { m: { input: 1, output: 5.5, cacheRead: 0 } }",
    { prices: { m: { input: 1, output: 5.5, cacheRead: 0 } } },
  ],
  ["api: { TIMEOUT: 0.5, MAX_RETRIES: 0 }", { timeout: 500, maxRetries: 0 }],
  ["api: {}", {}],
];

/** Text, and where and how the reader refuses it. */
const BAD: readonly (readonly [text: string, message: string])[] = [
  ["modle: m", '1:1: There is no option "modle". Did you mean model?'],
  ["model: m\nmax_retries: 3", '2:1: There is no option "max_retries". Did you mean maxRetries?'],
  ["baseUrl: http://h", '1:1: There is no option "baseUrl". Did you mean baseURL?'],
  ["itpm: 5", '1:1: There is no option "itpm". Did you mean inputTokensPerMinute?'],
  ["fresh: true", '1:1: There is no option "fresh".'],
  ["__proto__: { model: m }", '1:1: There is no option "__proto__".'],
  ["constructor: 1", '1:1: There is no option "constructor".'],
  ["toString: 1", '1:1: There is no option "toString".'],
  ["model: 4", "1:8: model takes a text; put 4 in quotes, if it is one."],
  ["model:", "1:7: model has no value: give one, or leave the line out."],
  ['model: ""', "1:8: model has no value"],
  ["model: [a]", "1:8: model takes a text, not a list."],
  ["provider: claude", '1:11: provider is one of anthropic, openai, mistral, local; got "claude".'],
  ['concurrency: "16"', "1:14: concurrency takes 16 without quotes."],
  ["concurrency: 0", '1:14: concurrency takes a whole number from 1 to 10000, got "0".'],
  ["concurrency: many", '1:14: concurrency takes a whole number from 1 to 10000, got "many".'],
  ["maxRetries: 1.5", '1:13: maxRetries takes a whole number from 0 up, got "1.5".'],
  ["limit: 99999999999999999999", "1:8: limit takes a whole number from 1 up"],
  ["timeout: 60", "1:10: timeout takes a text with a unit, as 60s or 60ms."],
  ["timeout: 60 seconds", "1:10: timeout takes a time with its unit"],
  ["temperature: 2.1", "1:14: temperature takes a number from 0 to 2"],
  ["temperature: hot", "1:14: temperature takes a number, not a text."],
  ['temperature: "1"', "1:14: temperature takes a number: leave out the quotes."],
  ["temperature: .nan", "1:14: temperature takes a number from 0 to 2"],
  ["store: true", "1:8: store takes a path, or false for none."],
  ["ordered: yes", "1:10: ordered takes true or false, not a text."],
  ["maxFailures: 101%", "1:14: maxFailures takes a number of records or a part of them"],
  ["map:\n  content: body\n  title: 5", "3:10: map gives each field the path where it is found."],
  ["map: content=body", "1:6: map takes a mapping, not a text."],
  ["keep: [author, 7]", "1:16: keep takes the names of fields."],
  ["keep: []", "1:7: keep names no field."],
  ["columns: [id, id]", '1:10: columns names "id" twice.'],
  ["prices: { m: { input: 1 } }", '1:14: prices lacks `output` of "m".'],
  ["prices: { m: { input: -1, output: 1 } }", "1:23: prices takes US$ per million tokens"],
  ["prices:\n  m: { inptu: 1, output: 1 }", '2:15: prices of m has no option "inptu". Did you mean "input"?'],
  ["prices: { m: 5 }", "1:14: prices gives a model its prices as { input: 1, output: 5 }"],
  ["prices: { m: { __proto__: 1, input: 1, output: 1 } }", '1:27: prices of m has no option "__proto__".'],
  ["apiKey: sk-very-secret", "1:1: Keys have no place in a file"],
  ["OPENAI_API_KEY: sk-very-secret", "1:1: Keys have no place in a file"],
  ["api: { API_KEY: sk-very-secret }", "1:8: Keys have no place in a file"],
  ["api: { MAX_RETRYS: 3 }", "1:20: api knows no MAX_RETRYS. Did you mean MAX_RETRIES?"],
  ["api: { TIMEOUT: 30s }", "1:17: api.TIMEOUT takes a number from 0.001 to"],
  ["api: { RATE_LIMIT_DELAY: 61 }", "1:26: api.RATE_LIMIT_DELAY takes a number from 0 to 60."],
  ["api: { __proto__: 3 }", "1:19: api knows no __proto__."],
  ["api: 5", "1:6: api takes a mapping of RATE_LIMIT_DELAY"],
  [
    "timeout: 5s\napi:\n  TIMEOUT: 5",
    "3:3: TIMEOUT is the old name of timeout, which is given as well, at millrace.yaml:1:1.",
  ],
];

describe("a configuration", () => {
  test.each(GOOD)("%j is read", (text, expected) => {
    expect(values(text)).toEqual(expected);
    expect(fits(parse(text) ?? {})).toBe(true);
  });

  test.each(BAD)("%j is refused", (text, message) => {
    expect(() => read(text)).toThrow(`millrace.yaml:${message}`);
    expect(() => read(text)).not.toThrow(/very-secret/);
    expect(fits(parse(text))).toBe(false);
  });

  test("has the same verdict from the reader and from the schema for editors, whatever stands for an option", () => {
    const scalar = fc.oneof(
      fc.constantFrom(
        "",
        "all",
        "auto",
        "local",
        "openai",
        "60s",
        "1.5h",
        "5",
        "5%",
        "101%",
        "line",
        "a,b",
        "json",
        "yes",
      ),
      fc.constantFrom(-1, 0, 0.5, 1, 2.5, 60, 61, 10_000, 10_001, 2 ** 53),
      fc.boolean(),
      fc.constant(null),
    );
    const names = fc.constantFrom("m", "content", "input", "output", "TIMEOUT", "MAX_RETRIES", "__proto__", "x");
    const nested = fc.array(fc.tuple(names, scalar), { maxLength: 3 }).map((pairs) => Object.fromEntries(pairs));
    const prices = fc.array(fc.tuple(names, nested), { maxLength: 2 }).map((pairs) => Object.fromEntries(pairs));
    const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 2 }), nested, prices);
    const entry = fc.tuple(fc.constantFrom(...KEYS, "api", "__proto__", "retries"), value);
    const accepted = (values: Record<string, unknown>) => {
      try {
        settingsIn({ values, at: () => "here" });
        return true;
      } catch (error) {
        if (error instanceof ConfigurationError) return false;
        throw error;
      }
    };
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 2 }), (entries) => {
        const values = Object.fromEntries(entries);
        expect(accepted(values)).toBe(fits(values));
      }),
      { numRuns: 3_000 },
    );
  });

  test("has a longest time that a timer can wait", () => {
    expect(() => read("timeout: 25d")).toThrow(/24 days at most/);
  });

  test("finds nothing in prices by a name that every object has", () => {
    expect((values("prices: {}").prices as Record<string, unknown>).constructor).toBeUndefined();
  });
});

describe("what is no configuration is refused at its place", () => {
  test.each<[string, RegExp]>([
    ['a: "1', /This is no valid YAML: something is missing here: a closing quote/],
    ["a: [1", /:1:6: This is no valid YAML: the indentation fits nothing above it, or a bracket/],
    ["model: m\n\tprovider: local", /:2:1: This is no valid YAML: a tab/],
    ["model: m\nmodel: n", /:2:1: This is no valid YAML: this name stands here a second time/],
    ["model: a: b", /:1:\d+: This is no valid YAML: /],
    ["a: 1\n---\nb: 2", /:2:1: This is no valid YAML: a second document/],
    ["model: !!js/function x", /:1:8: This is no valid YAML: a tag/],
    ["? [a]\n: 1", /:1:3: This is no valid YAML: a name must be a text/],
    ["a: &x [1]\nb: *x", /:2:4: an alias/],
    ["just a text", /must hold options/],
    ["- a\n- b", /must hold options/],
    [`map: ${"[".repeat(40)}${"]".repeat(40)}`, /nested too deep/],
  ])("%j", (text, message) => {
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow(/millrace\.yaml/);
  });

  test("and brackets without end end in the same words", () => {
    expect(() => read(`map: ${"[".repeat(100_000)}`)).toThrow(/millrace\.yaml.*nested too deep/);
  });

  test("and a bomb of aliases does not go off", () => {
    const levels = Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}, *a${n}]`);
    expect(() => read(`a0: &a0 [x]\n${levels.join("\n")}`)).toThrow(/an alias/);
  });
});

describe("the declaration", () => {
  test("gives each option one name in a file, one variable and one property of the schema", () => {
    const { properties } = editorSchema() as { properties: object };
    expect(new Set(KEYS).size).toBe(KEYS.length);
    expect(new Set(SETTINGS.map(({ variable }) => variable)).size).toBe(KEYS.length);
    expect(Object.keys(properties)).toEqual([...KEYS, "api"]);
    const all = [...(RUN_OPTIONS as readonly OptionSpec[]).filter(({ typedOnly }) => !typedOnly), ...FILE_OPTIONS];
    expect(KEYS).toHaveLength(all.length);
  });
});
