/** What `analyze()` can be told, checked and with every default filled in. */

import type { Writable } from "node:stream";
import { ARTICLE_SCHEMA } from "../analysis/analysis.ts";
import type { CallPolicy } from "../client/client.ts";
import { type AnswerCheck, type AnswerOf, type AnswerSchema, answerCheck } from "../client/schema.ts";
import { failure } from "../errors.ts";
import type { LimitKind, Limits } from "../limits/amounts.ts";
import { LONGEST_TIMER } from "../limits/sleep.ts";
import { checkKeys, checkMaxCost, checkPrices, checkStore, checkWhole, type StoreOption } from "../options.ts";
import type { ModelRequest, Provider } from "../providers/provider.ts";
import type { Article } from "../record.ts";
import type { Prices, Usage } from "../usage.ts";
import { NamedFields } from "./named-fields.ts";
import { outputMaker, requestMaker } from "./requests.ts";

/** One answer, as `output` gets it. */
export interface AnalyzeResult<Value = unknown> {
  /** As the schema has it; `{ text }` without a schema. */
  readonly value: Value;
  readonly provider: string;
  readonly model: string;
  /** Tokens of the call that gave the answer. */
  readonly usage: Usage;
}

/** The fields that the built-in analysis knows. */
const ARTICLE_FIELDS = ["content", "title", "url", "id"] as const;
export type ArticleField = (typeof ARTICLE_FIELDS)[number];

/** A question, alone or with the system prompt that goes before it. */
export type Prompt = string | { readonly system?: string; readonly prompt: string };

/** Which call a piece of an answer belongs to. */
export interface DeltaCall {
  /**
   * The record's how manieth call this is, from 1. A record may take several: a retry after a broken stream, a re-ask for an
   * answer that did not fit the schema or was cut. Each begins its text anew, so a larger number voids what came before.
   */
  readonly attempt: number;
}

export interface AnalyzeOptions<Input = Article, Schema extends AnswerSchema = AnswerSchema> {
  /** Who answers: `anthropic()`, `openai()`, `mistral()`, `local()`, or an object of that shape. */
  readonly provider: Provider;
  /** The question about a record. Left out: the built-in article analysis, which reads `content`, `title` and `url`. */
  readonly prompt?: (record: Input) => Prompt | Promise<Prompt>;
  /** What an answer must look like: Zod, any other Standard Schema, or plain JSON Schema. Without: `{ text }`. */
  readonly schema?: Schema;
  /**
   * Where the built-in analysis finds its fields, by dotted paths: `{ content: "body", title: "meta.headline" }`. `id`,
   * `title` and `url` come out again under those names. Left out: the fields' own names.
   */
  readonly fields?: { readonly [field in ArticleField]?: string };
  /** Input fields that come out again beside the answer, or all of them. The answer's own names win. Default none. */
  readonly keep?: readonly string[] | "all";
  /** The record that goes on. Left out: `{ id, title, url, analysis, provider, model, usage }`. */
  readonly output?: (record: Input, result: AnalyzeResult<AnswerOf<Schema>>) => unknown;
  /**
   * Calls in flight: a number starts there, is cut when the provider is overloaded, and is never passed (10,000 at most).
   * Default `auto`: a few at first, then as many as the provider carries, up to 1,000 or what open files allow.
   */
  readonly concurrency?: number | "auto";
  /** Limits a minute of your own. They only lower what the provider allows, which is learned from its answers. */
  readonly requestsPerMinute?: number;
  readonly inputTokensPerMinute?: number;
  readonly outputTokensPerMinute?: number;
  /** Input and output together. */
  readonly tokensPerMinute?: number;
  /**
   * Of the records that wait to be sent, those with a higher number go first; 0 is ordinary. A level is worth 10 s of
   * waiting, so that whoever has waited that much longer goes before it. Counted from -100 to 100.
   */
  readonly priority?: (record: Input) => number;
  /** Results leave in the order of their records. Default true. */
  readonly ordered?: boolean;
  /** Further attempts after faults. Default 5. Being told to wait (429, 529) uses none of them. */
  readonly maxRetries?: number;
  /** Ceiling of the first back-off in ms, doubled with each further one. Default 500. */
  readonly retryBaseDelay?: number;
  /**
   * Longest time for one attempt in ms, from sending it to the last byte of its answer. Default 60,000; 24 days at most. If
   * the answer is streamed: the longest silence, and an hour for the whole (or `timeout`, if that is longer).
   */
  readonly timeout?: number;
  /**
   * Has answers come piece by piece, so that one may take longer than `timeout` as long as it goes on. The results are the
   * same. Default: with `onDelta`, and where the provider wants it for long answers (Anthropic above 21,333 output tokens).
   */
  readonly streaming?: boolean;
  /**
   * Called with each piece of an answer's text as it comes, and its record; the pieces of several records come mixed. They
   * are the model's words as they stand: the schema is checked, and JSON taken out of prose, when the answer is whole. The
   * whole text comes in one piece where the provider does not stream. What it throws fails the record as `stage_failed`; a
   * promise it returns is waited for before the record goes on.
   */
  readonly onDelta?: (delta: string, record: Input, call: DeltaCall) => void | Promise<void>;
  /** Longest time in ms that one record may spend in waits the provider asked for. Default 900,000 (15 minutes). */
  readonly maxWait?: number;
  /** Output tokens of one answer. Default: the provider's. An answer that is cut there is asked for once more with 4 × as many. */
  readonly maxOutputTokens?: number;
  /** Not sent unless given. */
  readonly temperature?: number;
  /**
   * Asks for another answer to the same request: 0 for the first (the default), 1 for the next … What is stored for one
   * is not given for another. Without a store it changes nothing.
   */
  readonly sample?: number | ((record: Input) => number);
  /** Where answers are kept when the stage runs outside our `pipeline()`, as the option there. Default: nowhere. */
  readonly store?: StoreOption;
  /**
   * US dollars that the stage may spend: it ends before they are passed, as the option of `pipeline()` does for a whole run,
   * which holds as well. Outside our `pipeline()` the stream then fails with `cost_cap_reached`. Default: no cap.
   */
  readonly maxCost?: number;
  /** As the option of `pipeline()`. */
  readonly prices?: Prices;
  /** Where failed records go when the stage runs outside our `pipeline()`. Whoever made it ends it. */
  readonly deadLetters?: Writable;
}

const KNOWN = [
  "provider",
  "prompt",
  "schema",
  "output",
  "fields",
  "keep",
  "concurrency",
  "requestsPerMinute",
  "inputTokensPerMinute",
  "outputTokensPerMinute",
  "tokensPerMinute",
  "priority",
  "ordered",
  "maxRetries",
  "retryBaseDelay",
  "timeout",
  "streaming",
  "onDelta",
  "maxWait",
  "maxOutputTokens",
  "temperature",
  "sample",
  "store",
  "maxCost",
  "prices",
  "deadLetters",
] as const satisfies readonly (keyof AnalyzeOptions)[];

/** Far above what any provider allows; a window for more would be a mistake in memory. */
export const MOST_CONCURRENCY = 10_000;

export interface Settings {
  readonly provider: Provider;
  readonly request: (record: unknown) => Promise<ModelRequest>;
  readonly named: NamedFields;
  readonly check: AnswerCheck | undefined;
  readonly output: (record: unknown, result: AnalyzeResult) => unknown;
  readonly concurrency: number | "auto";
  readonly limits: Limits;
  readonly priority: ((record: unknown) => number) | undefined;
  readonly ordered: boolean;
  readonly policy: CallPolicy;
  readonly streaming: boolean | undefined;
  readonly onDelta: ((delta: string, record: unknown, call: DeltaCall) => unknown) | undefined;
  readonly deadLetters: Writable | undefined;
  readonly store: StoreOption | undefined;
  readonly maxCost: number | undefined;
  readonly prices: Prices | undefined;
}

export function normalised(options: AnalyzeOptions<unknown>): Settings {
  checkKeys(options, KNOWN, "analyze()");
  const { provider, prompt, schema, output, ordered, streaming, onDelta } = options;
  if (typeof provider?.complete !== "function") {
    throw wrong("`provider` is missing. Give anthropic(), openai(), mistral() or local().");
  }
  if (prompt !== undefined && typeof prompt !== "function") throw wrong("`prompt` must be a function of the record.");
  if (output !== undefined && typeof output !== "function")
    throw wrong("`output` must be a function of the record and the result.");
  if (options.priority !== undefined && typeof options.priority !== "function") {
    throw wrong("`priority` must be a function of the record that gives a number.");
  }
  if (ordered !== undefined && typeof ordered !== "boolean") throw wrong("`ordered` must be true or false.");
  if (streaming !== undefined && typeof streaming !== "boolean") throw wrong("`streaming` must be true or false.");
  if (onDelta !== undefined && typeof onDelta !== "function") throw wrong("`onDelta` must be a function.");
  if (prompt === undefined && schema !== undefined) {
    throw wrong("a `schema` needs a `prompt`: the built-in analysis has a schema of its own.");
  }
  checkFields(options);
  checkStore(options.store, "analyze()");
  checkMaxCost(options.maxCost, "analyze()");
  checkPrices(options.prices, "analyze()");
  const check = prompt === undefined ? answerCheck(ARTICLE_SCHEMA) : schema && answerCheck(schema);
  return {
    provider,
    check,
    request: requestMaker(sampling(options), check?.jsonSchema),
    named: new NamedFields(options),
    output: output ?? outputMaker(options),
    concurrency:
      (options.concurrency ?? "auto") === "auto"
        ? "auto"
        : whole(options, "concurrency", 1, { least: 1, most: MOST_CONCURRENCY }),
    limits: limitsOf(options),
    priority: options.priority,
    ordered: ordered ?? true,
    policy: {
      maxRetries: whole(options, "maxRetries", 5, { least: 0 }),
      retryBaseDelay: whole(options, "retryBaseDelay", 500, { least: 0 }),
      timeout: whole(options, "timeout", 60_000, { least: 1, most: LONGEST_TIMER }),
      maxWait: whole(options, "maxWait", 900_000, { least: 0 }),
    },
    // Nothing is gained by a plain call where each piece is waited for.
    streaming: streaming ?? (onDelta !== undefined || undefined),
    onDelta,
    deadLetters: options.deadLetters,
    store: options.store,
    maxCost: options.maxCost,
    prices: options.prices,
  };
}

type Range = { readonly least: number; readonly most?: number };
type WholeOption = "concurrency" | keyof typeof LIMITS | "maxRetries" | "retryBaseDelay" | "timeout" | "maxWait";

function whole(options: AnalyzeOptions<unknown>, name: WholeOption, fallback: number, range: Range): number {
  const value = options[name] ?? fallback;
  checkWhole(`analyze(): \`${name}\``, value as number, range);
  return value as number;
}

const LIMITS = {
  requestsPerMinute: "requests",
  inputTokensPerMinute: "input",
  outputTokensPerMinute: "output",
  tokensPerMinute: "tokens",
} as const satisfies Partial<Record<keyof AnalyzeOptions, LimitKind>>;

function limitsOf(options: AnalyzeOptions<unknown>): Limits {
  const names = Object.keys(LIMITS) as (keyof typeof LIMITS)[];
  const given = names.filter((name) => options[name] !== undefined);
  return Object.fromEntries(given.map((name) => [LIMITS[name], whole(options, name, 0, { least: 1 })]));
}

function checkFields({ fields = {}, keep, output }: AnalyzeOptions<unknown>): void {
  checkKeys(fields, ARTICLE_FIELDS, "analyze(): `fields`");
  const paths = Object.values(fields);
  if (paths.some((path) => typeof path !== "string" || path === "")) throw wrong("`fields` gives each field a path.");
  if (keep === undefined) return;
  if (output !== undefined)
    throw wrong("`keep` has no place beside an `output` of your own, which says itself what goes on.");
  if (keep !== "all" && !(Array.isArray(keep) && keep.every((name) => typeof name === "string"))) {
    throw wrong('`keep` must be a list of fields or "all".');
  }
}

/** What goes into a request as it was given, checked before anything is sent. */
function sampling(options: AnalyzeOptions<unknown>): AnalyzeOptions<unknown> {
  const { maxOutputTokens, temperature, sample } = options;
  if (sample !== undefined && typeof sample !== "function") {
    checkWhole("analyze(): `sample`", sample, { least: 0 });
  }
  if (maxOutputTokens !== undefined) checkWhole("analyze(): `maxOutputTokens`", maxOutputTokens, { least: 1 });
  if (temperature !== undefined && !(typeof temperature === "number" && temperature >= 0)) {
    throw wrong(`\`temperature\` must be a number from 0 up, got ${String(temperature)}.`);
  }
  return options;
}

const wrong = (message: string) => failure("invalid_option", `analyze(): ${message}`);
