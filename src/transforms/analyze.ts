/** The stage that asks a model about each record. */

import { Budget } from "../budget.ts";
import { type Caller, type Client, clientsOf } from "../client/client.ts";
import { callCounts } from "../client/counts.ts";
import type { Place } from "../client/gate.ts";
import { type Flight, Line } from "../client/line.ts";
import { mostCalls } from "../client/open-files.ts";
import { Prospects } from "../client/prospects.ts";
import { Remembered } from "../client/remembered.ts";
import type { AnswerSchema } from "../client/schema.ts";
import { Spending } from "../client/spending.ts";
import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import { publishRecord, type RecordEnd } from "../events.ts";
import { type History, noHistory } from "../limits/retry.ts";
import type { Provider } from "../providers/provider.ts";
import { type Article, carrySource, drop, sourceOf } from "../record.ts";
import { asStage, type CallCounts, Stage, type StageReport } from "../stage.ts";
import { type AnalyzeOptions, normalised, type Settings } from "./analyze-options.ts";
import { called, told } from "./functions.ts";
import { Parallel } from "./parallel.ts";
import { Stopwatch } from "./stopwatch.ts";
import { WrongInput } from "./wrong-input.ts";

/** Records admitted for each call in flight: so one slow call at the head of the line does not idle the others. */
export const WINDOW_PER_CALL = 32;

/** Records that wait to be sent, for each call in flight: enough that the next one is there when one ends. */
const WAITING_PER_CALL = 1 / 4;
const LEAST_WAITING = 16;

/** Bytes of records and answers in the window. */
const WINDOW_BYTES = 64 * 1024 * 1024;

/** One record at work. */
interface Work {
  readonly signal: AbortSignal;
  readonly history: History;
  readonly progress: { answered: boolean };
}

/** What stages of one owner share. */
export interface Sharing {
  /** Their calls in flight, with the bound for all of them. */
  readonly flight: Flight;
  /** Records that the stage admits at most, however far the bound is raised. */
  readonly width: number;
}

/** Reads records, writes what `output` makes of each and its answer. Made by `analyze()`. */
export class Analyze extends Parallel {
  declare readonly report: StageReport;
  readonly #settings: Settings;
  readonly #stage: Stage;
  readonly #clients: readonly Client[];
  readonly #lines: ReadonlyMap<Client, Line<Place>>;
  readonly #counts: CallCounts;
  readonly #headOfLine = new Stopwatch();
  readonly #remembered: Remembered;
  readonly #prospects = new Prospects();
  #spending: Spending | undefined;
  readonly #released = new AbortController();
  readonly #wrongInput = new WrongInput();

  constructor(settings: Settings, sharing?: Sharing) {
    const auto = settings.concurrency === "auto";
    const most = settings.concurrency === "auto" ? mostCalls() : settings.concurrency;
    const flight = sharing?.flight ?? { calls: 0 };
    super((record, signal) => this.#handle(record, signal), {
      width: sharing?.width ?? most * WINDOW_PER_CALL,
      widthNow: () => (this.#supplied() ? 0 : Math.min(flight.limit ?? most, this.#carried()) * WINDOW_PER_CALL),
      maxBytes: WINDOW_BYTES,
      ordered: settings.ordered,
    });
    this.#settings = settings;
    this.#stage = new Stage("analyze", {
      deadLetters: settings.deadLetters,
      store: settings.store,
      prices: settings.prices,
    });
    this.#clients = clientsOf(settings.provider);
    const last = this.#clients.at(-1);
    const line = (client: Client) => new Line<Place>(most, client === last ? settings.policy.maxWait : 0, flight);
    this.#lines = new Map(this.#clients.map((client) => [client, line(client)]));
    for (const each of this.#lines.values()) each.onStart = () => this.reconsider();
    for (const client of this.#clients) client.allow({ most, auto, limits: settings.limits });
    const providers = this.#clients.map(({ report }) => report);
    this.#counts = callCounts({ most, headOfLine: this.#headOfLine, providers });
    this.#stage.report.calls = this.#counts;
    asStage(this, this.#stage);
    this.#remembered = new Remembered(this.#clients, () => this.#stage.store);
    this.#stage.onStop(() => this.#released.abort());
  }

  get provider(): Provider {
    return this.#settings.provider;
  }

  /** For who wants to know what would be asked. */
  get settings(): Settings {
    return this.#settings;
  }

  /** Opens what the stage needs, before anything is sent; without it, that is done for the first record. */
  prepare(): Promise<void> {
    this.#spends();
    return this.#remembered.open();
  }

  /** What the calls may spend is known when the run begins. @throws `invalid_option` for a cap without prices */
  #spends(): Spending {
    if (this.#spending !== undefined) return this.#spending;
    const { maxCost } = this.#settings;
    const { budget: within, prices } = this.#stage.spending;
    const budget = maxCost === undefined ? within : new Budget(maxCost, within);
    const spending = new Spending(this.#counts.cost, { budget, prices });
    if (spending.capped) {
      const unknown = this.#clients
        .flatMap(({ members }) => members)
        .find((one) => spending.priceOf(one) === undefined);
      if (unknown !== undefined) throw noPrice(unknown);
    }
    this.#spending = spending;
    return spending;
  }

  async #handle(record: unknown, signal: AbortSignal): Promise<unknown> {
    const { report } = this.#stage;
    report.in++;
    const history = noHistory(performance.now());
    const progress = { answered: false };
    let end: Omit<RecordEnd, "attempts"> = { outcome: "taken_back" };
    this.#tell(record, history, undefined);
    try {
      const made = await this.#answer(record, { signal, history, progress });
      carrySource(record, made);
      if (made === drop) report.dropped++;
      else report.out++;
      end = { outcome: made === drop ? "dropped" : "answered" };
      return made;
    } catch (error) {
      if (signal.aborted) throw error;
      if (error === this.#released.signal.reason) {
        report.released++;
        return drop;
      }
      const fault = isMillraceError(error) ? error : failure("internal", String(error), { cause: error });
      fault.attempts = history.attempts;
      // What was answered goes all the way.
      if (fault.code === "cost_cap_reached" && this.#stage.halts(fault)) {
        report.released++;
        return drop;
      }
      end = { outcome: "failed", code: fault.code };
      if (fault.scope === "run") throw fault;
      await this.#stage.reject(fault, { record });
      this.#wrongInput.failed(fault);
      // What a function of the user's own made of the record says nothing about the provider.
      const own = history.attempts === 0 || progress.answered || fault.code === "stage_failed";
      const hopeless = own ? undefined : this.#prospects.add(fault);
      if (hopeless !== undefined) throw hopeless;
      return drop;
    } finally {
      this.#tell(record, history, end);
      this.#watchHead();
    }
  }

  /** Says that a record begins or ends, to whoever listens. */
  #tell(record: unknown, history: History, end: Omit<RecordEnd, "attempts"> | undefined): void {
    publishRecord(() => ({
      stage: this.report.name,
      record: history,
      source: sourceOf(record),
      time: Date.now(),
      end: end && { ...end, attempts: history.attempts },
    }));
  }

  /** Calls that the providers carry for now. */
  #carried(): number {
    let calls = 0;
    for (const { gate } of this.#clients) for (const { admission } of gate.lanes) calls += admission.concurrency.limit;
    return calls;
  }

  /**
   * Whether enough records wait to be sent. More would only hold memory: the window is for those whose answers wait for
   * the head of the line. Unless some go first, for which all must be known.
   */
  #supplied(): boolean {
    if (this.#settings.priority !== undefined) return false;
    let waiting = 0;
    for (const line of this.#lines.values()) waiting += line.waiting;
    return waiting >= Math.max(LEAST_WAITING, this.#carried() * WAITING_PER_CALL);
  }

  /** A full window with nobody waiting to be sent: the head of the line holds up the rest. */
  #watchHead(): void {
    if (this.full && [...this.#lines.values()].every(({ waiting }) => waiting === 0)) this.#headOfLine.start();
  }

  protected override reopened(): void {
    this.#headOfLine.stop();
  }

  async #answer(record: unknown, { signal, history, progress }: Work): Promise<unknown> {
    const { check, policy, request, named, output, priority, streaming, onDelta } = this.#settings;
    const asked = await request(record);
    named.met(record);
    const shared: Omit<Caller, "line" | "replaceable"> = {
      policy,
      counts: this.#counts,
      spending: this.#spends(),
      signal,
      release: this.#released.signal,
      history,
      priority: priority === undefined ? 0 : numberOf(called("priority", priority, record)),
      streaming,
      onDelta: onDelta && hearing(onDelta, record),
    };
    const caller = (client: Client, replaceable: boolean): Caller => ({
      ...shared,
      replaceable,
      line: this.#lines.get(client) as Line<Place>,
    });
    const { value, completion, provider } = await this.#remembered.answer(asked, caller, check);
    progress.answered = true;
    this.#wrongInput.answered();
    this.#prospects.add();
    const result = { value, provider: provider.name, model: provider.model, usage: completion.usage };
    return called("output", output, record, result);
  }

  protected override async settle(): Promise<void> {
    await this.#remembered.close();
    if (this.#stage.cutShort !== undefined) return;
    const reason = this.#wrongInput.atEnd() ?? this.#prospects.atEnd();
    if (reason !== undefined) throw reason;
    this.#settings.named.end();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    super._destroy(error, () => {
      this.#remembered.close().then(
        () => callback(error),
        (fault) => callback(error ?? fault),
      );
    });
    this.#released.abort(error ?? undefined);
  }
}

const hearing =
  (onDelta: NonNullable<Settings["onDelta"]>, record: unknown) =>
  (delta: string, attempt: number): void | Promise<void> =>
    told("onDelta", onDelta, delta, record, { attempt });

function noPrice({ name, model }: Provider): MillraceError {
  const example = `prices: { ${JSON.stringify(model)}: { input: 1, output: 5 } }`;
  return failure(
    "invalid_option",
    `A cap on the cost needs the price of "${model}" (${name}), which is not known. Say it in US dollars for a million tokens, as ${example}, ` +
      "or leave out --max-cost (maxCost).",
  );
}

function numberOf(priority: unknown): number {
  if (typeof priority === "number" && !Number.isNaN(priority)) return priority;
  throw failure("stage_failed", `priority: the function must give a number, it gave ${typeof priority}.`);
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
