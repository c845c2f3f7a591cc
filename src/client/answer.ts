/** From a completion to an answer that can be used: one re-ask for an invalid one, one larger try for a cut one. */

import { type ErrorCode, failure, isMillraceError } from "../errors.ts";
import type { Completion, Message, ModelRequest, Provider } from "../providers/provider.ts";
import type { Answered } from "./client.ts";
import type { AnswerCheck } from "./schema.ts";

/** One usable answer. */
export interface Answer {
  /** As the schema has it; `{ text }` without a schema. */
  readonly value: unknown;
  readonly completion: Completion;
  /** Who gave it. */
  readonly provider: Provider;
}

/** How a provider refuses an output limit: as a wrong number, or as too much for its context. */
export const TOO_MUCH: ReadonlySet<ErrorCode> = new Set(["invalid_request", "request_too_large"]);

type Complete = (request: ModelRequest) => Promise<Answered>;

/** How much larger the output limit of the second try is, when the first was cut. */
const LARGER = 4;

/** @throws MillraceError `refused`, `content_filtered`, `invalid_answer`, `truncated_answer`, or what `complete` throws. */
export async function answer(
  request: ModelRequest,
  { complete, check }: { complete: Complete; check: AnswerCheck | undefined },
): Promise<Answer> {
  const first = await uncut(request, complete);
  const { text } = first.completion;
  if (check === undefined) return { value: { text }, ...first };
  const checked = await check.check(text);
  if ("value" in checked) return { value: checked.value, ...first };
  const again = { ...request, messages: withFault(request.messages, text, checked.fault) };
  const second = await uncut(again, complete);
  const rechecked = await check.check(second.completion.text);
  if ("value" in rechecked) return { value: rechecked.value, ...second };
  throw failure("invalid_answer", `The answer did not fit the schema, asked twice: ${rechecked.fault}`, {
    requestId: second.completion.requestId,
  });
}

/** A cut answer is asked for once more with room for it: the same request again would be cut at the same price. */
async function uncut(request: ModelRequest, complete: Complete): Promise<Answered> {
  const first = usable(await complete(request));
  if (first.completion.finishReason !== "length") return first;
  const limit = request.maxOutputTokens ?? first.provider.maxOutputTokens;
  const cut = () =>
    failure("truncated_answer", `The answer was cut at ${limit} and at ${limit * LARGER} output tokens.`);
  const second = await complete({ ...request, maxOutputTokens: limit * LARGER }).catch((error: unknown) => {
    // A limit above what the model can write is refused as such; the answer stays what it was: cut.
    throw isMillraceError(error) && TOO_MUCH.has(error.code) ? cut() : error;
  });
  if (second.completion.finishReason === "length") throw cut();
  return usable(second);
}

function usable(answered: Answered): Answered {
  const { completion } = answered;
  const facts = { requestId: completion.requestId };
  if (completion.finishReason === "refusal") throw failure("refused", "The model refused to answer.", facts);
  if (completion.finishReason === "filter") {
    throw failure("content_filtered", "The provider's content filter withheld the answer.", facts);
  }
  return answered;
}

function withFault(messages: readonly Message[], text: string, fault: string): readonly Message[] {
  const note = `That answer cannot be used: ${fault}\nAnswer the same request again, with one JSON value that fits the schema and nothing else.`;
  // An empty turn is refused by the vendors; the note then joins the question.
  if (text.trim() !== "") return [...messages, { role: "assistant", content: text }, { role: "user", content: note }];
  const last = messages.at(-1);
  if (last === undefined) return [{ role: "user", content: note }];
  return [...messages.slice(0, -1), { role: last.role, content: `${last.content}\n\n${note}` }];
}
