/** Anthropic's events, put together as the Message they tell. */

import { type Fields, fieldsOf, isFields, textOf } from "./shape.ts";
import type { Assembly } from "./stream.ts";

interface Block {
  readonly type: unknown;
  text: string;
}

/** Of thinking, tools and citations nothing is kept: an answer is its text. */
export function anthropicAssembly(): Assembly {
  const blocks = new Map<unknown, Block>();
  let message: Fields = {};
  let usage: Fields | undefined;
  let stopReason: unknown;
  let ended = false;

  function take(data: Fields): string {
    switch (data.type) {
      case "message_start":
        message = fieldsOf(data.message);
        usage = counted(usage, message.usage);
        return "";
      case "content_block_start": {
        const { type, text } = fieldsOf(data.content_block);
        const block = { type, text: textOf(text) ?? "" };
        blocks.set(data.index, block);
        return type === "text" ? block.text : "";
      }
      case "content_block_delta": {
        const { type, text } = fieldsOf(data.delta);
        const block = blocks.get(data.index);
        const piece = type === "text_delta" ? (textOf(text) ?? "") : "";
        if (block?.type !== "text") return "";
        block.text += piece;
        return piece;
      }
      case "message_delta":
        stopReason = fieldsOf(data.delta).stop_reason ?? stopReason;
        usage = counted(usage, data.usage);
        return "";
      case "message_stop":
        ended = true;
        return "";
      default:
        // `ping`, and what is to come: Anthropic's page on streaming asks to pass over events that are not known.
        return "";
    }
  }

  return {
    take,
    get whole() {
      // A stop without its reason was not the model's.
      if (!ended || typeof stopReason !== "string") return undefined;
      return { ...message, content: [...blocks.values()], stop_reason: stopReason, usage };
    },
  };
}

/** The counts are running totals; the last one told stands. */
function counted(usage: Fields | undefined, told: unknown): Fields | undefined {
  if (!isFields(told)) return usage;
  return { ...usage, ...Object.fromEntries(Object.entries(told).filter(([, count]) => count != null)) };
}
