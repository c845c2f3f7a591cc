/** What the vendors say to requests that they will not answer, each in its own words. */

import { describe, expect, test } from "vitest";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { askAnthropic, askChat, askMistral, askResponses, post, simulate, VERDICT } from "./support.ts";

const summary = ({ status, json }: { status: number; json: { error?: { type: string; code?: string } } }) => [
  status,
  json.error?.type,
  json.error?.code,
];

describe("keys", () => {
  test("that are missing or unknown are refused with 401", async () => {
    const { url } = await simulate({ apiKeys: ["good-key"] });
    expect(summary(await askAnthropic(url))).toEqual([401, "authentication_error", undefined]);
    expect(summary(await askChat(url))).toEqual([401, "invalid_request_error", "invalid_api_key"]);
    expect(await askMistral(url)).toMatchObject({ status: 401, json: { detail: "Unauthorized" } });
    expect((await askAnthropic(url, { key: "good-key" })).status).toBe(200);
    expect((await post(`${url}/v1/messages`, {})).status).toBe(401);
  });

  test("never come back whole in an error", async () => {
    const { url } = await simulate({ apiKeys: [] });
    const { text } = await askChat(url, { key: "sk-secret-part-9876" });
    expect(text).toContain("****9876");
    expect(text).not.toContain("secret");
  });
});

test("unknown models are named in the vendor's way", async () => {
  const { url } = await simulate();
  expect(summary(await askAnthropic(url, { model: "unknown-1" }))).toEqual([404, "not_found_error", undefined]);
  expect(summary(await askChat(url, { model: "unknown-1" }))).toEqual([
    404,
    "invalid_request_error",
    "model_not_found",
  ]);
  const mistral = await askMistral(url, { model: "unknown-1" });
  expect(mistral).toMatchObject({ status: 400, json: { type: "invalid_model", code: "1500" } });
});

test("poisoned texts are refused every time, others never", async () => {
  const { url } = await simulate({ poison: "☠" });
  for (const text of ["a ☠ b", "fine", "a ☠ b"]) {
    const statuses = [askAnthropic, askChat, askMistral, askResponses].map((ask) => ask(url, { text }));
    const expected = text === "fine" ? 200 : 400;
    expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual(Array(4).fill(expected));
  }
});

test("marked texts are refused by the model or filtered, as each vendor tells it", async () => {
  const { url } = await simulate({ refuse: "REFUSE", filter: "FILTER" });
  const claude = await askAnthropic(url, { text: "REFUSE" });
  expect(claude.json).toMatchObject({ content: [], stop_reason: "refusal", stop_details: { type: "refusal" } });
  const gpt = await askChat(url, { text: "REFUSE", schema: VERDICT });
  expect(gpt.json.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: null } });
  expect(gpt.json.choices[0].message.refusal).toMatch(/^I'm sorry/);
  const responses = await askResponses(url, { text: "REFUSE" });
  expect(responses.json.output[0].content[0]).toMatchObject({ type: "refusal" });
  expect((await askMistral(url, { text: "REFUSE" })).json.choices[0].message.content).toMatch(/^I'm sorry/);
  expect(await askAnthropic(url, { text: "FILTER" })).toMatchObject({
    status: 400,
    json: { error: { message: "Output blocked by content filtering policy" } },
  });
  expect((await askChat(url, { text: "FILTER" })).json.choices[0].finish_reason).toBe("content_filter");
});

test("an empty account is told so, at OpenAI without Retry-After", async () => {
  const { url } = await simulate({ credit: 0 });
  const claude = await askAnthropic(url);
  expect(claude.status).toBe(400);
  expect(claude.json.error.message).toContain("credit balance is too low");
  const gpt = await askChat(url);
  expect(summary(gpt)).toEqual([429, "insufficient_quota", "insufficient_quota"]);
  expect(gpt.headers.has("retry-after")).toBe(false);
  expect((await askMistral(url)).status).toBe(402);
});

test("an account runs empty by what is billed", async () => {
  const { url } = await simulate({ credit: 100 });
  const statuses: number[] = [];
  while (statuses.length < 10) statuses.push((await askAnthropic(url)).status);
  expect(statuses[0]).toBe(200);
  expect(statuses.at(-1)).toBe(400);
  expect(statuses.toSorted()).toEqual(statuses);
});

test("bodies that are too large, not JSON or lack a field are refused", async () => {
  const { url } = await simulate({ maxBodyBytes: 2000 });
  const large = await askAnthropic(url, { text: "x".repeat(3000) });
  expect(large).toMatchObject({ status: 413, json: { error: { type: "request_too_large" } } });
  const headers = { authorization: "Bearer k", "anthropic-version": "2023-06-01" };
  const bodies = [
    "{",
    "[]",
    { model: "m" },
    { model: "m", messages: [] },
    { messages: [{ role: "user", content: "x" }] },
  ];
  for (const [path, expected] of [
    ["anthropic/v1/messages", [400, 400, 400, 400, 400]],
    ["openai/v1/chat/completions", [400, 400, 400, 400, 400]],
    ["mistral/v1/chat/completions", [400, 400, 422, 422, 422]],
  ] as const) {
    const replies = await Promise.all(bodies.map((body) => post(`${url}/${path}`, body, { headers })));
    expect(replies.map(({ status }) => status)).toEqual(expected);
  }
});

test("schemas outside the vendors' strict subset are refused, unless told otherwise", async () => {
  const simulator = await simulate();
  const open = { type: "object", properties: { a: { type: "string" } }, required: ["a"] };
  const optional = { ...open, required: [], additionalProperties: false };
  const status = async (schema: object) => [
    (await askAnthropic(simulator.url, { schema })).status,
    (await askChat(simulator.url, { schema })).status,
    (await askResponses(simulator.url, { schema })).status,
    (await askMistral(simulator.url, { schema })).status,
  ];
  expect(await status(open)).toEqual([400, 400, 400, 200]);
  expect(await status(optional)).toEqual([200, 400, 400, 200]);
  expect((await askChat(simulator.url, { schema: optional })).json.error.message).toContain("Missing 'a'");
  simulator.set({ strictSchemas: false });
  expect(await status(open)).toEqual([200, 200, 200, 200]);
});

test("options that do not exist or cannot be are refused by name", async () => {
  const start = (options: object) => startSimulator(options);
  await expect(start({ latencey: 3 })).rejects.toThrow('did you mean "latency"');
  await expect(start({ faults: { eror500: 0.1 } })).rejects.toThrow('did you mean "error500"');
  await expect(start({ faults: { hang: 0.6, error500: 0.6 } })).rejects.toThrow("add up to");
  await expect(start({ limits: { requestsPerMinute: 0 } })).rejects.toThrow("above 0");
});
