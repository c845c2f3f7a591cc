/** OpenAI's Responses API: shapes as in openai 7.57 (`resources/responses`). */

import type { Answer } from "../answers/answer.ts";
import { ANY_OBJECT, type Ask, isObject, type JsonObject, numberOr, textOf, type Wire } from "../ask.ts";
import type { Problem } from "../problem.ts";
import { openaiProblem } from "./openai.ts";
import { type Endpoint, event, pieces, type Stamp } from "./vendor.ts";

/** The turns of `input`: a text, or an array of messages. */
function inputTurns(input: unknown): { role: string; text: string }[] | undefined {
  if (typeof input === "string") return [{ role: "user", text: input }];
  if (!Array.isArray(input) || input.length === 0) return undefined;
  return input
    .filter((item: unknown) => isObject(item))
    .map((item) => ({ role: typeof item.role === "string" ? item.role : "", text: textOf(item.content) }));
}

function formatOf(text: unknown): { schema: JsonObject | undefined; strict: boolean } {
  const format = isObject(text) ? text.format : undefined;
  if (!isObject(format)) return { schema: undefined, strict: false };
  if (format.type === "json_object") return { schema: ANY_OBJECT, strict: false };
  // Unlike chat completions, strict is the default here.
  return { schema: isObject(format.schema) ? format.schema : undefined, strict: format.strict !== false };
}

function read(body: JsonObject): Wire | Problem {
  const turns = inputTurns(body.input);
  if (typeof body.model !== "string") {
    return { kind: "malformed", message: "Missing required parameter: 'model'.", param: "model" };
  }
  if (!turns) return { kind: "malformed", message: "Missing required parameter: 'input'.", param: "input" };
  const isSystem = (role: string) => role === "system" || role === "developer";
  const instructions = typeof body.instructions === "string" ? body.instructions : "";
  return {
    model: body.model,
    system: instructions + turns.map((turn) => (isSystem(turn.role) ? turn.text : "")).join(""),
    turns: turns.filter((turn) => !isSystem(turn.role)),
    ...formatOf(body.text),
    maxTokens: numberOr(body.max_output_tokens),
    stream: body.stream === true,
    includeUsage: true,
  };
}

const INCOMPLETE = { stop: null, refusal: null, length: "max_output_tokens", filter: "content_filter" } as const;

const part = (answer: Answer, text: string): object =>
  answer.finish === "refusal"
    ? { type: "refusal", refusal: text }
    : { type: "output_text", text, annotations: [], logprobs: [] };

const statusOf = (answer: Answer): string => (INCOMPLETE[answer.finish] === null ? "completed" : "incomplete");

const item = (stamp: Stamp, content: readonly object[], status: string): object => ({
  id: `msg_${stamp.id}`,
  type: "message",
  status,
  role: "assistant",
  content,
});

/** The response without its output, as it is when work begins. */
const opening = (answer: Answer, stamp: Stamp): JsonObject => ({
  id: `resp_${stamp.id}`,
  object: "response",
  created_at: stamp.created,
  status: "in_progress",
  background: false,
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  model: answer.model,
  output: [],
  parallel_tool_calls: true,
  previous_response_id: null,
  service_tier: "default",
  temperature: 1,
  tool_choice: "auto",
  tools: [],
  top_p: 1,
  usage: null,
});

function body(answer: Answer, stamp: Stamp): JsonObject {
  const { usage } = answer;
  const reason = INCOMPLETE[answer.finish];
  return {
    ...opening(answer, stamp),
    status: statusOf(answer),
    incomplete_details: reason === null ? null : { reason },
    output: [item(stamp, [part(answer, answer.text)], statusOf(answer))],
    usage: {
      input_tokens: usage.input,
      input_tokens_details: { cached_tokens: usage.cached, cache_write_tokens: 0 },
      output_tokens: usage.output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage.input + usage.output,
    },
  };
}

function events(answer: Answer, _ask: Ask, stamp: Stamp): string[] {
  let sequence = 0;
  const say = (type: string, facts: object) => event({ type, sequence_number: sequence++, ...facts }, type);
  const where = { item_id: `msg_${stamp.id}`, output_index: 0, content_index: 0 };
  const kind = answer.finish === "refusal" ? "response.refusal" : "response.output_text";
  const done = answer.finish === "refusal" ? { refusal: answer.text } : { text: answer.text, logprobs: [] };
  const response = opening(answer, stamp);
  return [
    say("response.created", { response }),
    say("response.in_progress", { response }),
    say("response.output_item.added", { output_index: 0, item: item(stamp, [], "in_progress") }),
    say("response.content_part.added", { ...where, part: part(answer, "") }),
    ...pieces(answer.text).map((delta) => say(`${kind}.delta`, { ...where, delta })),
    say(`${kind}.done`, { ...where, ...done }),
    say("response.content_part.done", { ...where, part: part(answer, answer.text) }),
    say("response.output_item.done", {
      output_index: 0,
      item: item(stamp, [part(answer, answer.text)], statusOf(answer)),
    }),
    say(`response.${statusOf(answer)}`, { response: body(answer, stamp) }),
  ];
}

export const openaiResponses: Endpoint = {
  read,
  body,
  events,
  errorEvent(problem) {
    const { error } = openaiProblem(problem).body as { error: { code: string | null; message: string } };
    return event({ type: "error", code: error.code, message: error.message, param: null, sequence_number: 0 }, "error");
  },
};
