/** Keys of stored answers: a release that changes one of these pays for every stored answer again. */

import { describe, expect, test } from "vitest";
import { keyOf } from "../../src/client/key.ts";
import { anthropic, mistral, openai } from "../../src/index.ts";
import type { ModelRequest, Provider } from "../../src/providers/provider.ts";

const plain: ModelRequest = { messages: [{ role: "user", content: "What is it?" }] };
const full: ModelRequest = {
  system: "Be brief.",
  messages: [
    { role: "user", content: "Ist es 1 °C? 🙂" },
    { role: "assistant", content: "no JSON" },
    { role: "user", content: "Again." },
  ],
  schema: { type: "object", properties: { a: { type: "string" } } },
  schemaName: "thing",
  temperature: 0.5,
  sample: 2,
};
const own = (changes: Partial<Provider> = {}): Provider => ({
  name: "own",
  model: "m",
  maxOutputTokens: 100,
  baseURL: "https://example.org/v1",
  complete: () => Promise.reject(new Error("not called")),
  close: async () => {},
  ...changes,
});
const apiKey = "sk-1";

describe("the key of a request", () => {
  test("is the one of every release before", () => {
    expect(keyOf(own(), plain)).toBe("10bb115534288880e44ad10656dfb90d0d81be6404e924795a0de7ac465fd17e");
    expect(keyOf(own({ sends: { b: 1, a: [true] } }), full)).toBe(
      "d1a214f0ef013dbf7036bbe946be2766bb14afbb41f1901e42cf98def1c57d09",
    );
    expect(keyOf(anthropic({ apiKey, model: "claude-haiku-4-5" }), { ...plain, schema: { type: "object" } })).toBe(
      "d79c8e68459a0c772561611ab238981a66243476df6fa99788c8ff2de31393b6",
    );
    expect(keyOf(openai({ apiKey, model: "gpt-5-mini" }), full)).toBe(
      "c4a5bcd39955fdfe72e8372a79666f4af499b13cd53e12dcd1f051f5bb57cecf",
    );
    expect(keyOf(mistral({ apiKey, model: "mistral-small-latest" }), full)).toBe(
      "eedb56922cbefad4a86827e0767ffd4529b8f318a0fe2b41777954773ea97a11",
    );
  });

  const different: readonly [string, Partial<Provider>, Partial<ModelRequest>][] = [
    ["the provider's name", { name: "other" }, {}],
    ["its model", { model: "m2" }, {}],
    ["its base URL", { baseURL: "https://example.com/v1" }, {}],
    ["what it sends besides", { sends: { api: "responses" } }, {}],
    ["the system prompt", {}, { system: "Be long." }],
    ["a message", {}, { messages: [{ role: "user", content: "What is it? " }] }],
    ["a message's role", {}, { messages: [{ role: "assistant", content: "What is it?" }] }],
    ["half a surrogate pair", {}, { messages: [{ role: "user", content: "\ud800" }] }],
    ["another half", {}, { messages: [{ role: "user", content: "\ud801" }] }],
    ["the half's replacement", {}, { messages: [{ role: "user", content: "\ufffd" }] }],
    ["its escape in words", {}, { messages: [{ role: "user", content: "\\ud800" }] }],
    ["the schema", {}, { schema: { type: "string" } }],
    ["the schema's name", {}, { schema: { type: "string" }, schemaName: "it" }],
    ["the order of its fields", {}, { schema: { a: 1, b: 2 } }],
    ["and back", {}, { schema: { b: 2, a: 1 } }],
    ["the temperature", {}, { temperature: 0 }],
    ["the sample", {}, { sample: 1 }],
    [
      "text that moves from one message to the next",
      {},
      { messages: [{ role: "user", content: 'What"],["user","is it?' }] },
    ],
    [
      "text that moves from the system prompt",
      {},
      { system: "What", messages: [{ role: "user", content: " is it?" }] },
    ],
    ["and back", {}, { system: "What ", messages: [{ role: "user", content: "is it?" }] }],
    ["a half in JSON's own words", {}, { messages: [{ role: "user", content: '"\\ud800"' }] }],
    ["one message made two", {}, { messages: ["What", "is it?"].map((content) => ({ role: "user", content })) }],
  ];

  test("is another one for everything that can change the answer", () => {
    const keys = different.map(([, provider, request]) => keyOf(own(provider), { ...plain, ...request }));
    expect(new Set([keyOf(own(), plain), ...keys]).size).toBe(different.length + 1);
  });

  test("is the same whatever the output limit, the API key, the article's fields, the base URL's slash and case are", () => {
    const key = keyOf(own(), plain);
    expect(keyOf(own({ maxOutputTokens: 5 }), { ...plain, maxOutputTokens: 7 })).toBe(key);
    expect(keyOf(own(), { ...plain, article: { content: "x" }, sample: 0, schemaName: "answer" })).toBe(key);
    expect(keyOf(own({ baseURL: "HTTPS://Example.org/v1/" }), plain)).toBe(key);
    expect(keyOf(own({ sends: { b: 1, a: 2 } }), plain)).toBe(keyOf(own({ sends: { a: 2, b: 1 } }), plain));
    expect(keyOf(openai({ apiKey: "sk-2" }), plain)).toBe(keyOf(openai({ apiKey: "sk-1" }), plain));
  });

  test("knows a header that can change the answer, and none that says who asks", () => {
    const keyWith = (headers: Record<string, string>) => keyOf(anthropic({ apiKey, headers }), plain);
    const none = keyWith({});
    expect(keyWith({ "Anthropic-Beta": "context-1m" })).not.toBe(none);
    expect(keyWith({ "Anthropic-Beta": "x" })).toBe(keyWith({ "anthropic-beta": "x" }));
    for (const name of ["authorization", "X-Api-Key", "cookie", "x-request-id", "traceparent"]) {
      expect(keyWith({ [name]: "secret" })).toBe(none);
    }
    expect(keyOf(openai({ apiKey, api: "responses" }), plain)).not.toBe(keyOf(openai({ apiKey }), plain));
  });
});
