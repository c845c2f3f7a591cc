/** The kinds of limits that providers keep, and what a call takes of each. */

/** `tokens` is input and output together, where that is what the provider counts. */
export const LIMIT_KINDS = ["requests", "input", "output", "tokens"] as const;

export type LimitKind = (typeof LIMIT_KINDS)[number];

export type Amounts = Readonly<Record<LimitKind, number>>;

/** Limits a minute. */
export type Limits = Readonly<Partial<Record<LimitKind, number>>>;
