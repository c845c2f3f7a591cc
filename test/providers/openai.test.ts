import { describe, expect, test } from "vitest";
import { VENDORS } from "../../src/providers/models.ts";
import { type OpenAIOptions, openai } from "../../src/providers/openai.ts";
import { chatBody } from "../../src/providers/openai-chat.ts";
import { readSettings } from "../../src/providers/settings.ts";
import { type Behaviour, type FaultServer, faultServer, rejection, reply } from "../http/server.ts";
import { ASK, KEY, PROTOCOLS, patient, SCHEMA } from "./vendors.ts";

const chat = PROTOCOLS[1]!;
const make = (server: FaultServer, options: OpenAIOptions = {}) => chat.make(server.url, options);
const asked = { ...ASK, system: "Be brief.", schema: SCHEMA };

/** Knows no schemas, and wraps what it is asked for in prose. */
const schemaless =
  (status: number, message: string): Behaviour =>
  (res, { body }) =>
    body.includes("response_format")
      ? reply(res, status, chat.error("invalid_request_error", message))
      : reply(res, 200, chat.answer('Sure! Here it is:\n```json\n{"tone": "good",}\n```\nAnything else?'));

describe("a server other than OpenAI's", () => {
  test.each([
    [400, "This response_format type is unavailable now"],
    [422, "response_format.type: json_schema is not one of text, json_object"],
    [400, "Unsupported parameter: json_schema"],
    [400, "Structured outputs are not supported by this model"],
    [400, "failed to parse grammar"],
  ])("that refuses schemas with %i '%s' is asked in words, from then on", async (status, message) => {
    await using server = await faultServer(schemaless(status, message));
    const provider = make(server);
    for (let call = 0; call < 2; call++) {
      expect(await provider.complete(asked, patient())).toMatchObject({
        text: '{"tone": "good"}',
        finishReason: "stop",
      });
    }
    expect(server.seen).toHaveLength(3);
    const { messages } = JSON.parse(server.seen[2]!.body);
    expect(messages[0].content).toContain("Be brief.");
    expect(messages[0].content).toContain(JSON.stringify(SCHEMA));
    await provider.close();
  });

  test("that finds this schema invalid ends the run instead", async () => {
    await using server = await faultServer(schemaless(400, "Invalid schema for response_format 'answer': …"));
    const provider = make(server);
    expect(await rejection(provider.complete(asked, patient()))).toMatchObject({
      code: "schema_rejected",
      scope: "run",
    });
    expect(server.seen).toHaveLength(1);
    await provider.close();
  });

  test("that was told to use json_schema is not asked in words", async () => {
    await using server = await faultServer(schemaless(400, "This response_format type is unavailable now"));
    const provider = make(server, { structuredOutput: "json_schema" });
    expect(await rejection(provider.complete(asked, patient()))).toMatchObject({ code: "schema_rejected" });
    await provider.close();
  });

  test("that is asked in words from the start never sees response_format", async () => {
    await using server = await faultServer(schemaless(400, "no"));
    const provider = make(server, { structuredOutput: "prompt" });
    expect((await provider.complete(asked, patient())).text).toBe('{"tone": "good"}');
    expect(server.seen).toHaveLength(1);
    await provider.close();
  });

  test("whose refusal has other reasons keeps being asked with the schema", async () => {
    await using server = await faultServer((res) => reply(res, 400, chat.error("e", "messages must not be empty")));
    const provider = make(server);
    for (let call = 0; call < 2; call++) await rejection(provider.complete(asked, patient()));
    expect(server.seen.map(({ body }) => body.includes("json_schema"))).toEqual([true, true]);
    await provider.close();
  });

  test("gives an answer that was cut back as it came, so that nobody takes it for whole", async () => {
    await using server = await faultServer((res) => reply(res, 200, chat.answer('{"tone": "go', { finish: "length" })));
    const provider = make(server, { structuredOutput: "prompt" });
    expect(await provider.complete(asked, patient())).toMatchObject({ text: '{"tone": "go', finishReason: "length" });
    await provider.close();
  });

  test("is called without a key when there is none", async () => {
    await using server = await faultServer((res) => reply(res, 200, chat.answer("ok")));
    const provider = make(server, { apiKey: "" });
    expect((await provider.complete(ASK, patient())).text).toBe("ok");
    expect(server.seen[0]!.headers.authorization).toBeUndefined();
    await provider.close();
  });

  test("may leave usage out", async () => {
    await using server = await faultServer((res) => reply(res, 200, { ...chat.answer("ok"), usage: undefined }));
    const provider = make(server);
    expect((await provider.complete(ASK, patient())).usage).toEqual({ inputTokens: 0, outputTokens: 0 });
    await provider.close();
  });

  test("may answer in parts", async () => {
    const parts = [
      { type: "thinking", thinking: "hm" },
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ];
    await using server = await faultServer((res) =>
      reply(res, 200, { choices: [{ message: { content: parts }, finish_reason: "stop" }], usage: {} }),
    );
    const provider = make(server);
    expect(await provider.complete(ASK, patient())).toMatchObject({ text: "ab", model: VENDORS.openai.model });
    await provider.close();
  });

  test("is named in errors by its host", async () => {
    await using server = await faultServer((res) => reply(res, 500, "{}"));
    const provider = make(server);
    const { message } = (await rejection(provider.complete(ASK, patient()))) as Error;
    expect(message).toContain(`from the server at ${new URL(server.url).host}`);
    await provider.close();
  });
});

describe("OpenAI's own endpoint", () => {
  const settings = (baseURL: string) =>
    readSettings(VENDORS.openai, { apiKey: KEY, baseURL }, { known: ["apiKey", "baseURL"], compatible: true });

  test.each([
    ["https://api.openai.com/v1", { max_completion_tokens: 8_192 }],
    ["https://eu.api.openai.com/v1", { max_completion_tokens: 8_192 }],
    ["https://api.openai.com.example.org/v1", { max_tokens: 8_192 }],
    ["http://localhost:11434/v1", { max_tokens: 8_192 }],
  ])("%s is given its own name for the output limit", (baseURL, limit) => {
    expect(chatBody(ASK, settings(baseURL))).toEqual({ model: "gpt-6-luna", messages: ASK.messages, ...limit });
  });

  test("a schema outside strict mode's rules is sent as a hint, unchanged", () => {
    const schema = { type: "object", properties: { a: { type: "string", minLength: 3 } } };
    expect(chatBody({ ...ASK, schema }, settings("https://api.openai.com/v1")).response_format).toEqual({
      type: "json_schema",
      json_schema: { name: "answer", strict: false, schema },
    });
  });
});

test.each([{ api: "completions" }, { structuredOutput: "json" }])(
  "%j is refused with what may stand there",
  (options) => {
    expect(() => openai({ apiKey: KEY, ...options } as OpenAIOptions)).toThrow(/must be "\w+" or "\w+"/);
  },
);
