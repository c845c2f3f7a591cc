/** Why something could not be written, as the end of a sentence: most systems' messages have no full stop. */
export function reason(error: unknown): string {
  // Of a host with several addresses, each has failed.
  const one: unknown = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  const message = one instanceof Error ? one.message : String(one);
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
