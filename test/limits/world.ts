/** A provider with limits and a client that asks it, under virtual time: what takes minutes takes milliseconds here. */

import TinyQueue from "tinyqueue";
import { accountingOf } from "../../src/limits/accounting.ts";
import { Admission, type AdmissionEvent, type Ending, type Ticket } from "../../src/limits/admission.ts";
import { Estimate } from "../../src/limits/estimate.ts";
import { type History, nextStep, noHistory } from "../../src/limits/retry.ts";
import type { Told } from "../../src/limits/told.ts";
import type { Limits } from "../../src/simulator/options.ts";
import { type LimitName, Quota } from "../../src/simulator/traffic/quota.ts";

export interface World {
  readonly records: number;
  readonly vendor?: "anthropic" | "openai" | "mistral";
  /** Default `auto` up to 1,000. */
  readonly concurrency?: number;
  readonly limits?: Limits;
  /** Whether answers tell the limits. Default false. */
  readonly told?: boolean;
  /** Seconds of Retry-After: `exact` or rounded `up`; a number for the random refusals; none when left out. */
  readonly hint?: "up" | "exact" | undefined;
  /** Ms of an answer, drawn for each. Default 100. */
  readonly latency?: (random: () => number) => number;
  /** Ms until a refusal is heard. Default 4. */
  readonly roundTrip?: number;
  readonly knee?: number;
  /** Calls refused for no reason, as a part of all, with a hint in ms; without one it is overload. */
  readonly unrelated?: { readonly share: number; readonly hint: number | undefined };
  /** Every call fails in this span of ms. */
  readonly outage?: readonly [from: number, to: number];
  /** Changes the limits at these times, ms. */
  readonly changes?: readonly (readonly [at: number, limits: Limits])[];
  readonly tokens?: { readonly input?: number; readonly output?: number; readonly most?: number };
  /** Characters of a request. Default four for each input token. */
  readonly length?: number;
  readonly seed?: number;
  /** Refusals do not say which limit it was. */
  readonly unnamed?: boolean;
  /** Calls of somebody else on the same key a second. */
  readonly others?: number;
}

export interface Outcome {
  /** Ms from the first start to the last answer. */
  readonly elapsed: number;
  readonly refused: number;
  readonly answered: number;
  readonly failed: number;
  readonly othersRefused: number;
  readonly peak: number;
  /** Times of the answers, ms. */
  readonly answers: readonly number[];
  readonly refusals: readonly number[];
  readonly events: readonly (AdmissionEvent & { readonly at: number })[];
}

/** Client's work for a start, ms: two starts are never at the same moment. */
const START_COST = 0.2;

const KINDS = { requests: "requests", input: "input", output: "output", tokens: "tokens" } as const;

export function live(world: World): Outcome {
  return new Run(world).run();
}

interface Call {
  readonly history: History;
  readonly record: object;
}

class Run {
  readonly #world: World;
  readonly #random: () => number;
  readonly #quota: Quota | undefined;
  readonly #admission: Admission;
  readonly #estimate = new Estimate();
  readonly #queue: Call[] = [];
  readonly #agenda = new TinyQueue<{ at: number; order: number; act: () => void }>(
    [],
    (a, b) => a.at - b.at || a.order - b.order,
  );
  #order = 0;
  #now = 0;
  #pumping = Number.POSITIVE_INFINITY;
  #working = 0;
  #left: number;
  #othersRefused = 0;
  #failed = 0;
  readonly #answers: number[] = [];
  readonly #refusals: number[] = [];
  readonly #events: (AdmissionEvent & { readonly at: number })[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#random = seeded(world.seed ?? 1);
    this.#left = world.records;
    this.#quota = world.limits && new Quota(world.limits, 0);
    this.#admission = new Admission(accountingOf(world.vendor ?? "anthropic"), (event) =>
      this.#events.push({ ...event, at: this.#now }),
    );
    this.#admission.concurrency.allow(world.concurrency ?? 1_000, world.concurrency === undefined);
  }

  run(): Outcome {
    for (let i = 0; i < this.#world.records; i++) this.#queue.push({ history: noHistory(0), record: {} });
    for (const [at, limits] of this.#world.changes ?? []) this.#at(at, () => this.#quota?.tune(limits, at));
    if (this.#world.others !== undefined) this.#other(0);
    this.#pumpAt(0);
    while (this.#left > 0) {
      const next = this.#agenda.pop();
      if (next === undefined) throw new Error(`It came to a standstill at ${this.#now} ms with ${this.#left} left.`);
      if (next.at > 7_200_000) throw new Error(`After two hours ${this.#left} are left.`);
      this.#now = next.at;
      next.act();
    }
    return {
      elapsed: this.#now,
      refused: this.#refusals.length,
      answered: this.#answers.length,
      failed: this.#failed,
      othersRefused: this.#othersRefused,
      peak: this.#admission.concurrency.peak,
      answers: this.#answers,
      refusals: this.#refusals,
      events: this.#events,
    };
  }

  #at(at: number, act: () => void): void {
    this.#agenda.push({ at, order: this.#order++, act });
  }

  #pumpAt(at: number): void {
    if (at >= this.#pumping) return;
    this.#pumping = at;
    this.#at(at, () => {
      if (this.#pumping !== at) return;
      this.#pumping = Number.POSITIVE_INFINITY;
      this.#pump();
    });
  }

  #pump(): void {
    const call = this.#queue[0];
    if (call === undefined) return;
    const { ms } = this.#admission.wait(this.#need(), this.#now);
    // A timer is a millisecond late.
    if (ms > 0) {
      if (ms < Number.POSITIVE_INFINITY) this.#pumpAt(this.#now + Math.ceil(ms) + 1);
      return;
    }
    this.#queue.shift();
    this.#send(call, this.#admission.start(this.#need(), this.#now));
    this.#pumpAt(this.#now + START_COST);
  }

  #need() {
    const { input = 250, most = 1_000 } = this.#world.tokens ?? {};
    const length = this.#world.length ?? input * 4;
    return this.#admission.need({
      input: this.#estimate.input(length),
      output: this.#estimate.output(most),
      most,
    });
  }

  #send(call: Call, ticket: Ticket): void {
    call.history.attempts++;
    const { roundTrip = 4, tokens: { input = 250, output = 250, most = 1_000 } = {}, vendor } = this.#world;
    this.#at(this.#now + roundTrip / 2, () => {
      const back = (ms: number, ending: () => Ending) =>
        this.#at(this.#now + ms, () => this.#settle(call, ticket, ending()));
      if (this.#isOut()) return back(roundTrip / 2, () => ({ kind: "fault", record: call.record }));
      const { unrelated, knee = Number.POSITIVE_INFINITY, latency = () => 100 } = this.#world;
      if (unrelated !== undefined && this.#random() < unrelated.share) {
        const { hint } = unrelated;
        return back(roundTrip / 2, () => ({ kind: hint === undefined ? "overloaded" : "limited", hint, told: [] }));
      }
      if (this.#working >= knee) return back(roundTrip / 2, () => ({ kind: "overloaded", hint: undefined, told: [] }));
      const tokens = vendor === "openai" ? Math.max(most, input) : input;
      const shortage = this.#quota?.admit({ input, tokens }, this.#now);
      if (shortage !== undefined) {
        const told = this.#told();
        const hint = this.#hint(shortage.wait);
        return back(roundTrip / 2, () => ({
          kind: "limited",
          hint,
          limit: this.#world.unnamed ? undefined : KINDS[shortage.limit],
          told,
        }));
      }
      this.#working++;
      const ms = latency(this.#random);
      this.#at(this.#now + ms, () => {
        this.#working--;
        this.#quota?.settle({ output, tokens: vendor === "openai" ? 0 : output }, this.#now);
        const told = this.#told();
        back(roundTrip / 2, () => ({
          kind: "answered",
          usage: { inputTokens: input, outputTokens: output },
          told,
        }));
      });
    });
  }

  #settle(call: Call, ticket: Ticket, ending: Ending): void {
    this.#admission.settle(ticket, ending, this.#now);
    if (ending.kind === "answered") {
      this.#estimate.learn(this.#world.length ?? ending.usage.inputTokens * 4, ending.usage);
      this.#answers.push(this.#now);
      this.#left--;
    } else this.#again(call, ending);
    this.#pumpAt(this.#now);
  }

  #again(call: Call, ending: Ending): void {
    const wait = ending.kind === "limited" || ending.kind === "overloaded";
    if (wait) this.#refusals.push(this.#now);
    if (!wait && this.#admission.outSince !== undefined) {
      this.#queue.unshift(call);
      return;
    }
    const retryAfter = wait ? ending.hint : undefined;
    const error = { scope: wait ? "wait" : "retry", retryAfter, shouldRetry: undefined } as never;
    const policy = { maxRetries: 5, retryBaseDelay: 500, maxWait: 900_000 };
    const step = nextStep(error, call.history, policy, this.#random);
    if (step.action === "fail") {
      this.#failed++;
      this.#left--;
      return;
    }
    if (step.action === "retry") call.history.retries++;
    else call.history.waits++;
    call.history.waitedMs += step.askedMs;
    this.#at(this.#now + step.delayMs, () => {
      this.#queue.unshift(call);
      this.#pumpAt(this.#now);
    });
  }

  #isOut(): boolean {
    const [from, to] = this.#world.outage ?? [0, 0];
    return this.#now >= from && this.#now < to;
  }

  #hint(wait: number): number | undefined {
    if (this.#world.hint === undefined) return undefined;
    return this.#world.hint === "up" ? Math.ceil(wait / 1_000) * 1_000 : Math.ceil(wait);
  }

  #told(): readonly Told[] {
    if (!this.#world.told || this.#quota === undefined) return [];
    const step = this.#world.vendor === "openai" ? 1 : 1_000;
    return (Object.keys(KINDS) as LimitName[]).flatMap((name) => {
      const level = this.#quota?.level(name, this.#now);
      if (level === undefined) return [];
      const rounded = name === "requests" ? 1 : step;
      const remaining = Math.round(level.remaining / rounded) * rounded;
      return { name, kind: KINDS[name], limit: level.perMinute, remaining, window: 60_000, step: rounded };
    });
  }

  #other(at: number): void {
    this.#at(at, () => {
      const { tokens: { input = 250, output = 250 } = {}, others = 1 } = this.#world;
      if (this.#quota?.admit({ input, tokens: input }, this.#now) !== undefined) this.#othersRefused++;
      else this.#quota?.settle({ output, tokens: output }, this.#now);
      this.#other(this.#now + 1_000 / others);
    });
  }
}

/** Mulberry32: small, and good enough for a test's dice. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const logNormal =
  (median: number, sigma: number) =>
  (random: () => number): number =>
    median * Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
