/** The embedded analyser in the shape of a provider: for a first run without a key, for tests and for rehearsals. */

import { setImmediate } from "node:timers/promises";
import { ARTICLE_SCHEMA } from "../analysis/analysis.ts";
import { failure } from "../errors.ts";
import type { CompleteOptions, Completion, JsonSchema, ModelRequest, Provider } from "./provider.ts";

/** None yet. */
export type LocalOptions = Readonly<Record<never, never>>;

/** Names the way of analysing, as a model's name does: it changes when answers do. */
const MODEL = "local-extractive-1";

const BUILT_IN = JSON.stringify(ARTICLE_SCHEMA);

/**
 * A provider that calls nobody and bills nothing. With the built-in schema it answers the built-in article analysis of
 * `request.article` (or, without one, of the last message); without a schema, an extractive summary of the last message.
 *
 * @throws MillraceError `invalid_option`; `complete` rejects with `schema_rejected` for any other schema
 */
export function local(options: LocalOptions = {}): Provider {
  const [unknown] = Object.keys(options);
  if (unknown !== undefined) throw failure("invalid_option", `local() takes no options, and was given "${unknown}".`);
  let turn: Promise<unknown> = Promise.resolve();
  return {
    name: "local",
    model: MODEL,
    maxOutputTokens: 4_096,
    baseURL: undefined,
    async complete(request: ModelRequest, { signal }: CompleteOptions): Promise<Completion> {
      signal.throwIfAborted();
      checkSchema(request.schema);
      // One analysis a turn of the event loop, however many calls are in flight: signals and timers get in between.
      turn = turn.then(() => setImmediate());
      await turn;
      const { analyzeLocally, summarizeLocally } = await import("../analysis/local.ts");
      signal.throwIfAborted();
      const asked = request.messages.findLast(({ role }) => role === "user")?.content ?? "";
      const text =
        request.schema === undefined
          ? summarizeLocally(asked)
          : JSON.stringify(analyzeLocally(request.article ?? { content: asked }));
      const usage = { inputTokens: 0, outputTokens: 0 };
      return { text, finishReason: "stop", usage, model: MODEL, requestId: undefined, limits: {} };
    },
    async close() {},
  };
}

/** By content: a request may have been copied on its way. */
function checkSchema(schema: JsonSchema | undefined): void {
  if (schema === undefined || schema === ARTICLE_SCHEMA || JSON.stringify(schema) === BUILT_IN) return;
  throw failure(
    "schema_rejected",
    "The embedded analyser (local) only gives the built-in article analysis, not answers to other schemas. Take --provider anthropic, openai or mistral.",
  );
}
