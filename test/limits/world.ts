/** A provider with limits and a client that asks it, under virtual time: what takes minutes takes milliseconds here. */

import TinyQueue from "tinyqueue";
import { accountingOf } from "../../src/limits/accounting.ts";
import { Admission, type AdmissionEvent, type Ending, type Ticket } from "../../src/limits/admission.ts";
import { Estimate } from "../../src/limits/estimate.ts";
import { type History, nextStep, noHistory } from "../../src/limits/retry.ts";
import type { Limits } from "../../src/simulator/options.ts";
import { type LimitName, Quota } from "../../src/simulator/traffic/quota.ts";
import { seeded } from "./dice.ts";
import { hintOf, takenOf, toldOf } from "./words.ts";

export interface World {
  readonly records: number;
  readonly vendor?: "anthropic" | "openai" | "mistral";
  /** Default `auto` up to 1,000. */
  readonly concurrency?: number;
  readonly limits?: Limits;
  /** One lane each, with quotas of their own: instead of `limits`. A lane that is `undefined` shares the quota before it. */
  readonly keys?: readonly (Limits | undefined)[];
  /** Whether answers tell the limits, or which of them. Default false. */
  readonly told?: boolean | readonly LimitName[];
  /** How many times the real limits those told are. Default 1. */
  readonly boast?: number;
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
  /** Calls of somebody else on the first key a second. */
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
  readonly events: readonly Happened[];
  /** Answered by each key. */
  readonly byKey: readonly number[];
}

type Happened = AdmissionEvent & { readonly at: number; readonly lane: number };

/** Client's work for a start, ms: two starts are never at the same moment. */
const START_COST = 0.2;

export function live(world: World): Outcome {
  return new Run(world).run();
}

interface Call {
  readonly history: History;
  readonly record: object;
}

interface Lane {
  readonly quota: Quota | undefined;
  readonly admission: Admission;
  readonly estimate: Estimate;
  answered: number;
}

interface Sent {
  readonly call: Call;
  readonly lane: Lane;
  readonly ticket: Ticket;
}

class Run {
  readonly #world: World;
  readonly #random: () => number;
  readonly #lanes: Lane[] = [];
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
  readonly #events: Happened[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#random = seeded(world.seed ?? 1);
    this.#left = world.records;
    for (const limits of world.keys ?? [world.limits]) this.#open(limits);
  }

  #open(limits: Limits | undefined): void {
    const { vendor = "anthropic", keys, concurrency } = this.#world;
    const shared = keys === undefined ? undefined : this.#lanes.at(-1)?.quota;
    const quota = limits === undefined ? shared : new Quota(limits, 0);
    const number = this.#lanes.length + 1;
    const observe = (event: AdmissionEvent) => this.#events.push({ ...event, at: this.#now, lane: number });
    const admission = new Admission(accountingOf(vendor), observe);
    admission.beside(keys?.length ?? 1);
    admission.concurrency.allow(concurrency ?? 1_000, concurrency === undefined);
    this.#lanes.push({ quota, admission, estimate: new Estimate(), answered: 0 });
  }

  run(): Outcome {
    for (let i = 0; i < this.#world.records; i++) this.#queue.push({ history: noHistory(0), record: {} });
    for (const [at, limits] of this.#world.changes ?? []) this.#at(at, () => this.#lanes[0]?.quota?.tune(limits, at));
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
      peak: Math.max(...this.#lanes.map(({ admission }) => admission.concurrency.peak)),
      answers: this.#answers,
      refusals: this.#refusals,
      events: this.#events,
      byKey: this.#lanes.map(({ answered }) => answered),
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
    const inFlight = this.#lanes.reduce((sum, { admission }) => sum + admission.concurrency.inFlight, 0);
    if (inFlight >= (this.#world.concurrency ?? Number.POSITIVE_INFINITY)) return;
    const { lane, ms } = this.#soonest();
    // A timer is a millisecond late.
    if (ms > 0) {
      if (ms < Number.POSITIVE_INFINITY) this.#pumpAt(this.#now + Math.ceil(ms) + 1);
      return;
    }
    this.#queue.shift();
    this.#send({ call, lane, ticket: lane.admission.start(this.#need(lane), this.#now) });
    this.#pumpAt(this.#now + START_COST);
  }

  /** As `Gate` does. */
  #soonest(): { lane: Lane; ms: number } {
    const offers = this.#lanes.map((lane) => {
      const { inFlight, limit } = lane.admission.concurrency;
      return { lane, ms: lane.admission.wait(this.#need(lane), this.#now).ms, load: inFlight / limit };
    });
    return offers.reduce((best, one) =>
      one.ms < best.ms || (one.ms === best.ms && one.load < best.load) ? one : best,
    );
  }

  #need({ admission, estimate }: Lane) {
    const { input = 250, most = 1_000 } = this.#world.tokens ?? {};
    const length = this.#world.length ?? input * 4;
    return admission.need({ input: estimate.input(length), output: estimate.output(most), most });
  }

  #send(sent: Sent): void {
    sent.call.history.attempts++;
    const { roundTrip = 4, latency = () => 100 } = this.#world;
    this.#at(this.#now + roundTrip / 2, () => {
      const back = (ending: Ending) => this.#at(this.#now + roundTrip / 2, () => this.#settle(sent, ending));
      const refusal = this.#refusal(sent);
      if (refusal !== undefined) {
        back(refusal);
        return;
      }
      this.#working++;
      this.#at(this.#now + latency(this.#random), () => {
        this.#working--;
        back(this.#answer(sent.lane));
      });
    });
  }

  /** What the provider says at once. */
  #refusal({ call, lane: { quota } }: Sent): Ending | undefined {
    const { unrelated, knee = Number.POSITIVE_INFINITY, unnamed } = this.#world;
    if (this.#isOut()) return { kind: "fault", record: call.record };
    if (unrelated !== undefined && this.#random() < unrelated.share) {
      const { hint } = unrelated;
      return { kind: hint === undefined ? "overloaded" : "limited", hint, told: [] };
    }
    if (this.#working >= knee) return { kind: "overloaded", hint: undefined, told: [] };
    const { input, tokens } = takenOf(this.#world);
    const shortage = quota?.admit({ input, tokens }, this.#now);
    if (shortage === undefined) return undefined;
    const limit = unnamed ? undefined : shortage.limit;
    return {
      kind: "limited",
      hint: hintOf(this.#world, shortage.wait),
      limit,
      told: toldOf(this.#world, quota, this.#now),
    };
  }

  #answer({ quota }: Lane): Ending {
    const { input, output, late } = takenOf(this.#world);
    quota?.settle({ output, tokens: late }, this.#now);
    const usage = { inputTokens: input, outputTokens: output };
    return { kind: "answered", usage, told: toldOf(this.#world, quota, this.#now) };
  }

  #settle({ call, lane, ticket }: Sent, ending: Ending): void {
    lane.admission.settle(ticket, ending, this.#now);
    if (ending.kind === "answered") {
      lane.estimate.learn(this.#world.length ?? ending.usage.inputTokens * 4, ending.usage);
      lane.answered++;
      this.#answers.push(this.#now);
      this.#left--;
    } else this.#again({ call, lane, ticket }, ending);
    this.#pumpAt(this.#now);
  }

  #again({ call, lane }: Sent, ending: Ending): void {
    const wait = ending.kind === "limited" || ending.kind === "overloaded";
    if (wait) this.#refusals.push(this.#now);
    if (!wait && lane.admission.outSince !== undefined) {
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

  #other(at: number): void {
    const quota = this.#lanes[0]?.quota;
    this.#at(at, () => {
      const { tokens: { input = 250, output = 250 } = {}, others = 1 } = this.#world;
      if (quota?.admit({ input, tokens: input }, this.#now) !== undefined) this.#othersRefused++;
      else quota?.settle({ output, tokens: output }, this.#now);
      this.#other(this.#now + 1_000 / others);
    });
  }
}
