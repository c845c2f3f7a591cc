/** From a record to the request that asks about it, and from its answer to the record that goes on. */

import { ARTICLE_SCHEMA_NAME } from "../analysis/analysis.ts";
import { articlePrompt } from "../analysis/prompt.ts";
import { failure } from "../errors.ts";
import { fieldsOf, fieldsTold } from "../fields.ts";
import type { JsonSchema, ModelRequest } from "../providers/provider.ts";
import { sourceOf } from "../record.ts";
import type { AnalyzeOptions, AnalyzeResult } from "./analyze.ts";
import { called } from "./functions.ts";

type RequestOptions = Pick<AnalyzeOptions<unknown>, "prompt" | "maxOutputTokens" | "temperature">;

/** The returned function rejects with `missing_content` or `stage_failed` for a record that cannot be asked about. */
export function requestMaker(
  options: RequestOptions,
  schema: JsonSchema | undefined,
): (record: unknown) => Promise<ModelRequest> {
  const { prompt, maxOutputTokens, temperature } = options;
  const limits = { maxOutputTokens, temperature };
  if (prompt === undefined) {
    return async (record) => ({ ...articleRequest(record), schema, schemaName: ARTICLE_SCHEMA_NAME, ...limits });
  }
  return async (record) => {
    const asked = await called("prompt", prompt, record);
    const { system, prompt: content } = typeof asked === "string" ? { system: undefined, prompt: asked } : asked;
    if (typeof content !== "string" || content.trim() === "") {
      throw failure("stage_failed", "prompt: the function returned no text.");
    }
    return { system, messages: [{ role: "user", content }], schema, ...limits };
  };
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? value : undefined;

function articleRequest(record: unknown): ModelRequest {
  const fields = fieldsOf(record);
  const content = textOf(fields.content);
  if (content === undefined) {
    const told = fieldsTold(record);
    throw failure(
      "missing_content",
      `The record has no text in \`content\`, which the built-in analysis reads. ${told}`,
    );
  }
  const article = { title: textOf(fields.title), content, url: textOf(fields.url) };
  return { ...articlePrompt(article), article };
}

/** `{ id, title, url, analysis, provider, model, usage }`; a record without an `id` is told by its line. */
export function defaultOutput(record: unknown, { value, provider, model, usage }: AnalyzeResult): unknown {
  const { id, title, url } = fieldsOf(record);
  const line = sourceOf(record)?.line;
  const name = id === undefined || id === null ? { line } : { id };
  return { ...name, title, url, analysis: value, provider, model, usage };
}
