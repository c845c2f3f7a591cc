/** What the clients take as an article. */

import { failure, type MillraceError } from "../errors.ts";
import { fieldsTold } from "../fields.ts";

interface Fields {
  /** The text to analyse. An article without any is not sent. */
  readonly content: string;
  readonly title?: string | null | undefined;
  readonly url?: string | null | undefined;
}

/** An article as the clients take it. Further fields are allowed and not looked at. */
export type ArticleInput = Fields | (Fields & { readonly [further: string]: unknown });

/** Any list of articles: an array, a generator, a stream, `read(path)`. It is read as fast as it is worked on. */
export type Articles = Iterable<ArticleInput | null | undefined> | AsyncIterable<ArticleInput | null | undefined>;

/** The fields that go into the question, in an object of the run's own: the same article may stand in a list twice. */
export interface Question {
  readonly content: string;
  readonly title: string | undefined;
  readonly url: string | undefined;
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? value : undefined;

/** What is asked about an article, or why nothing can be: `not_an_object`, `missing_content`. */
export function questionOf(article: unknown): Question | MillraceError {
  if (typeof article !== "object" || article === null || Array.isArray(article)) {
    return failure(
      "not_an_object",
      `An article is an object such as { title, content, url }; this is ${kind(article)}.`,
    );
  }
  const { content, title, url } = article as Readonly<Record<string, unknown>>;
  const text = textOf(content);
  if (text === undefined) {
    return failure("missing_content", `The article has no text in \`content\`. ${fieldsTold(article)}`);
  }
  return { content: text, title: textOf(title), url: textOf(url) };
}

function kind(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

/** @throws `invalid_option`: a text is a list of letters to the language, and here most likely a path. */
export function checkArticles(articles: unknown, where: string): void {
  const list = typeof articles === "object" && articles !== null;
  if (list && (Symbol.iterator in articles || Symbol.asyncIterator in articles)) return;
  const hint = typeof articles === "string" ? ` For a file: ${where.replace("()", "")}(read(path)).` : "";
  throw failure("invalid_option", `${where} takes a list of articles: an array, an iterable or a stream.${hint}`);
}
