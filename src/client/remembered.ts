/** Answers that are remembered: store → single flight → client → store. Of what was paid for, nothing is asked twice. */

import { type ErrorCode, failure, isMillraceError } from "../errors.ts";
import type { StoreOption } from "../options.ts";
import type { Completion, FinishReason, ModelRequest } from "../providers/provider.ts";
import type { Outcome } from "../store/outcome.ts";
import { Store } from "../store/store.ts";
import { type Answer, answer, TOO_MUCH } from "./answer.ts";
import type { Caller, Client } from "./client.ts";
import { Flights } from "./flights.ts";
import { keyOf } from "./key.ts";
import type { AnswerCheck } from "./schema.ts";

/** Verdicts that were paid for: the same answers give them again. */
const FINAL: ReadonlySet<ErrorCode> = new Set(["refused", "content_filtered", "invalid_answer", "truncated_answer"]);

/** Equal requests of all stages that share a store are one. */
const flightsOf = new WeakMap<Store, Flights<Outcome>>();

interface Memory {
  readonly store: Store;
  readonly flights: Flights<Outcome>;
  readonly fresh: boolean;
  readonly retryFailed: boolean;
}

/** One record at its questions. */
interface Asking {
  readonly caller: Caller;
  /** Stored outcomes count from here on only. */
  readonly after: number;
  /** Outcomes that came without a call of this record's own. */
  had: number;
}

/** Who a stage asks: its client, with a store before it where there is one. */
export class Remembered {
  readonly #client: Client;
  /** Which store, known when the run begins. */
  readonly #which: () => StoreOption | undefined;
  #opening: Promise<void> | undefined;
  #memory: Memory | undefined;
  #opened = false;

  constructor(client: Client, which: () => StoreOption | undefined) {
    this.#client = client;
    this.#which = which;
  }

  /** Opens the store, if there is one and the provider costs anything. @throws `invalid_option`, `store_failed` */
  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<void> {
    const asked = this.#which();
    if (asked !== undefined && this.#client.provider.baseURL !== undefined) {
      const { path, fresh = false, retryFailed = false } = typeof asked === "string" ? { path: asked } : asked;
      const store = await Store.open(path);
      const flights = flightsOf.get(store) ?? new Flights<Outcome>();
      flightsOf.set(store, flights);
      this.#memory = { store, flights, fresh, retryFailed };
    }
    this.#opened = true;
  }

  /** Resolves when all that was answered is on disk. To be called once nothing is asked any more. */
  async close(): Promise<void> {
    await this.#opening?.catch(() => {});
    const memory = this.#memory;
    this.#memory = undefined;
    await memory?.store.close();
  }

  /** @throws MillraceError as `answer` and `Client.complete` do; the reason of the caller's signals */
  async answer(request: ModelRequest, caller: Caller, check: AnswerCheck | undefined): Promise<Answer> {
    if (!this.#opened) await this.open();
    const { provider } = this.#client;
    const memory = this.#memory;
    if (memory === undefined) {
      return answer(request, provider, { check, complete: (asked) => this.#client.complete(asked, caller) });
    }
    const ask = (asking: Asking) =>
      answer(request, provider, { check, complete: (asked) => this.#complete(asked, asking, memory) });
    const asking: Asking = { caller, after: memory.fresh ? memory.store.began : 0, had: 0 };
    try {
      return await ask(asking);
    } catch (error) {
      const stale = isMillraceError(error) && FINAL.has(error.code) && caller.history.attempts === 0;
      if (!(memory.retryFailed && stale)) throw error;
      return await ask({ ...asking, after: memory.store.began });
    } finally {
      if (asking.had > 0 && caller.history.attempts === 0) caller.counts.cached++;
    }
  }

  async #complete(request: ModelRequest, asking: Asking, memory: Memory): Promise<Completion> {
    const { store, flights } = memory;
    const key = keyOf(this.#client.provider, request);
    const limit = request.maxOutputTokens ?? this.#client.provider.maxOutputTokens;
    for (;;) {
      const found = store.get(key, asking.after);
      const stored = found instanceof Promise ? await found : found;
      if (stored !== undefined && serves(stored, limit)) return had(stored, asking);
      const turn = await flights.join(key, asking.caller.release);
      if (turn === undefined) return this.#lead({ request, key, limit, stored }, asking, memory);
      if (serves(turn.brought, limit)) return had(turn.brought, asking);
    }
  }

  async #lead(question: Question, { caller }: Asking, { store, flights }: Memory): Promise<Completion> {
    const { request, key, limit } = question;
    const { name, model } = this.#client.provider;
    const ended: Ended = await this.#client.complete(request, caller).then(
      (completion) => ({ completion }),
      (error: unknown) => ({ error }),
    );
    const outcome = "error" in ended ? verdictOf(ended.error, question) : outcomeOf(ended.completion, limit);
    try {
      if (outcome !== undefined) await store.put({ key, provider: name, model, outcome });
    } catch (error) {
      flights.fail(key, error);
      throw error;
    }
    if (outcome !== undefined) flights.land(key, outcome);
    else flights.fail(key, "error" in ended ? ended.error : undefined);
    if ("error" in ended) throw ended.error;
    return ended.completion;
  }
}

type Ended = { readonly completion: Completion } | { readonly error: unknown };

interface Question {
  readonly request: ModelRequest;
  readonly key: string;
  readonly limit: number;
  /** What is stored, when it does not serve. */
  readonly stored: Outcome | undefined;
}

/** A cut answer is one only where no more room is asked for than it had. */
const serves = ({ cut }: Outcome, limit: number): boolean => cut === null || limit <= cut;

function had({ facts, text }: Outcome, asking: Asking): Completion {
  asking.had++;
  if ("error" in facts) throw failure(facts.error.code, facts.error.message, { status: facts.error.status });
  const { finishReason, usage, model, requestId } = facts;
  return { text, finishReason: finishReason as FinishReason, usage, model, requestId, limits: {} };
}

/** Undefined for what a provider of the user's own gives that is no completion. */
function outcomeOf({ text, finishReason, usage, model, requestId }: Completion, limit: number): Outcome | undefined {
  if (typeof text !== "string") return undefined;
  return { facts: { finishReason, usage, model, requestId }, text, cut: finishReason === "length" ? limit : null };
}

/** What would be refused again; undefined for what may go better the next time. */
function verdictOf(error: unknown, { limit, stored }: Question): Outcome | undefined {
  if (!isMillraceError(error)) return undefined;
  const { code, message, status } = error;
  if (code === "content_filtered") return { facts: { error: { code, message, status } }, text: "", cut: null };
  // With less room it was answered: it is the limit that is refused, and the cut answer stays the best there is.
  if (TOO_MUCH.has(code) && stored !== undefined && stored.cut !== null) return { ...stored, cut: limit };
  return undefined;
}
