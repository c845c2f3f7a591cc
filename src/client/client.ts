/** One completion for one request, however many attempts: slot → attempt → settle → wait → again. */

import { isMillraceError, type MillraceError } from "../errors.ts";
import { type History, nextStep, type RetryPolicy } from "../limits/retry.ts";
import { sleep } from "../limits/sleep.ts";
import { Slots } from "../limits/slots.ts";
import type { Completion, ModelRequest, Provider } from "../providers/provider.ts";
import type { CallCounts } from "../stage.ts";
import { addUsage } from "../usage.ts";
import { attempt } from "./attempt.ts";
import { unquoted } from "./unquoted.ts";

/** How one stage wants its calls made. */
export interface CallPolicy extends RetryPolicy {
  /** Longest time for one attempt in ms, from sending it to the last byte of its answer; if that is streamed, the longest silence. */
  readonly timeout: number;
}

/** What a call needs to know of who makes it. */
export interface Caller {
  readonly policy: CallPolicy;
  /** The stage's own limit on calls in flight. */
  readonly slots: Slots;
  readonly counts: CallCounts;
  /** Aborts at once, the call in flight too. */
  readonly signal: AbortSignal;
  /** Aborts what only waits: for a slot, or for its next attempt. */
  readonly release: AbortSignal;
  /** What the record has been through; added to, over all the requests that are made for it. */
  readonly history: History;
  /** Asks for streamed answers. Default: where the provider wants it. */
  readonly streaming?: boolean | undefined;
  /** Gets an answer's text piece by piece; `attempt` is that of the record, the first being 1. */
  readonly onDelta?: ((text: string, attempt: number) => void | Promise<void>) | undefined;
}

const clients = new WeakMap<Provider, Client>();

/** Stages that are given the same provider object get the same client, and so share its limit on calls in flight. */
export class Client {
  readonly provider: Provider;
  readonly #slots = new Slots(0);

  private constructor(provider: Provider) {
    this.provider = provider;
  }

  static of(provider: Provider): Client {
    let client = clients.get(provider);
    if (client === undefined) {
      client = new Client(provider);
      clients.set(provider, client);
    }
    return client;
  }

  /** The provider carries as many calls as the stage that asks for most of them may make. */
  allow(concurrency: number): void {
    this.#slots.limit = Math.max(this.#slots.limit, concurrency);
  }

  /**
   * @throws MillraceError when the request has failed for good; the reason of `signal` or `release` when one of them
   * was aborted first.
   */
  async complete(request: ModelRequest, caller: Caller): Promise<Completion> {
    const { counts, policy, history } = caller;
    for (;;) {
      const outcome = await this.#admit(request, caller, history.attempts > 0);
      if (!isMillraceError(outcome)) return outcome;
      if (outcome.scope === "wait") counts.rateLimited++;
      const step = nextStep(outcome, history, policy);
      if (step.action === "fail") throw unquoted(step.error, request);
      if (step.action === "retry") {
        history.retries++;
        counts.retries++;
      } else history.waits++;
      history.waitedMs += step.askedMs;
      counts.waitedMs += step.askedMs;
      await sleep(step.delayMs, caller.release);
    }
  }

  /** One attempt inside its slots; the slots are free again before anything waits. */
  async #admit(request: ModelRequest, caller: Caller, returning: boolean): Promise<Completion | MillraceError> {
    const leaveStage = await caller.slots.acquire(caller.release, returning);
    try {
      const leaveProvider = await this.#slots.acquire(caller.release, returning);
      try {
        return await this.#attempt(request, caller);
      } finally {
        leaveProvider();
      }
    } finally {
      leaveStage();
    }
  }

  async #attempt(
    request: ModelRequest,
    { policy, counts, signal, history, streaming, onDelta }: Caller,
  ): Promise<Completion | MillraceError> {
    if (signal.aborted) throw signal.reason;
    counts.attempts++;
    history.attempts++;
    const count = history.attempts;
    const outcome = await attempt(this.provider, request, {
      timeout: policy.timeout,
      signal,
      streaming,
      onDelta: onDelta && ((text) => onDelta(text, count)),
    });
    if (!isMillraceError(outcome)) addUsage(counts.usage, outcome.usage);
    return outcome;
  }
}
