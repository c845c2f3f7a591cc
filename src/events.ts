/**
 * What happens in a run, for whoever listens: published on diagnostics channels of Node, so that nobody pays for what
 * nobody hears. No event holds a key, a prompt or an article's text.
 */

import { channel } from "node:diagnostics_channel";
import type { ErrorCode } from "./errors.ts";
import type { AdmissionEvent } from "./limits/admission.ts";
import type { Source } from "./record.ts";
import type { Usage } from "./usage.ts";

/** A decision about one provider and key. */
export type LaneEvent = (
  | AdmissionEvent
  /** The lane gets no more calls, because of what is wrong with its key, model or account. */
  | { readonly type: "lane-closed"; readonly reason: string }
) & {
  readonly provider: string;
  readonly model: string;
  /** Which of the provider's keys, from 1. */
  readonly lane: number;
  /** Ms since the epoch. */
  readonly time: number;
};

/** The name of the channel that lane events are published on. */
export const LANE_CHANNEL = "millrace:lane";

const lane = channel(LANE_CHANNEL);

export function publishLane(event: LaneEvent): void {
  if (lane.hasSubscribers) lane.publish(event);
}

/** One attempt at one provider, when it has ended. */
export interface CallEvent {
  readonly provider: string;
  /** The model that was asked for. */
  readonly model: string;
  readonly baseURL: string | undefined;
  /** Which of the provider's keys, from 1. */
  readonly lane: number;
  /** The record's how manieth attempt this was, from 1. */
  readonly attempt: number;
  /** The same object for all attempts of one record. */
  readonly record: object;
  /** When it started, ms since the epoch. */
  readonly time: number;
  readonly durationMs: number;
  /** Undefined after an answer; `code` undefined: taken back by a stop. */
  readonly error: { readonly code: ErrorCode | undefined; readonly status: number | undefined } | undefined;
  /** What the answer says of itself; undefined without one. */
  readonly answer:
    | {
        readonly model: string;
        readonly requestId: string | undefined;
        readonly finishReason: string;
        readonly usage: Usage;
      }
    | undefined;
}

/** What is done about an attempt that has failed. */
export interface RetryEvent {
  readonly provider: string;
  readonly model: string;
  /** Which of the provider's keys, from 1. */
  readonly lane: number;
  /** The record's how manieth attempt has failed, from 1. */
  readonly attempt: number;
  readonly code: ErrorCode;
  readonly status: number | undefined;
  /** `wait`: it was told to, and uses up no retry. `fail`: there is no further attempt. */
  readonly action: "retry" | "wait" | "fail";
  /** Until the next attempt may start. */
  readonly delayMs: number;
  /** Ms since the epoch. */
  readonly time: number;
}

/** One record's way through a stage that asks a model: told when it begins and when it ends. */
export interface RecordEvent {
  readonly stage: string;
  /** The same object as in the record's `CallEvent`s. */
  readonly record: object;
  readonly source: Source | null;
  /** Ms since the epoch. */
  readonly time: number;
  /** Undefined when it begins. */
  readonly end: RecordEnd | undefined;
}

/** What became of a record. `taken_back`: it was let go by a stop. */
export interface RecordEnd {
  readonly outcome: "answered" | "dropped" | "failed" | "taken_back";
  /** Of a failed one. */
  readonly code?: ErrorCode;
  /** Calls made for it; 0: none was needed, or it failed before. */
  readonly attempts: number;
}

/** A record that has failed for good. */
export interface DeadLetterEvent {
  readonly stage: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly status: number | null;
  readonly attempts: number;
  readonly source: Source | null;
  /** Ms since the epoch. */
  readonly time: number;
}

/** The name of the channel that the ends of attempts are published on. */
export const CALL_CHANNEL = "millrace:call";

/** The name of the channel that decisions about failed attempts are published on. */
export const RETRY_CHANNEL = "millrace:retry";

/** The name of the channel that the beginnings and ends of records are published on. */
export const RECORD_CHANNEL = "millrace:record";

/** The name of the channel that failed records are published on. */
export const DEAD_LETTER_CHANNEL = "millrace:dead-letter";

const calls = channel(CALL_CHANNEL);
const retries = channel(RETRY_CHANNEL);
const records = channel(RECORD_CHANNEL);
const deadLetters = channel(DEAD_LETTER_CHANNEL);

/** @param event made only when somebody hears it */
export function publishCall(event: () => CallEvent): void {
  if (calls.hasSubscribers) calls.publish(event());
}

/** @param event made only when somebody hears it */
export function publishRetry(event: () => RetryEvent): void {
  if (retries.hasSubscribers) retries.publish(event());
}

/** @param event made only when somebody hears it */
export function publishRecord(event: () => RecordEvent): void {
  if (records.hasSubscribers) records.publish(event());
}

/** @param event made only when somebody hears it */
export function publishDeadLetter(event: () => DeadLetterEvent): void {
  if (deadLetters.hasSubscribers) deadLetters.publish(event());
}
