/** The wire protocols, read by the vendors' own SDKs and as plain JSON. */

import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { askAnthropic, askChat, askMistral, askResponses, eventsOf, KEY, simulate, VERDICT } from "./support.ts";

describe("Anthropic", () => {
  test("a message has content, a stop reason and usage in three parts", async () => {
    const { url } = await simulate({ cachedTokens: 5 });
    const { status, headers, json } = await askAnthropic(url, { text: "What is this? [[id:A7]]".repeat(4) });
    expect(status).toBe(200);
    expect(json).toMatchObject({ type: "message", role: "assistant", model: "claude-haiku-4-5", stop_sequence: null });
    expect(json.stop_reason).toBe("end_turn");
    expect(json.content).toEqual([{ type: "text", text: expect.stringContaining("A7") }]);
    expect(json.usage).toMatchObject({ cache_creation_input_tokens: 0, cache_read_input_tokens: 5 });
    expect(json.usage.input_tokens).toBeGreaterThan(10);
    expect(json.usage.output_tokens).toBe(Math.ceil(json.content[0].text.length / 4));
    expect(headers.get("request-id")).toMatch(/^req_/);
  });

  test("the SDK streams the same text that it gets in one piece", async () => {
    const { url } = await simulate();
    const client = new Anthropic({ apiKey: KEY, baseURL: url, maxRetries: 0 });
    const request = {
      model: "claude-haiku-4-5",
      max_tokens: 500,
      messages: [{ role: "user" as const, content: "A long article [[id:7]]" }],
      output_config: { format: { type: "json_schema" as const, schema: VERDICT } },
    };
    const whole = await client.messages.create(request);
    const streamed = await client.messages.stream(request).finalMessage();
    expect(streamed.content).toEqual(whole.content);
    expect(streamed.stop_reason).toBe("end_turn");
    expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens);
    expect(JSON.parse(whole.content[0]?.type === "text" ? whole.content[0].text : "")).toHaveProperty("topic");
  });

  test("a stream's events come in the documented order", async () => {
    const { url } = await simulate();
    const { text, headers } = await askAnthropic(url, { stream: true });
    const types = eventsOf(text).map((event) => event.type);
    expect(headers.get("content-type")).toMatch(/^text\/event-stream/);
    expect(types.slice(0, 3)).toEqual(["message_start", "content_block_start", "ping"]);
    expect(types.slice(-3)).toEqual(["content_block_stop", "message_delta", "message_stop"]);
    expect(new Set(types.slice(3, -3))).toEqual(new Set(["content_block_delta"]));
  });

  test("a bearer token serves as well as x-api-key, and the version header is required", async () => {
    const { url } = await simulate({ apiKeys: [KEY] });
    const body = JSON.stringify({
      model: "claude-haiku-4-5",
      max_tokens: 9,
      messages: [{ role: "user", content: "x" }],
    });
    const headers = { authorization: `Bearer ${KEY}` };
    const ok = await fetch(`${url}/v1/messages`, {
      method: "POST",
      body,
      headers: { ...headers, "anthropic-version": "2023-06-01" },
    });
    const bad = await fetch(`${url}/v1/messages`, { method: "POST", body, headers });
    expect([ok.status, bad.status]).toEqual([200, 400]);
    expect(await bad.text()).toContain("anthropic-version");
    await ok.text();
  });
});

describe("OpenAI", () => {
  test("a chat completion has a choice, a finish reason and usage with its details", async () => {
    const { url } = await simulate({ cachedTokens: 3 });
    const { status, headers, json } = await askChat(url, { text: '{"id":"B-2","text":"news"}' });
    expect(status).toBe(200);
    expect(json).toMatchObject({ object: "chat.completion", model: "gpt-5-mini" });
    expect(json.choices).toHaveLength(1);
    expect(json.choices[0]).toMatchObject({
      index: 0,
      finish_reason: "stop",
      message: { role: "assistant", refusal: null },
    });
    expect(json.choices[0].message.content).toContain("B-2");
    expect(json.usage.total_tokens).toBe(json.usage.prompt_tokens + json.usage.completion_tokens);
    expect(json.usage.prompt_tokens_details.cached_tokens).toBe(3);
    expect(headers.get("x-request-id")).toMatch(/^req_/);
  });

  test("the SDK reads chat completions and responses, streamed and whole, alike", async () => {
    const { url } = await simulate();
    const client = new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries: 0 });
    const messages = [{ role: "user" as const, content: "An article [[id:q9]]" }];
    const whole = await client.chat.completions.create({ model: "gpt-5-mini", messages });
    const content = whole.choices[0]?.message.content;
    expect(content).toContain("q9");
    let streamed = "";
    let usage: unknown;
    const chunks = await client.chat.completions.create({
      model: "gpt-5-mini",
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const chunk of chunks) {
      streamed += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    expect(streamed).toBe(content);
    expect(usage).toEqual(whole.usage);
    const response = await client.responses.create({ model: "gpt-5-mini", input: "An article [[id:q9]]" });
    expect(response.output_text).toBe(content);
    let deltas = "";
    let last = "";
    for await (const event of await client.responses.create({ model: "gpt-5", input: messages, stream: true })) {
      if (event.type === "response.output_text.delta") deltas += event.delta;
      last = event.type;
    }
    expect(deltas).toBe(content);
    expect(last).toBe("response.completed");
  });

  test("usage comes at a stream's end only when it is asked for", async () => {
    const { url } = await simulate();
    const asked = eventsOf((await askChat(url, { stream: true })).text);
    expect(asked.at(-1)).toBe("[DONE]");
    expect(asked.at(-2)).toMatchObject({ choices: [], usage: { prompt_tokens: expect.any(Number) } });
    const response = await fetch(`${url}/openai/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ model: "gpt-5", stream: true, messages: [{ role: "user", content: "x" }] }),
    });
    expect(await response.text()).not.toContain("usage");
  });

  test("a response cut at its limit is incomplete and says why", async () => {
    const { url } = await simulate();
    const { json } = await askResponses(url, { schema: VERDICT, maxTokens: 5 });
    expect(json).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
    expect(json.usage.output_tokens).toBe(5);
  });
});

describe("Mistral", () => {
  test("the SDK accepts completions, streams and models", async () => {
    const { Mistral } = await import("@mistralai/mistralai");
    const { url } = await simulate({ cachedTokens: 2 });
    const client = new Mistral({ apiKey: KEY, serverURL: `${url}/mistral` });
    const request = { model: "mistral-small-latest", messages: [{ role: "user" as const, content: "Hi [[id:m]]" }] };
    const whole = await client.chat.complete({
      ...request,
      responseFormat: { type: "json_schema", jsonSchema: { name: "v", schemaDefinition: VERDICT } },
    });
    expect(JSON.parse(String(whole.choices[0]?.message?.content)).topic).toContain("m");
    expect(whole.usage.totalTokens).toBe((whole.usage.promptTokens ?? 0) + (whole.usage.completionTokens ?? 0));
    let streamed = "";
    let finish: unknown;
    for await (const event of await client.chat.stream(request)) {
      streamed += event.data.choices[0]?.delta.content ?? "";
      finish = event.data.choices[0]?.finishReason ?? finish;
    }
    expect(streamed).toMatch(/^sim-[0-9a-f]{12} m /);
    expect(finish).toBe("stop");
    expect((await client.models.list()).data?.length).toBeGreaterThan(0);
  });

  test("its own header names the call", async () => {
    const { url } = await simulate();
    const { headers } = await askMistral(url);
    expect(headers.get("mistral-correlation-id")).toMatch(/^[0-9a-f]{24}$/);
  });
});

describe("addresses", () => {
  test("without a prefix the model's name tells Mistral from OpenAI", async () => {
    const simulator = await simulate();
    const models = ["gpt-5", "ministral-8b-latest", "open-mixtral-8x22b"];
    const replies = [];
    for (const model of models) replies.push(await askChat(simulator.url, { model }, ""));
    await askChat(simulator.url, { model: "mistral-small-latest" }, "/openai");
    expect(simulator.ledger().map((entry) => entry.vendor)).toEqual(["openai", "mistral", "mistral", "openai"]);
    expect(replies.map(({ headers }) => headers.has("mistral-correlation-id"))).toEqual([false, true, true]);
  });

  test("each vendor lists its models and knows one from another", async () => {
    const { url } = await simulate({ models: ["only-this"] });
    const get = async (path: string, headers: Record<string, string> = { authorization: `Bearer ${KEY}` }) => {
      const response = await fetch(url + path, { headers });
      return { status: response.status, json: (await response.json()) as { data: { id: string }[] } };
    };
    for (const path of ["/anthropic/v1/models", "/openai/v1/models", "/mistral/v1/models", "/v1/models"]) {
      const { status, json } = await get(path);
      expect([status, json.data.map(({ id }) => id)]).toEqual([200, ["only-this"]]);
    }
    expect((await get("/openai/v1/models/only-this")).status).toBe(200);
    expect((await get("/openai/v1/models/another")).status).toBe(404);
    expect((await get("/openai/v1/models", {})).status).toBe(401);
    expect((await get("/nowhere")).status).toBe(404);
  });
});
