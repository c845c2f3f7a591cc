/** The four protocols as a table: how each is called, what a good answer of its looks like, and how it words an error. */

import { anthropic } from "../../src/providers/anthropic.ts";
import { mistral } from "../../src/providers/mistral.ts";
import { type OpenAIOptions, openai } from "../../src/providers/openai.ts";
import type { CompleteOptions, ModelRequest, Provider } from "../../src/providers/provider.ts";

/** The marker: it may appear in no error, ever. */
export const KEY = "sk-MARKER-0123456789abcdef";

export interface Protocol {
  readonly title: string;
  make(url: string, extra?: OpenAIOptions): Provider;
  readonly path: string;
  readonly idHeader: string;
  answer(text: string, change?: { finish?: string }): object;
  readonly usage: object;
  error(type: string, message: string): object;
}

export const PROTOCOLS: readonly Protocol[] = [
  {
    title: "anthropic",
    make: (url, extra) => anthropic({ apiKey: KEY, baseURL: url, ...extra }),
    path: "/v1/messages",
    idHeader: "request-id",
    answer: (text, { finish = "end_turn" } = {}) => ({
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "claude-x",
      content: [
        { type: "thinking", thinking: "hm", signature: "" },
        { type: "text", text },
      ],
      stop_reason: finish,
      usage: { input_tokens: 10, cache_creation_input_tokens: 20, cache_read_input_tokens: 30, output_tokens: 5 },
    }),
    usage: { inputTokens: 60, outputTokens: 5, cacheReadTokens: 30, cacheWriteTokens: 20 },
    error: (type, message) => ({ type: "error", error: { type, message } }),
  },
  {
    title: "openai chat",
    make: (url, extra) => openai({ apiKey: KEY, baseURL: `${url}/v1`, ...extra }),
    path: "/v1/chat/completions",
    idHeader: "x-request-id",
    answer: (text, { finish = "stop" } = {}) => ({
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1,
      model: "gpt-x",
      choices: [{ index: 0, message: { role: "assistant", content: text, refusal: null }, finish_reason: finish }],
      usage: { prompt_tokens: 60, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 30 } },
    }),
    usage: { inputTokens: 60, outputTokens: 5, cacheReadTokens: 30 },
    error: (type, message) => ({ error: { message, type, param: null, code: type } }),
  },
  {
    title: "openai responses",
    make: (url, extra) => openai({ apiKey: KEY, baseURL: `${url}/v1`, api: "responses", ...extra }),
    path: "/v1/responses",
    idHeader: "x-request-id",
    answer: (text, { finish = "completed" } = {}) => ({
      id: "resp_1",
      object: "response",
      status: finish === "completed" ? "completed" : "incomplete",
      incomplete_details: finish === "completed" ? null : { reason: finish },
      model: "gpt-x",
      output: [
        { type: "reasoning", summary: [] },
        { type: "message", role: "assistant", content: [{ type: "output_text", text, annotations: [] }] },
      ],
      usage: { input_tokens: 60, output_tokens: 5, input_tokens_details: { cached_tokens: 30, cache_write_tokens: 7 } },
    }),
    usage: { inputTokens: 60, outputTokens: 5, cacheReadTokens: 30, cacheWriteTokens: 7 },
    error: (type, message) => ({ error: { message, type, param: null, code: type } }),
  },
  {
    title: "mistral",
    make: (url, extra) => mistral({ apiKey: KEY, baseURL: url, ...extra }),
    path: "/v1/chat/completions",
    idHeader: "mistral-correlation-id",
    answer: (text, { finish = "stop" } = {}) => ({
      id: "cmpl-1",
      object: "chat.completion",
      created: 1,
      model: "mistral-x",
      choices: [{ index: 0, message: { role: "assistant", content: text, tool_calls: null }, finish_reason: finish }],
      usage: {
        prompt_tokens: 60,
        completion_tokens: 5,
        total_tokens: 65,
        prompt_tokens_details: { cached_tokens: 30 },
      },
    }),
    usage: { inputTokens: 60, outputTokens: 5, cacheReadTokens: 30 },
    error: (type, message) => ({ object: "error", message, type, param: null, code: null }),
  },
];

export const ASK: ModelRequest = { messages: [{ role: "user", content: "Hi" }] };

export const SCHEMA = {
  type: "object",
  properties: { tone: { type: "string", enum: ["good", "bad"] } },
  required: ["tone"],
  additionalProperties: false,
};

export const patient = (): CompleteOptions => ({ signal: new AbortController().signal });
