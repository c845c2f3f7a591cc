/** What each protocol's good answer looks like as server-sent events: the same answer as in `vendors.ts`, told in pieces. */

import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { CompleteOptions } from "../../src/providers/provider.ts";
import { PROTOCOLS, type Protocol } from "./vendors.ts";

interface Told {
  /** The vendor's word for why it stopped. */
  readonly finish?: string;
}

export interface StreamedProtocol extends Protocol {
  /** Each with its empty line; the last one is the end marker. */
  events(pieces: readonly string[], told?: Told): string[];
  /** An event that says the server has failed. */
  fault(error: { readonly type: string; readonly message: string; readonly status: number }): string;
}

const event = (data: object, name?: string): string =>
  `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;

const named = <D extends { readonly type: string }>(data: D): string => event(data, data.type);

const DONE = "data: [DONE]\n\n";

function anthropicEvents(pieces: readonly string[], { finish = "end_turn" }: Told = {}): string[] {
  const block = (index: number, content_block: object, deltas: readonly object[]) => [
    named({ type: "content_block_start", index, content_block }),
    ...deltas.map((delta) => named({ type: "content_block_delta", index, delta })),
    named({ type: "content_block_stop", index }),
  ];
  const usage = { input_tokens: 10, cache_creation_input_tokens: 20, cache_read_input_tokens: 30, output_tokens: 1 };
  const message = {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-x",
    content: [],
    stop_reason: null,
  };
  return [
    named({ type: "message_start", message: { ...message, usage } }),
    named({ type: "ping" }),
    ...block(0, { type: "thinking", thinking: "" }, [{ type: "thinking_delta", thinking: "hm" }]),
    ...block(
      1,
      { type: "text", text: "" },
      pieces.map((text) => ({ type: "text_delta", text })),
    ),
    named({ type: "an_event_of_next_year", index: 1 }),
    named({ type: "message_delta", delta: { stop_reason: finish }, usage: { input_tokens: null, output_tokens: 5 } }),
    named({ type: "message_stop" }),
  ];
}

const chatHead = (id: string, model: string) => ({ id, object: "chat.completion.chunk", created: 1, model });
const choice = (delta: object, finish: string | null = null) => [{ index: 0, delta, finish_reason: finish }];

function chatEvents(pieces: readonly string[], { finish = "stop" }: Told = {}): string[] {
  const head = chatHead("chatcmpl-1", "gpt-x");
  const usage = { prompt_tokens: 60, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 30 } };
  return [
    event({ ...head, choices: choice({ role: "assistant", content: "", refusal: null }), usage: null }),
    ...pieces.map((content) => event({ ...head, choices: choice({ content }), usage: null })),
    event({ ...head, choices: choice({}, finish), usage: null }),
    event({ ...head, choices: [], usage }),
    DONE,
  ];
}

function mistralEvents(pieces: readonly string[], { finish = "stop" }: Told = {}): string[] {
  const head = chatHead("cmpl-1", "mistral-x");
  const usage = { prompt_tokens: 60, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 30 } };
  return [
    event({ ...head, choices: choice({ role: "assistant", content: "" }) }),
    ...pieces.map((text) => event({ ...head, choices: choice({ content: [{ type: "text", text }] }) })),
    event({ ...head, choices: choice({ content: "" }, finish), usage }),
    DONE,
  ];
}

function responsesEvents(pieces: readonly string[], { finish = "completed" }: Told = {}): string[] {
  const whole = protocolOf("openai responses").answer(pieces.join(""), { finish }) as { status: string };
  const type = `response.${whole.status}`;
  return [
    named({ type: "response.created", response: { ...whole, status: "in_progress", output: [], usage: null } }),
    ...pieces.map((delta) => named({ type: "response.output_text.delta", item_id: "1", delta })),
    named({ type: "response.output_text.done", item_id: "1", text: pieces.join("") }),
    named({ type, response: whole }),
  ];
}

const protocolOf = (title: string): Protocol => PROTOCOLS.find((one) => one.title === title)!;

export const STREAMED: readonly StreamedProtocol[] = [
  {
    ...protocolOf("anthropic"),
    events: anthropicEvents,
    fault: ({ type, message }) => event({ type: "error", error: { type, message } }, "error"),
  },
  {
    ...protocolOf("openai chat"),
    events: chatEvents,
    fault: ({ type, message }) => event({ error: { message, type, param: null, code: type } }),
  },
  {
    ...protocolOf("openai responses"),
    events: responsesEvents,
    fault: ({ type, message }) => event({ type: "error", code: type, message, param: null }, "error"),
  },
  {
    ...protocolOf("mistral"),
    events: mistralEvents,
    fault: ({ type, message, status }) => event({ object: "error", message, type, raw_status_code: status }),
  },
];

/** Sends a stream whole, or its parts as they are. */
export function stream(res: ServerResponse, parts: readonly (string | Uint8Array)[], headers: object = {}): void {
  begin(res, headers);
  for (const part of parts) res.write(part);
  res.end();
}

export function begin(res: ServerResponse, headers: object = {}): void {
  res.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", ...headers });
}

/** Resolves when the client has left. */
export const left = (res: ServerResponse): Promise<unknown> => once(res, "close");

/** Options of a streamed call, and what they heard. */
export function listener(signal = new AbortController().signal) {
  const heard = { deltas: [] as string[], signs: 0 };
  const options: CompleteOptions = {
    signal,
    streaming: true,
    onDelta: (text) => heard.deltas.push(text),
    onActivity: () => {
      heard.signs++;
    },
  };
  return { heard, options };
}
