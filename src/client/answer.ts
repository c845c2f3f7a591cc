/** From a completion to an answer that can be used: one re-ask for an invalid one, one larger try for a cut one. */

import { type ErrorCode, failure, isMillraceError } from "../errors.ts";
import type { Completion, Message, ModelRequest, Provider } from "../providers/provider.ts";
import type { AnswerCheck } from "./schema.ts";

/** One usable answer. */
export interface Answer {
  /** As the schema has it; `{ text }` without a schema. */
  readonly value: unknown;
  readonly completion: Completion;
}

/** How a provider refuses an output limit: as a wrong number, or as too much for its context. */
export const TOO_MUCH: ReadonlySet<ErrorCode> = new Set(["invalid_request", "request_too_large"]);

type Complete = (request: ModelRequest) => Promise<Completion>;

/** How much larger the output limit of the second try is, when the first was cut. */
const LARGER = 4;

/** @throws MillraceError `refused`, `content_filtered`, `invalid_answer`, `truncated_answer`, or what `complete` throws. */
export async function answer(
  request: ModelRequest,
  provider: Provider,
  { complete, check }: { complete: Complete; check: AnswerCheck | undefined },
): Promise<Answer> {
  const first = await uncut(request, provider, complete);
  if (check === undefined) return { value: { text: first.text }, completion: first };
  const checked = await check.check(first.text);
  if ("value" in checked) return { value: checked.value, completion: first };
  const again = { ...request, messages: withFault(request.messages, first.text, checked.fault) };
  const second = await uncut(again, provider, complete);
  const rechecked = await check.check(second.text);
  if ("value" in rechecked) return { value: rechecked.value, completion: second };
  throw failure("invalid_answer", `The answer did not fit the schema, asked twice: ${rechecked.fault}`, {
    requestId: second.requestId,
  });
}

/** A cut answer is asked for once more with room for it: the same request again would be cut at the same price. */
async function uncut(request: ModelRequest, provider: Provider, complete: Complete): Promise<Completion> {
  const first = usable(await complete(request));
  if (first.finishReason !== "length") return first;
  const limit = request.maxOutputTokens ?? provider.maxOutputTokens;
  const cut = () =>
    failure("truncated_answer", `The answer was cut at ${limit} and at ${limit * LARGER} output tokens.`);
  const second = await complete({ ...request, maxOutputTokens: limit * LARGER }).catch((error: unknown) => {
    // A limit above what the model can write is refused as such; the answer stays what it was: cut.
    throw isMillraceError(error) && TOO_MUCH.has(error.code) ? cut() : error;
  });
  if (second.finishReason === "length") throw cut();
  return usable(second);
}

function usable(completion: Completion): Completion {
  const facts = { requestId: completion.requestId };
  if (completion.finishReason === "refusal") throw failure("refused", "The model refused to answer.", facts);
  if (completion.finishReason === "filter") {
    throw failure("content_filtered", "The provider's content filter withheld the answer.", facts);
  }
  return completion;
}

function withFault(messages: readonly Message[], text: string, fault: string): readonly Message[] {
  const note = `That answer cannot be used: ${fault}\nAnswer the same request again, with one JSON value that fits the schema and nothing else.`;
  // An empty turn is refused by the vendors; the note then joins the question.
  if (text.trim() !== "") return [...messages, { role: "assistant", content: text }, { role: "user", content: note }];
  const last = messages.at(-1);
  if (last === undefined) return [{ role: "user", content: note }];
  return [...messages.slice(0, -1), { role: last.role, content: `${last.content}\n\n${note}` }];
}
