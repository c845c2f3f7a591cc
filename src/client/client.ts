/** One completion for one request, however many attempts: admission → attempt → settle → wait → again. */

import { isMillraceError, type MillraceError } from "../errors.ts";
import { type CallEvent, publishCall, publishRetry, type RetryEvent } from "../events.ts";
import type { Limits } from "../limits/amounts.ts";
import { type History, nextStep, type RetryPolicy, type Step } from "../limits/retry.ts";
import type { Completion, ModelRequest, Provider } from "../providers/provider.ts";
import type { CallCounts, ProviderReport } from "../stage.ts";
import { attempt } from "./attempt.ts";
import { backOff, tally } from "./counts.ts";
import { type Admitted, Entrance } from "./entrance.ts";
import { Gate, type Place } from "./gate.ts";
import { CLOSES_LANE, Lane, measureOf } from "./lane.ts";
import type { Line } from "./line.ts";
import type { Spending } from "./spending.ts";
import { unquoted } from "./unquoted.ts";

/** How one stage wants its calls made. */
export interface CallPolicy extends RetryPolicy {
  /** Longest time for one attempt in ms, from sending it to the last byte of its answer; if that is streamed, the longest silence. */
  readonly timeout: number;
}

/** What a call needs to know of who makes it. */
export interface Caller {
  readonly policy: CallPolicy;
  /** The stage's own calls that wait, and its limit on those in flight. */
  readonly line: Line<Place>;
  readonly counts: CallCounts;
  /** What its calls cost, and may. */
  readonly spending?: Spending | undefined;
  /** Aborts at once, the call in flight too. */
  readonly signal: AbortSignal;
  /** Aborts what only waits: to start, or for its next attempt. */
  readonly release: AbortSignal;
  /** What the record has been through; added to, over all the requests that are made for it. */
  readonly history: History;
  /** Higher goes first. */
  readonly priority: number;
  /**
   * Puts an answer where it cannot be lost; the stage's slot is held until then, so that a kill costs no more calls than
   * may be in flight.
   */
  readonly keep?: ((answered: Answered) => Promise<void>) | undefined;
  /** Whether somebody else can be asked: an outage then fails the call at once. */
  readonly replaceable: boolean;
  /** Asks for streamed answers. Default: where the provider wants it. */
  readonly streaming?: boolean | undefined;
  /** Gets an answer's text piece by piece; `attempt` is that of the record, the first being 1. */
  readonly onDelta?: ((text: string, attempt: number) => void | Promise<void>) | undefined;
}

/** A completion, and who gave it. */
export interface Answered {
  readonly completion: Completion;
  readonly provider: Provider;
}

/** All that tells two providers apart but their keys. */
const whatAnswers = ({ name, model, baseURL, sends, maxOutputTokens, price }: Provider): string =>
  JSON.stringify([name, model, baseURL, sends, maxOutputTokens, price]);

const clients = new WeakMap<Provider, Client>();

/** Stages that are given the same provider object get the same client, and so share its limits. */
export class Client {
  readonly provider: Provider;
  /** Who is called, each once: keys of one provider are one. */
  readonly members: readonly Provider[];
  readonly gate: Gate;

  private constructor(provider: Provider) {
    this.provider = provider;
    const members = provider.members?.kind === "lanes" ? provider.members.providers : [provider];
    const lanes = members.map((member, index) => {
      const lane = Lane.of(member);
      lane.number = index + 1;
      lane.admission.beside(members.filter(({ name }) => name === member.name).length);
      return lane;
    });
    const seen = new Map(members.map((member) => [whatAnswers(member), member]));
    this.members = [...seen.values()];
    this.gate = new Gate(lanes);
  }

  static of(provider: Provider): Client {
    let client = clients.get(provider);
    if (client === undefined) {
      client = new Client(provider);
      clients.set(provider, client);
    }
    return client;
  }

  /** Room for a stage's calls. Of several stages the one that wants most decides, and the lowest of their limits. */
  allow({ most, auto, limits }: { most: number; auto: boolean; limits: Limits }): void {
    for (const { admission } of this.gate.lanes) {
      admission.concurrency.allow(most, auto);
      admission.cap(limits, performance.now());
    }
  }

  readonly report = (): ProviderReport => {
    const now = performance.now();
    const { lanes, heldBack } = this.gate;
    return {
      peakInFlight: lanes.reduce((sum, { admission }) => sum + admission.concurrency.peak, 0),
      heldBackMs: { ...heldBack },
      limits: lanes.flatMap(({ admission, provider: { name, model }, number }) =>
        admission.uses(now).map((use) => ({ provider: name, model, lane: number, ...use })),
      ),
      waiting: this.gate.waiting,
      heldBy: this.gate.heldBy ?? null,
      lanes: lanes.map((lane) => lane.report(now)),
    };
  };

  /**
   * @throws MillraceError when the request has failed for good; the reason of `signal` or `release` when one of them
   * was aborted first.
   */
  async complete(request: ModelRequest, caller: Caller): Promise<Answered> {
    const { policy, history, counts } = caller;
    // Whether the attempt before this one met a fault.
    let again = false;
    for (;;) {
      const place = await this.#admitted(request, caller);
      const outcome = await this.#attempt(request, { ...place, again }, caller);
      if (!isMillraceError(outcome)) return { completion: outcome, provider: place.lane.provider };
      if (this.#closes(outcome, place.lane, caller)) continue;
      again = outcome.scope !== "wait";
      if (!again) counts.rateLimited++;
      // What fails while its provider is out of order has not had its try.
      if (outcome.scope === "retry" && place.lane.admission.outSince !== undefined) {
        if (caller.replaceable) throw unquoted(outcome, request);
        continue;
      }
      const step = nextStep(outcome, history, policy);
      publishRetry(() => retryEvent(place.lane, { error: outcome, history, step }));
      if (step.action === "fail") throw unquoted(step.error, request);
      if (step.action === "retry") history.retries++;
      else history.waits++;
      history.waitedMs += step.askedMs;
      await backOff(step, counts, caller.release);
    }
  }

  /** Closes a lane for what is wrong with all its calls, when there are others. @returns whether another takes the call */
  #closes(error: MillraceError, lane: Lane, { replaceable }: Caller): boolean {
    if (!CLOSES_LANE.has(error.code)) return false;
    const others = this.gate.open.some((other) => other !== lane);
    if (others || replaceable) lane.close(error);
    this.gate.pump();
    return others;
  }

  #admitted(request: ModelRequest, caller: Caller): Promise<Admitted> {
    const { signal, release, line, priority, history, spending } = caller;
    if (signal.aborted) return Promise.reject(signal.reason);
    if (release.aborted) return Promise.reject(release.reason);
    const claim = spending?.claim(this.members, request);
    const entrance = new Entrance({ line, claim, measure: measureOf(request), since: history.since, priority });
    return entrance.enter(this.gate, release);
  }

  async #attempt(request: ModelRequest, admitted: Try, caller: Caller) {
    try {
      const outcome = await this.#call(request, admitted, caller);
      if (!isMillraceError(outcome)) await caller.keep?.({ completion: outcome, provider: admitted.lane.provider });
      return outcome;
    } finally {
      this.gate.landed(admitted.line);
    }
  }

  async #call(request: ModelRequest, { lane, started, claim, again }: Try, caller: Caller) {
    const { signal, counts, policy, history, streaming, onDelta, spending } = caller;
    const { provider } = lane;
    if (signal.aborted) {
      lane.settle(started, undefined, history);
      spending?.settle({ provider, request, claim, sent: false, outcome: undefined });
      throw signal.reason;
    }
    // Loading the prices takes 0.03 s: before the first call is sent rather than when its answer has come.
    spending?.priceOf(provider);
    const since = performance.now();
    let outcome: Completion | MillraceError | undefined;
    try {
      counts.attempts++;
      if (again) counts.retries++;
      history.attempts++;
      const count = history.attempts;
      outcome = await attempt(provider, request, {
        timeout: policy.timeout,
        signal,
        streaming,
        onDelta: onDelta && ((text) => onDelta(text, count)),
      });
      return outcome;
    } finally {
      const sent = outcome !== undefined || !lane.barred;
      if (sent) tally(counts, outcome, performance.now() - since);
      lane.settle(started, outcome, history);
      // After what the lane has learned: the room that it leaves in a budget lets the next call in.
      spending?.settle({ provider, request, claim, sent, outcome });
      publishCall(() => callEvent(lane, { outcome, history, since }));
    }
  }
}

/** Whom a stage with this provider asks, one after the other. */
export function clientsOf(provider: Provider): readonly Client[] {
  const { members } = provider;
  const providers = members?.kind === "fallback" ? members.providers : [provider];
  return providers.map((each) => Client.of(each));
}

interface Call {
  readonly outcome: Completion | MillraceError | undefined;
  readonly history: History;
  /** By the performance clock. */
  readonly since: number;
}

function callEvent({ provider, number }: Lane, { outcome, history, since }: Call): CallEvent {
  const { name, model, baseURL } = provider;
  const durationMs = performance.now() - since;
  const failed = outcome === undefined || isMillraceError(outcome);
  return {
    provider: name,
    model,
    baseURL,
    lane: number,
    attempt: history.attempts,
    record: history,
    time: Date.now() - durationMs,
    durationMs,
    error: failed ? { code: outcome?.code, status: outcome?.status } : undefined,
    answer: failed ? undefined : told(outcome),
  };
}

interface Decided {
  readonly error: MillraceError;
  readonly history: History;
  readonly step: Step;
}

function retryEvent({ provider, number }: Lane, { error, history, step }: Decided): RetryEvent {
  const { name, model } = provider;
  const { code, status } = error;
  const delayMs = step.action === "fail" ? 0 : step.delayMs;
  const { action } = step;
  const attempt = history.attempts;
  return { provider: name, model, lane: number, attempt, code, status, action, delayMs, time: Date.now() };
}

interface Try extends Admitted {
  /** It repeats an attempt that met a fault. */
  readonly again: boolean;
}

/** Less its text. */
const told = ({ model, requestId, finishReason, usage }: Completion) => ({ model, requestId, finishReason, usage });
