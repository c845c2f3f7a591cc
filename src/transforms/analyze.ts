/** The stage that asks a model about each record. */

import type { Writable } from "node:stream";
import { ARTICLE_SCHEMA } from "../analysis/analysis.ts";
import { answer } from "../client/answer.ts";
import { type Caller, type CallPolicy, Client } from "../client/client.ts";
import { Prospects } from "../client/prospects.ts";
import { type AnswerCheck, type AnswerOf, type AnswerSchema, answerCheck } from "../client/schema.ts";
import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import { type History, noHistory } from "../limits/retry.ts";
import { LONGEST_TIMER } from "../limits/sleep.ts";
import { Slots } from "../limits/slots.ts";
import { checkKeys, checkWhole } from "../options.ts";
import type { ModelRequest, Provider } from "../providers/provider.ts";
import { type Article, carrySource, drop } from "../record.ts";
import { asStage, type CallCounts, Stage, type StageReport } from "../stage.ts";
import { noUsage, type Usage } from "../usage.ts";
import { called } from "./functions.ts";
import { Parallel } from "./parallel.ts";
import { defaultOutput, requestMaker } from "./requests.ts";

/** One answer, as `output` gets it. */
export interface AnalyzeResult<Value = unknown> {
  /** As the schema has it; `{ text }` without a schema. */
  readonly value: Value;
  readonly provider: string;
  readonly model: string;
  /** Tokens of the call that gave the answer. */
  readonly usage: Usage;
}

/** A question, alone or with the system prompt that goes before it. */
export type Prompt = string | { readonly system?: string; readonly prompt: string };

export interface AnalyzeOptions<Input = Article, Schema extends AnswerSchema = AnswerSchema> {
  /** Who answers: `anthropic()`, `openai()`, `mistral()`, `local()`, or an object of that shape. */
  readonly provider: Provider;
  /** The question about a record. Left out: the built-in article analysis, which reads `content`, `title` and `url`. */
  readonly prompt?: (record: Input) => Prompt | Promise<Prompt>;
  /** What an answer must look like: Zod, any other Standard Schema, or plain JSON Schema. Without: `{ text }`. */
  readonly schema?: Schema;
  /** The record that goes on. Left out: `{ id, title, url, analysis, provider, model, usage }`. */
  readonly output?: (record: Input, result: AnalyzeResult<AnswerOf<Schema>>) => unknown;
  /** Calls in flight at most, up to 10,000. Default 16. */
  readonly concurrency?: number;
  /** Results leave in the order of their records. Default true. */
  readonly ordered?: boolean;
  /** Further attempts after faults. Default 5. Being told to wait (429, 529) uses none of them. */
  readonly maxRetries?: number;
  /** Ceiling of the first back-off in ms, doubled with each further one. Default 500. */
  readonly retryBaseDelay?: number;
  /** Longest time for one attempt in ms, from sending it to the last byte of its answer. Default 60,000; 24 days at most. */
  readonly timeout?: number;
  /** Longest time in ms that one record may spend in waits the provider asked for. Default 900,000 (15 minutes). */
  readonly maxWait?: number;
  /** Output tokens of one answer. Default: the provider's. An answer that is cut there is asked for once more with 4 × as many. */
  readonly maxOutputTokens?: number;
  /** Not sent unless given. */
  readonly temperature?: number;
  /** Where failed records go when the stage runs outside our `pipeline()`. Whoever made it ends it. */
  readonly deadLetters?: Writable;
}

const KNOWN = [
  "provider",
  "prompt",
  "schema",
  "output",
  "concurrency",
  "ordered",
  "maxRetries",
  "retryBaseDelay",
  "timeout",
  "maxWait",
  "maxOutputTokens",
  "temperature",
  "deadLetters",
] as const satisfies readonly (keyof AnalyzeOptions)[];

/** So many first records without content stop the run. */
const FIRST = 20;

/** Records admitted for each call in flight: so one slow call at the head of the line does not idle the others. */
const WINDOW_PER_CALL = 32;

/** Far above what any provider allows; a window for more would be a mistake in memory. */
const MOST_CONCURRENCY = 10_000;

/** Bytes of records and answers in the window. */
const WINDOW_BYTES = 64 * 1024 * 1024;

/** One record at work. */
interface Work {
  readonly signal: AbortSignal;
  readonly history: History;
  readonly progress: { answered: boolean };
}

/** Reads records, writes what `output` makes of each and its answer. Made by `analyze()`. */
export class Analyze extends Parallel {
  declare readonly report: StageReport;
  readonly #settings: Settings;
  readonly #stage: Stage;
  readonly #client: Client;
  readonly #counts: CallCounts = { attempts: 0, retries: 0, rateLimited: 0, waitedMs: 0, usage: noUsage() };
  readonly #slots: Slots;
  readonly #prospects = new Prospects();
  readonly #released = new AbortController();
  /** Records that lack their content, as long as there was no other; then NaN. */
  #lacking = 0;
  #lack: MillraceError | undefined;

  constructor(settings: Settings) {
    super((record, signal) => this.#handle(record, signal), {
      width: settings.concurrency * WINDOW_PER_CALL,
      maxBytes: WINDOW_BYTES,
      ordered: settings.ordered,
    });
    this.#settings = settings;
    this.#stage = new Stage("analyze", { deadLetters: settings.deadLetters });
    this.#stage.report.calls = this.#counts;
    asStage(this, this.#stage);
    this.#slots = new Slots(settings.concurrency);
    this.#client = Client.of(settings.provider);
    this.#client.allow(settings.concurrency);
    this.#stage.onStop(() => this.#released.abort());
  }

  get provider(): Provider {
    return this.#settings.provider;
  }

  async #handle(record: unknown, signal: AbortSignal): Promise<unknown> {
    const { report } = this.#stage;
    report.in++;
    const history = noHistory();
    const progress = { answered: false };
    try {
      const made = await this.#answer(record, { signal, history, progress });
      carrySource(record, made);
      if (made === drop) report.dropped++;
      else report.out++;
      return made;
    } catch (error) {
      if (signal.aborted) throw error;
      if (error === this.#released.signal.reason) {
        report.released++;
        return drop;
      }
      const fault = isMillraceError(error) ? error : failure("internal", String(error), { cause: error });
      fault.attempts = history.attempts;
      if (fault.scope === "run") throw fault;
      await this.#stage.reject(fault, { record });
      this.#sort(fault);
      // What a function of the user's own made of the record says nothing about the provider.
      const hopeless = history.attempts > 0 && !progress.answered ? this.#prospects.add(fault) : undefined;
      if (hopeless !== undefined) throw hopeless;
      return drop;
    }
  }

  /** When the first records all lack what is asked about, the input is of another kind than the command takes it for. */
  #sort(fault: MillraceError): void {
    if (fault.code !== "missing_content") this.#lacking = Number.NaN;
    else if (++this.#lacking === FIRST) throw this.#wrongInput(fault);
    this.#lack = fault;
  }

  #wrongInput({ message }: MillraceError): MillraceError {
    const all = this.#lacking === 1 ? "The only record" : `The first ${this.#lacking} records`;
    return failure("invalid_option", `${all} cannot be asked about, the last because: ${message}`);
  }

  async #answer(record: unknown, { signal, history, progress }: Work): Promise<unknown> {
    const { provider, check, policy, request, output } = this.#settings;
    const caller: Caller = {
      policy,
      slots: this.#slots,
      counts: this.#counts,
      signal,
      release: this.#released.signal,
      history,
    };
    const complete = (asked: ModelRequest) => this.#client.complete(asked, caller);
    const { value, completion } = await answer(await request(record), provider, { complete, check });
    progress.answered = true;
    this.#lacking = Number.NaN;
    this.#prospects.add();
    const result = { value, provider: provider.name, model: provider.model, usage: completion.usage };
    return called("output", output, record, result);
  }

  protected override async settle(): Promise<void> {
    if (this.#stage.stopped) return;
    if (this.#lacking > 0 && this.#lack !== undefined) throw this.#wrongInput(this.#lack);
    const hopeless = this.#prospects.atEnd();
    if (hopeless !== undefined) throw hopeless;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    super._destroy(error, callback);
    this.#released.abort(error ?? undefined);
  }
}

interface Settings {
  readonly provider: Provider;
  readonly request: (record: unknown) => Promise<ModelRequest>;
  readonly check: AnswerCheck | undefined;
  readonly output: (record: unknown, result: AnalyzeResult) => unknown;
  readonly concurrency: number;
  readonly ordered: boolean;
  readonly policy: CallPolicy;
  readonly deadLetters: Writable | undefined;
}

/**
 * Sends each record to a model and passes on what comes back, several at a time. Failed records go to the dead letters
 * and never hold up the others; what is wrong for every record (bad key, unknown model …) fails the stream at once.
 *
 * @throws ConfigurationError for an option that cannot be.
 */
export function analyze<Input = Article, const Schema extends AnswerSchema = AnswerSchema>(
  options: AnalyzeOptions<Input, Schema>,
): Analyze {
  return new Analyze(normalised(options as AnalyzeOptions<unknown>));
}

function normalised(options: AnalyzeOptions<unknown>): Settings {
  checkKeys(options, KNOWN, "analyze()");
  const { provider, prompt, schema, output, ordered } = options;
  if (typeof provider?.complete !== "function") {
    throw wrong("`provider` is missing. Give anthropic(), openai(), mistral() or local().");
  }
  if (prompt !== undefined && typeof prompt !== "function") throw wrong("`prompt` must be a function of the record.");
  if (output !== undefined && typeof output !== "function")
    throw wrong("`output` must be a function of the record and the result.");
  if (ordered !== undefined && typeof ordered !== "boolean") throw wrong("`ordered` must be true or false.");
  if (prompt === undefined && schema !== undefined) {
    throw wrong("a `schema` needs a `prompt`: the built-in analysis has a schema of its own.");
  }
  const check = prompt === undefined ? answerCheck(ARTICLE_SCHEMA, true) : schema && answerCheck(schema);
  return {
    provider,
    check,
    request: requestMaker(sampling(options), check?.jsonSchema),
    output: output ?? defaultOutput,
    concurrency: whole(options, "concurrency", 16, { least: 1, most: MOST_CONCURRENCY }),
    ordered: ordered ?? true,
    policy: {
      maxRetries: whole(options, "maxRetries", 5, { least: 0 }),
      retryBaseDelay: whole(options, "retryBaseDelay", 500, { least: 0 }),
      timeout: whole(options, "timeout", 60_000, { least: 1, most: LONGEST_TIMER }),
      maxWait: whole(options, "maxWait", 900_000, { least: 0 }),
    },
    deadLetters: options.deadLetters,
  };
}

type Range = { readonly least: number; readonly most?: number };
type WholeOption = "concurrency" | "maxRetries" | "retryBaseDelay" | "timeout" | "maxWait";

function whole(options: AnalyzeOptions<unknown>, name: WholeOption, fallback: number, range: Range): number {
  const value = options[name] ?? fallback;
  checkWhole(`analyze(): \`${name}\``, value, range);
  return value;
}

/** What goes into a request as it was given, checked before anything is sent. */
function sampling(options: AnalyzeOptions<unknown>): AnalyzeOptions<unknown> {
  const { maxOutputTokens, temperature } = options;
  if (maxOutputTokens !== undefined) checkWhole("analyze(): `maxOutputTokens`", maxOutputTokens, { least: 1 });
  if (temperature !== undefined && !(typeof temperature === "number" && temperature >= 0)) {
    throw wrong(`\`temperature\` must be a number from 0 up, got ${String(temperature)}.`);
  }
  return options;
}

const wrong = (message: string) => failure("invalid_option", `analyze(): ${message}`);
