/** The events of OpenAI's Responses, of which the last one holds the whole response. */

import { type Fields, fieldsOf, isFields, listOf, textOf } from "./shape.ts";
import type { Assembly } from "./stream.ts";

const LAST = new Set(["response.completed", "response.incomplete", "response.failed", "response.cancelled"]);

export function responsesAssembly(): Assembly {
  const items: unknown[] = [];
  let whole: Fields | undefined;

  return {
    take(data) {
      const { type, response } = data;
      if (type === "response.output_text.delta") return textOf(data.delta) ?? "";
      if (type === "response.output_item.done") items.push(data.item);
      if (LAST.has(String(type)) && isFields(response)) whole = completed(fieldsOf(response), items);
      return "";
    },
    get whole() {
      return whole;
    },
  };
}

/** Some gateways leave the output out of the last event, after having told each item. */
function completed(response: Fields, items: readonly unknown[]): Fields {
  return listOf(response.output).length === 0 && items.length > 0 ? { ...response, output: items } : response;
}
