/** Everything a vendor may answer instead of a completion; each vendor says it in its own words and with its own status. */

import type { Shortage } from "./traffic/quota.ts";

export type ProblemKind =
  | "missing_key"
  | "bad_key"
  | "not_found"
  | "unknown_model"
  | "malformed"
  | "invalid_request"
  | "schema_refused"
  | "too_large"
  | "filtered"
  | "no_credit"
  | "rate_limited"
  | "overloaded"
  | "timed_out"
  | "server_error"
  | "unavailable";

export interface Problem {
  readonly kind: ProblemKind;
  /** What is wrong, where the vendor's sentence depends on it. */
  readonly message?: string;
  /** The field at fault. */
  readonly param?: string;
  readonly model?: string;
  /** Last four characters of the key. */
  readonly keyTail?: string;
  /** The limit that stood in the way; a 429 without one is a fault. */
  readonly shortage?: Shortage;
}

export const isProblem = (value: object): value is Problem => "kind" in value;

/** A problem in a vendor's words. */
export interface ProblemReply {
  readonly status: number;
  readonly body: object;
}
