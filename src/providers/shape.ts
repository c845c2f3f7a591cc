/** Reading a vendor's answer without trusting it: the SDKs return a 200 of any shape as it is. */

import { failure, type MillraceError } from "../errors.ts";

export type Fields = { readonly [key: string]: unknown };

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** A count of tokens: null and absence are 0, as the vendors mean them; undefined for what is no count. */
export function countOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return 0;
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

/** `bad_response`: the answer came, but is not what the vendor's protocol says. */
export function misshapen(label: string, what: string, requestId: string | undefined): MillraceError {
  return failure("bad_response", `The answer from ${label} has ${what}.`, { status: 200, requestId });
}
