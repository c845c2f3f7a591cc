/** The shape that every provider has: one request in, one wire call, one completion out. */

import type { ModelPrice, Usage } from "../usage.ts";

export type { Usage };

/** A JSON Schema (draft 2020-12 subset that the providers take) as a plain object. */
export type JsonSchema = { readonly [key: string]: unknown };

export interface Message {
  readonly role: "user" | "assistant";
  readonly content: string;
}

/** One question to a model. Everything in it can change the answer. */
export interface ModelRequest {
  readonly system?: string | undefined;
  readonly messages: readonly Message[];
  /** The answer must be one JSON value that this schema accepts. Without it the answer is free text. */
  readonly schema?: JsonSchema | undefined;
  /** The schema's name, sent where the vendor asks for one. `[a-zA-Z0-9_-]{1,64}`. Default `answer`. */
  readonly schemaName?: string | undefined;
  /** Output tokens at most. Default: the provider's, see `models.ts`. */
  readonly maxOutputTokens?: number | undefined;
  /** Not sent unless given: some models refuse it. */
  readonly temperature?: number | undefined;
  /** Which answer to this request: the store keeps one for each. Default 0. Never sent. */
  readonly sample?: number | undefined;
  /** The article behind the prompt, when the built-in analysis asks: what the embedded analyser reads. Never sent. */
  readonly article?: { readonly title?: string | undefined; readonly content: string } | undefined;
}

/** Why the model stopped. `length`: cut at the output limit. `refusal`, `filter`: there is no usable answer. */
export type FinishReason = "stop" | "length" | "refusal" | "filter" | "other";

/** One answer, as it came. */
export interface Completion {
  /** The answer's text; JSON text when the request had a schema. */
  readonly text: string;
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  /** The model that answered, in the vendor's words. */
  readonly model: string;
  /** The vendor's id of the call. */
  readonly requestId: string | undefined;
  /** The response headers that tell limits (`anthropic-ratelimit-*`, `x-ratelimit-*`, `retry-after*` …), lower case. */
  readonly limits: Readonly<Record<string, string>>;
}

export interface CompleteOptions {
  /** Aborts the call; its socket is closed at once. */
  readonly signal: AbortSignal;
  /**
   * Has the answer come piece by piece; the completion is the same. Default: only where the vendor wants long answers so.
   * A provider that cannot do it leaves this and what follows aside.
   */
  readonly streaming?: boolean | undefined;
  /** Called with each piece of the answer's text, in order. What it throws ends the call. */
  readonly onDelta?: ((text: string) => void) | undefined;
  /** Called at each sign of life of a streamed answer (its headers, whatever comes of its body), pings as well. */
  readonly onActivity?: (() => void) | undefined;
}

/** Who is called: `lanes` whoever can start soonest, `fallback` one after the other, as the one before cannot. */
export interface Members {
  readonly kind: "lanes" | "fallback";
  readonly providers: readonly Provider[];
}

/**
 * A provider makes one HTTP call for one request. It neither waits nor retries; it throws a `MillraceError` whose code
 * says what the failure means. Stages that are given the same provider object share its limits and connections.
 */
export interface Provider {
  /** `anthropic`, `openai`, `mistral`, `local`, or a name of your own. */
  readonly name: string;
  readonly model: string;
  /** The output limit used when a request names none. */
  readonly maxOutputTokens: number;
  /** Where it calls; undefined when it calls nobody: what costs nothing is not stored. */
  readonly baseURL: string | undefined;
  /** Made of others, by `lanes()` or `fallback()`: they are called in its place. */
  readonly members?: Members | undefined;
  /**
   * What else goes out with every call and can change its answer (the API's kind, a header): a part of the key under
   * which answers are stored. Plain JSON, and never a credential.
   */
  readonly sends?: Readonly<Record<string, unknown>> | undefined;
  /** What its model costs, where that is not what the vendor lists. */
  readonly price?: ModelPrice | undefined;
  complete(request: ModelRequest, options: CompleteOptions): Promise<Completion>;
  /** Closes its connections. Calls in flight are aborted. */
  close(): Promise<void>;
}
