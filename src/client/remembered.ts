/** Answers that are remembered: store → single flight → client → store. Of what was paid for, nothing is asked twice. */

import { type ErrorCode, failure, isMillraceError } from "../errors.ts";
import type { StoreOption } from "../options.ts";
import type { Completion, FinishReason, ModelRequest, Provider } from "../providers/provider.ts";
import type { Outcome } from "../store/outcome.ts";
import { Store } from "../store/store.ts";
import { type Answer, answer, TOO_MUCH } from "./answer.ts";
import type { Answered, Caller, Client } from "./client.ts";
import { firstAble } from "./fallback.ts";
import { Flights } from "./flights.ts";
import { keyOf } from "./key.ts";
import type { AnswerCheck } from "./schema.ts";

/** Verdicts that were paid for: the same answers give them again. */
const FINAL: ReadonlySet<ErrorCode> = new Set(["refused", "content_filtered", "invalid_answer", "truncated_answer"]);

/** Equal requests of all stages that share a store are one. */
const flightsOf = new WeakMap<Store, Flights<Brought>>();

/** What a flight brings, and by whom. */
interface Brought {
  readonly outcome: Outcome;
  readonly provider: Provider;
}

interface Memory {
  readonly store: Store;
  readonly flights: Flights<Brought>;
  readonly fresh: boolean;
  readonly retryFailed: boolean;
}

/** One record at its questions. */
interface Asking {
  /** Stored outcomes count from here on only. */
  readonly after: number;
  /** Outcomes that came without a call of this record's own. */
  had: number;
}

/** What a call needs to know of who makes it, by whom it asks and whether somebody else can be asked. */
type CallerOf = (client: Client, replaceable: boolean) => Caller;

/** Said by a look into the store alone, where a call would be needed. */
const MISSING = Symbol("missing");

/** Who a stage asks: its clients, one after the other, with a store before them where there is one. */
export class Remembered {
  readonly #clients: readonly Client[];
  /** Which store, known when the run begins. */
  readonly #which: () => StoreOption | undefined;
  #opening: Promise<void> | undefined;
  #memory: Memory | undefined;
  #opened = false;

  constructor(clients: readonly Client[], which: () => StoreOption | undefined) {
    this.#clients = clients;
    this.#which = which;
  }

  /** Opens the store, if there is one and a provider costs anything. @throws `invalid_option`, `store_failed` */
  open(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async #open(): Promise<void> {
    const asked = this.#which();
    if (asked !== undefined && this.#clients.some(({ members }) => members.some(calls))) {
      const { path, fresh = false, retryFailed = false } = typeof asked === "string" ? { path: asked } : asked;
      const store = await Store.open(path);
      const flights = flightsOf.get(store) ?? new Flights<Brought>();
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
  async answer(request: ModelRequest, callerOf: CallerOf, check: AnswerCheck | undefined): Promise<Answer> {
    if (!this.#opened) await this.open();
    const memory = this.#memory;
    if (memory === undefined) {
      return firstAble(this.#clients, (client, replaceable) => {
        const caller = callerOf(client, replaceable);
        return answer(request, { check, complete: (asked) => client.complete(asked, caller) });
      });
    }
    const { counts, history } = callerOf(this.#clients[0] as Client, false);
    const asking: Asking = { after: memory.fresh ? memory.store.began : 0, had: 0 };
    try {
      return await this.#ask(request, { asking, callerOf, check, memory });
    } catch (error) {
      const stale = isMillraceError(error) && FINAL.has(error.code) && history.attempts === 0;
      if (!(memory.retryFailed && stale)) throw error;
      const anew = { ...asking, after: memory.store.began };
      return await this.#ask(request, { asking: anew, callerOf, check, memory });
    } finally {
      if (asking.had > 0 && history.attempts === 0) counts.cached++;
    }
  }

  async #ask(request: ModelRequest, { asking, callerOf, check, memory }: Way): Promise<Answer> {
    // Before one is asked anew, another may have answered already.
    if (this.#clients.length > 1) {
      for (const client of this.#clients) {
        const complete = async (asked: ModelRequest) => {
          const { found } = await this.#find(client, asked, { asking, memory, keys: keysOf(asked) });
          if (found === undefined) throw MISSING;
          return found;
        };
        const stored = await answer(request, { check, complete }).catch(() => undefined);
        if (stored !== undefined) return stored;
      }
    }
    return firstAble(this.#clients, (client, replaceable) => {
      return this.#askOne(request, { client, caller: callerOf(client, replaceable), asking, memory }, check);
    });
  }

  #askOne(request: ModelRequest, question: Question, check: AnswerCheck | undefined): Promise<Answer> {
    return answer(request, { check, complete: (asked) => this.#complete(asked, question) });
  }

  async #complete(request: ModelRequest, question: Question): Promise<Answered> {
    const { client, caller, asking, memory } = question;
    const [first] = client.members;
    const keys = keysOf(request);
    const key = keys(first as Provider);
    for (;;) {
      const { found, stored } = await this.#find(client, request, { asking, memory, keys });
      if (found !== undefined) return found;
      const landing = memory.flights.join(key, caller.release);
      if (landing === undefined) return this.#lead(request, { ...question, keys, key, stored });
      const turn = await landing;
      if (turn === undefined) return this.#lead(request, { ...question, keys, key, stored });
      const { outcome, provider } = turn.brought;
      if (serves(outcome, limitOf(request, provider))) return had(outcome, provider, asking);
    }
  }

  /** What one of the client's members has answered already; `stored`: what does not serve. */
  async #find(client: Client, request: ModelRequest, { asking, memory, keys }: Look) {
    let stored: Outcome | undefined;
    for (const provider of client.members) {
      const got = memory.store.get(keys(provider), asking.after);
      const outcome = got instanceof Promise ? await got : got;
      if (outcome === undefined) continue;
      if (serves(outcome, limitOf(request, provider))) return { found: had(outcome, provider, asking), stored };
      stored = outcome;
    }
    return { found: undefined, stored };
  }

  async #lead(request: ModelRequest, { client, caller, memory, keys, key, stored }: Lead): Promise<Answered> {
    const { store, flights } = memory;
    let brought: Brought | undefined;
    const put = async (outcome: Outcome | undefined, provider: Provider) => {
      if (outcome === undefined) return;
      const { name, model } = provider;
      await store.put({ key: keys(provider), provider: name, model, outcome });
      brought = { outcome, provider };
    };
    const keep = ({ completion, provider }: Answered) =>
      put(outcomeOf(completion, limitOf(request, provider)), provider);
    try {
      const answered = await client.complete(request, { ...caller, keep });
      end(flights, key, { brought });
      return answered;
    } catch (error) {
      const provider = client.members[0] as Provider;
      try {
        if (brought === undefined) await put(verdictOf(error, { limit: limitOf(request, provider), stored }), provider);
      } catch (fault) {
        end(flights, key, { brought, error: fault });
        throw fault;
      }
      end(flights, key, { brought, error });
      throw error;
    }
  }
}

function end(
  flights: Flights<Brought>,
  key: string,
  { brought, error }: { brought: Brought | undefined; error?: unknown },
) {
  if (brought === undefined) flights.fail(key, error);
  else flights.land(key, brought);
}

interface Way {
  readonly asking: Asking;
  readonly callerOf: CallerOf;
  readonly check: AnswerCheck | undefined;
  readonly memory: Memory;
}

interface Question {
  readonly client: Client;
  readonly caller: Caller;
  readonly asking: Asking;
  readonly memory: Memory;
}

/** The keys of one request, by provider. */
type Keys = (provider: Provider) => string;

/** Each is made once, however often it is asked for. */
function keysOf(request: ModelRequest): Keys {
  const made = new Map<Provider, string>();
  return (provider) => {
    const key = made.get(provider) ?? keyOf(provider, request);
    made.set(provider, key);
    return key;
  };
}

interface Look extends Pick<Question, "asking" | "memory"> {
  readonly keys: Keys;
}

interface Lead extends Question {
  readonly keys: Keys;
  readonly key: string;
  /** What is stored, when it does not serve. */
  readonly stored: Outcome | undefined;
}

/** A provider that calls nobody costs nothing. */
const calls = ({ baseURL }: Provider): boolean => baseURL !== undefined;

const limitOf = (request: ModelRequest, provider: Provider): number =>
  request.maxOutputTokens ?? provider.maxOutputTokens;

/** A cut answer is one only where no more room is asked for than it had. */
const serves = ({ cut }: Outcome, limit: number): boolean => cut === null || limit <= cut;

function had({ facts, text }: Outcome, provider: Provider, asking: Asking): Answered {
  asking.had++;
  if ("error" in facts) throw failure(facts.error.code, facts.error.message, { status: facts.error.status });
  const { finishReason, usage, model, requestId } = facts;
  const completion = { text, finishReason: finishReason as FinishReason, usage, model, requestId, limits: {} };
  return { completion, provider };
}

function outcomeOf({ text, finishReason, usage, model, requestId }: Completion, limit: number): Outcome {
  return { facts: { finishReason, usage, model, requestId }, text, cut: finishReason === "length" ? limit : null };
}

/** What would be refused again; undefined for what may go better the next time. */
function verdictOf(
  error: unknown,
  { limit, stored }: { limit: number; stored: Outcome | undefined },
): Outcome | undefined {
  if (!isMillraceError(error)) return undefined;
  const { code, message, status } = error;
  if (code === "content_filtered") return { facts: { error: { code, message, status } }, text: "", cut: null };
  // With less room it was answered: it is the limit that is refused, and the cut answer stays the best there is.
  if (TOO_MUCH.has(code) && stored !== undefined && stored.cut !== null) return { ...stored, cut: limit };
  return undefined;
}
