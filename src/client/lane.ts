/** One provider with one key, and what is known of its limits. */

import { isMillraceError, type MillraceError } from "../errors.ts";
import { type LaneEvent, publishLane } from "../events.ts";
import { accountingOf } from "../limits/accounting.ts";
import { Admission, type Ending, type Ticket } from "../limits/admission.ts";
import { Estimate } from "../limits/estimate.ts";
import { readTold } from "../limits/told.ts";
import type { Completion, ModelRequest, Provider } from "../providers/provider.ts";
import type { LaneReport } from "../stage.ts";

/** A request as the limits see it. */
export interface Measure {
  /** Characters of all that is sent. */
  readonly length: number;
  /** Its own output limit. */
  readonly most: number | undefined;
}

export function measureOf({ system, messages, schema, maxOutputTokens }: ModelRequest): Measure {
  let length = (system?.length ?? 0) + lengthOf(schema);
  for (const { content } of messages) length += content.length;
  return { length, most: maxOutputTokens };
}

const lengths = new WeakMap<object, number>();

function lengthOf(schema: object | undefined): number {
  if (schema === undefined) return 0;
  let length = lengths.get(schema);
  if (length === undefined) {
    length = JSON.stringify(schema).length;
    lengths.set(schema, length);
  }
  return length;
}

/** A start, to be settled with its end. */
export interface Started {
  readonly ticket: Ticket;
  readonly measure: Measure;
}

/** What is wrong with a key, a model or an account, and so with every call of its lane. */
export const CLOSES_LANE: ReadonlySet<string> = new Set([
  "authentication_failed",
  "permission_denied",
  "unknown_model",
  "no_credit",
]);

const lanes = new WeakMap<Provider, Lane>();

export class Lane {
  readonly provider: Provider;
  /** Which of its provider's keys this is, from 1. */
  number = 1;
  readonly admission: Admission;
  /** Why it gets no more calls. */
  closed: MillraceError | undefined;
  /** The last fault that was heard. */
  fault: MillraceError | undefined;
  /** Whether the provider has ever answered, in whatever words: a fault that it tells is one. */
  heard = false;
  /** Its key, model or account was refused before any call was answered: what is still under way is refused as well. */
  barred = false;
  #answered = false;
  readonly #estimate = new Estimate();
  readonly #listeners = new Set<() => void>();

  private constructor(provider: Provider) {
    this.provider = provider;
    this.admission = new Admission(accountingOf(provider.name), (event) => this.publish(event));
  }

  /** Whoever is given the same provider object shares its lane. */
  static of(provider: Provider): Lane {
    let lane = lanes.get(provider);
    if (lane === undefined) {
      lane = new Lane(provider);
      lanes.set(provider, lane);
    }
    return lane;
  }

  /** Calls `act` whenever a call has ended. */
  onRoom(act: () => void): void {
    this.#listeners.add(act);
  }

  offRoom(act: () => void): void {
    this.#listeners.delete(act);
  }

  wait(measure: Measure, now: number): ReturnType<Admission["wait"]> {
    return this.admission.wait(this.#need(measure), now);
  }

  start(measure: Measure, now: number): Started {
    return { measure, ticket: this.admission.start(this.#need(measure), now) };
  }

  #need({ length, most }: Measure): ReturnType<Admission["need"]> {
    const limit = most ?? this.provider.maxOutputTokens;
    return this.admission.need({
      input: this.#estimate.input(length),
      output: this.#estimate.output(limit),
      most: limit,
    });
  }

  /** @param outcome undefined: the call was taken back. @param record whose call it was */
  settle({ ticket, measure }: Started, outcome: Completion | MillraceError | undefined, record: object): void {
    const now = performance.now();
    if (isMillraceError(outcome)) this.barred ||= !this.#answered && CLOSES_LANE.has(outcome.code);
    else if (outcome !== undefined) {
      this.#estimate.learn(measure.length, outcome.usage);
      this.#answered = true;
      this.barred = false;
    }
    const ending = endingOf(outcome, record);
    if (ending.kind === "fault") {
      this.fault = outcome as MillraceError;
      this.heard ||= this.fault.status !== undefined;
    } else if (ending.kind !== "other" || ending.heard) this.heard = true;
    this.admission.settle(ticket, ending, now);
    for (const act of this.#listeners) act();
  }

  report(now: number): LaneReport {
    const { admission, closed, number: lane } = this;
    const { name: provider, model } = this.provider;
    const { inFlight, limit } = admission.concurrency;
    const out = admission.outSince !== undefined;
    const state = closed !== undefined ? "closed" : out ? "outage" : admission.paused(now) ? "paused" : "open";
    const pace = admission.pace(now);
    const pacePerMinute = pace === undefined ? null : Math.round(pace);
    return { provider, model, lane, inFlight, allowed: state === "closed" ? 0 : limit, state, pacePerMinute };
  }

  close(why: MillraceError): void {
    if (this.closed !== undefined) return;
    this.closed = why;
    this.publish({ type: "lane-closed", reason: why.message });
  }

  publish(event: { readonly type: LaneEvent["type"] } & Omit<LaneEvent, "provider" | "model" | "lane" | "time">): void {
    const { name: provider, model } = this.provider;
    publishLane({ ...event, provider, model, lane: this.number, time: Date.now() } as LaneEvent);
  }
}

/** Faults that a provider out of order gives; others are about the one call. */
const OF_AN_OUTAGE = new Set(["connection_failed", "server_error"]);

function endingOf(outcome: Completion | MillraceError | undefined, record: object): Ending {
  if (outcome === undefined) return { kind: "other", heard: false, told: [] };
  const told = readTold(outcome.limits ?? {}, Date.now());
  if (!isMillraceError(outcome)) return { kind: "answered", usage: outcome.usage, told };
  const { code, retryAfter: hint, status, limit } = outcome;
  if (code === "rate_limited") return { kind: "limited", hint, told, limit };
  if (code === "overloaded") return { kind: "overloaded", hint, told };
  if (OF_AN_OUTAGE.has(code)) return { kind: "fault", record };
  return { kind: "other", heard: status !== undefined, told };
}
