/**
 * What Postgres's errors mean, by their SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html. Pure.
 */

/** Undefined: not Postgres said it, but the network, or pg of itself. */
export function stateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("severity" in error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/**
 * Lost connections, no room for another one, a server that shuts down or starts, a transaction that lost against another
 * one, a table that another run has just made.
 */
const PASSING = /^(08|53300|57P0[123]|40001|40P01|55P03|42P07|42701|23505)/;

/** Whether the same batch may succeed in a while. */
export function passes(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof TypeError) return false;
  const state = stateOf(error);
  return state === undefined || PASSING.test(state);
}

/** Data, constraints, one key in two forms, a value too large for an index, a trigger's own word, a generated column. */
const ROW = /^(2[123]|42804|54000|P0001|428C9)/;

/** Whether it is about a row and not about the table or the server. */
export const isRowFault = (error: unknown): boolean => ROW.test(stateOf(error) ?? "");

/** Postgres repeats the value in some of its messages, and that may be an article's text. */
export const withoutValues = ({ message }: Error): string => message.replace(/: ".*$/s, "").slice(0, 200);
