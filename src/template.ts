/** Prompts as text with places for fields: `Summarise {{title}} by {{author.name}}.` */

import { failure } from "./errors.ts";
import { fieldAt, fieldsTold } from "./fields.ts";

const PLACE = /\{\{\s*([^{}\s][^{}]*?)\s*\}\}/g;

/**
 * A function that fills the places from a record: text as it is, anything else as JSON. It throws `missing_content` for a
 * record that lacks a field, and says which ones it has.
 *
 * @param where as messages name the template, such as its path
 * @throws ConfigurationError for a template without a place: every record would be asked the same
 */
export function promptTemplate(text: string, where: string): (record: unknown) => string {
  if (text.search(PLACE) === -1) {
    throw failure(
      "invalid_option",
      `${where} has no {{field}} in it, so every record would be asked the same. Put {{content}} where the text belongs.`,
    );
  }
  return (record) =>
    text.replace(PLACE, (_, path: string) => {
      const value = fieldAt(record, path);
      if (value === undefined || value === null) {
        throw failure(
          "missing_content",
          `${where} asks for {{${path}}}, which the record does not have. ${fieldsTold(record)}`,
        );
      }
      return typeof value === "string" ? value : JSON.stringify(value);
    });
}
