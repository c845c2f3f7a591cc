/** Hears what a run publishes, until it is told to stop. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  CALL_CHANNEL,
  type CallEvent,
  DEAD_LETTER_CHANNEL,
  type DeadLetterEvent,
  LANE_CHANNEL,
  type LaneEvent,
  RECORD_CHANNEL,
  RETRY_CHANNEL,
  type RecordEvent,
  type RetryEvent,
} from "../events.ts";

export interface Listeners {
  readonly call?: (event: CallEvent) => void;
  readonly retry?: (event: RetryEvent) => void;
  readonly lane?: (event: LaneEvent) => void;
  readonly record?: (event: RecordEvent) => void;
  readonly deadLetter?: (event: DeadLetterEvent) => void;
}

const CHANNELS = {
  call: CALL_CHANNEL,
  retry: RETRY_CHANNEL,
  lane: LANE_CHANNEL,
  record: RECORD_CHANNEL,
  deadLetter: DEAD_LETTER_CHANNEL,
} as const;

/** @returns ends it */
export function listen(listeners: Listeners): () => void {
  const heard = Object.entries(listeners).map(([name, listener]) => {
    const channel = CHANNELS[name as keyof Listeners];
    const hear = (message: unknown) => (listener as (event: unknown) => void)(message);
    subscribe(channel, hear);
    return () => unsubscribe(channel, hear);
  });
  return () => {
    for (const end of heard) end();
  };
}
