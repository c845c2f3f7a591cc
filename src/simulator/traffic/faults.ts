/** What can be made to go wrong, and the draw that decides it. */

import { roll } from "../hash.ts";

export const FAULT_NAMES = [
  /** 500 in the vendor's shape. */
  "error500",
  /** 503. */
  "error503",
  /** Overloaded: 529 at Anthropic, 503 elsewhere. */
  "overloaded529",
  /** 429 though no limit was reached. */
  "rateLimit429",
  /** 408. */
  "timeout408",
  /** The connection is reset before any byte of the answer. */
  "resetBeforeHeaders",
  /** Reset after half of the answer. */
  "resetMidBody",
  /** Never answers; ends when the client leaves. */
  "hang",
  /** Half of the answer, then an orderly end of the connection: shorter than Content-Length, or without the last chunk. */
  "cutBody",
  /** 200 with an HTML page, as a proxy would. */
  "htmlBody",
  /** 200 with a body that is not JSON. */
  "invalidJsonBody",
  /** A whole answer whose JSON breaks the request's schema. Only where the request has one that can be broken. */
  "wrongSchema",
  /** The answer stops half way for reason `length`. */
  "maxTokensCut",
  /** A whole answer, in small pieces far apart. */
  "slowDrip",
  /** The model declines. */
  "refusal",
  /** A stream that turns into an error event half way. Only where the request streams. */
  "streamError",
  /** Half of the answer, then silence; ends when the client leaves. */
  "stallMidBody",
] as const;

export type FaultName = (typeof FAULT_NAMES)[number];

/** Faults of the content: paid for, and healed by asking again. */
const CONTENT: ReadonlySet<FaultName> = new Set<FaultName>(["wrongSchema", "maxTokensCut"]);

export const isContentFault = (fault: FaultName | undefined): boolean => fault !== undefined && CONTENT.has(fault);

/**
 * The fault of a text's nth draw, or none. A pure function of its arguments: the same seed and texts give the same
 * faults whatever the timing.
 */
export function drawFault(
  rates: Readonly<Partial<Record<FaultName, number>>>,
  seed: number,
  { text, draw }: { readonly text: string; readonly draw: number },
): FaultName | undefined {
  let left = roll("fault", seed, text, draw);
  for (const name of FAULT_NAMES) {
    left -= rates[name] ?? 0;
    if (left < 0) return name;
  }
  return undefined;
}
