/**
 * What happens in a run, for whoever listens: published on diagnostics channels of Node, so that nobody pays for what
 * nobody hears. No event holds a key, a prompt or an article's text.
 */

import { channel } from "node:diagnostics_channel";
import type { AdmissionEvent } from "./limits/admission.ts";

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
