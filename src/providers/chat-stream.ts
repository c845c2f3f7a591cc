/** The chunks of OpenAI's, Mistral's and compatible servers' chat completions, put together as one completion. */

import { textOfContent } from "./openai-chat.ts";
import { type Fields, fieldsOf, isFields, listOf } from "./shape.ts";
import type { Assembly } from "./stream.ts";

export function chatAssembly(): Assembly {
  let id: unknown;
  let model: unknown;
  let content = "";
  let refusal: unknown = null;
  let finishReason: unknown;
  let usage: Fields | undefined;
  let ended = false;

  function take(data: Fields): string {
    id ||= data.id;
    model ||= data.model;
    // The last one stands: it comes at the end, or as a running total with every chunk.
    if (isFields(data.usage)) usage = data.usage;
    const choice = fieldsOf(listOf(data.choices)[0]);
    // Nobody asked for a second answer.
    if (choice.index !== undefined && choice.index !== 0) return "";
    const delta = fieldsOf(choice.delta);
    finishReason = choice.finish_reason ?? finishReason;
    // That there is one is all that is asked of it.
    refusal = delta.refusal || refusal;
    const piece = textOfContent(delta.content);
    content += piece;
    return piece;
  }

  return {
    take,
    close() {
      ended = true;
    },
    get whole() {
      // Without a reason to finish, `[DONE]` is a gateway's word for a server that it has lost.
      if (!ended || typeof finishReason !== "string") return undefined;
      return { id, model, choices: [{ message: { content, refusal }, finish_reason: finishReason }], usage };
    },
  };
}
