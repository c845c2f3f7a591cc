/** From a record to the request that asks about it, and from its answer to the record that goes on. */

import { ARTICLE_SCHEMA_NAME } from "../analysis/analysis.ts";
import { articlePrompt, type PromptArticle } from "../analysis/prompt.ts";
import { failure } from "../errors.ts";
import { fieldAt, fieldsOf, fieldsTold, longestText } from "../fields.ts";
import type { JsonSchema, Message, ModelRequest } from "../providers/provider.ts";
import { sourceOf } from "../record.ts";
import { wholeUsage } from "../usage.ts";
import type { AnalyzeOptions, AnalyzeResult, ArticleField } from "./analyze-options.ts";
import { called } from "./functions.ts";

type RequestOptions = Pick<AnalyzeOptions<unknown>, "prompt" | "fields" | "maxOutputTokens" | "temperature" | "sample">;
type FieldPaths = NonNullable<AnalyzeOptions["fields"]>;

class Asked implements Message {
  readonly role = "user";
  readonly content: string;

  constructor(content: string) {
    this.content = content;
  }
}

/** One question, made by `new` down to its message: see src/README.md, "Long texts must die young". */
class Question implements ModelRequest {
  readonly system: string | undefined;
  readonly messages: readonly Message[];
  readonly schema: JsonSchema | undefined;
  readonly schemaName: string | undefined;
  readonly maxOutputTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly sample: number | undefined;
  readonly article: ModelRequest["article"];

  constructor(content: string, more: Omit<ModelRequest, "messages">) {
    this.system = more.system;
    this.messages = Array.of(new Asked(content));
    this.schema = more.schema;
    this.schemaName = more.schemaName;
    this.maxOutputTokens = more.maxOutputTokens;
    this.temperature = more.temperature;
    this.sample = more.sample;
    this.article = more.article;
  }
}

/** The returned function rejects with `missing_content` or `stage_failed` for a record that cannot be asked about. */
export function requestMaker(
  options: RequestOptions,
  schema: JsonSchema | undefined,
): (record: unknown) => Promise<ModelRequest> {
  const { prompt, fields = {}, maxOutputTokens, temperature } = options;
  const limits = { maxOutputTokens, temperature };
  const sample = sampler(options.sample);
  if (prompt === undefined) {
    const constant = { schema, schemaName: ARTICLE_SCHEMA_NAME, ...limits };
    return async (record) => {
      const { url, ...article } = articleOf(record, fields);
      const { system, content } = articlePrompt({ url, ...article });
      return new Question(content, { system, ...constant, sample: await sample(record), article });
    };
  }
  return async (record) => {
    const asked = await called("prompt", prompt, record);
    const { system, prompt: content } = typeof asked === "string" ? { system: undefined, prompt: asked } : asked;
    if (typeof content !== "string" || content.trim() === "") {
      throw failure("stage_failed", "prompt: the function returned no text.");
    }
    return new Question(content, { system, schema, ...limits, sample: await sample(record) });
  };
}

function sampler(sample: RequestOptions["sample"]): (record: unknown) => Promise<number> | number | undefined {
  if (typeof sample !== "function") return () => sample;
  return async (record) => {
    const number = await called("sample", sample, record);
    if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
    throw failure("stage_failed", `sample: the function must return a whole number from 0 up, got ${String(number)}.`);
  };
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? value : undefined;

const fieldOf = (record: unknown, field: ArticleField, paths: FieldPaths): unknown =>
  fieldAt(record, paths[field] ?? field);

function articleOf(record: unknown, paths: FieldPaths): PromptArticle {
  const content = textOf(fieldOf(record, "content", paths));
  if (content === undefined) {
    const where = paths.content ?? "content";
    const named = (["title", "url", "id"] as const).map((field) => paths[field] ?? field);
    throw failure(
      "missing_content",
      `The record has no text in \`${where}\`, which the built-in analysis reads. ${fieldsTold(record)} ` +
        `Say which one holds the text, as --map ${mapping(longestText(record, named))} (\`fields\`).`,
    );
  }
  const title = textOf(fieldOf(record, "title", paths));
  return { title, content, url: textOf(fieldOf(record, "url", paths)) };
}

/** As it is typed in a shell: a name with spaces in quotes, one that would need more left to the reader. */
function mapping(path = "…"): string {
  if (/^[\p{L}\p{N}_.…-]+$/u.test(path)) return `content=${path}`;
  return /^[^,="'`$\\!\p{Cc}]+$/u.test(path) ? `"content=${path}"` : "content=…";
}

/**
 * Makes `{ id, title, url, analysis, provider, model, usage }`, after the input fields that are kept; a record without an
 * `id` is told by its line.
 */
export function outputMaker({
  fields = {},
  keep = [],
}: Pick<AnalyzeOptions<unknown>, "fields" | "keep">): (record: unknown, result: AnalyzeResult) => unknown {
  return (record, { value, provider, model, usage }) => {
    const id = fieldOf(record, "id", fields);
    const before = kept(record, keep);
    const none = id === undefined || id === null;
    // The key is there all the same, so that CSV has a column for the ids of later records.
    const name = none
      ? { ...(Object.hasOwn(before, "id") ? {} : { id: undefined }), line: sourceOf(record)?.line }
      : { id };
    const title = fieldOf(record, "title", fields);
    const url = fieldOf(record, "url", fields);
    return { ...before, ...name, title, url, analysis: value, provider, model, usage: wholeUsage(usage) };
  };
}

const kept = (record: unknown, keep: readonly string[] | "all"): object =>
  keep === "all" ? fieldsOf(record) : Object.fromEntries(keep.map((path) => [path, fieldAt(record, path)]));
