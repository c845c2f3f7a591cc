/** Calls to functions of the user's own: what they throw and what they forget to return become typed failures. */

import { failure, isMillraceError, type MillraceError } from "../errors.ts";

/** The result of `fn(...args)`. @throws MillraceError `stage_failed` or `returned_nothing`; promises are passed on as they are. */
export function called<Args extends readonly unknown[], R>(name: string, fn: (...args: Args) => R, ...args: Args): R {
  let made: R;
  try {
    made = fn(...args);
  } catch (error) {
    throw thrown(name, error);
  }
  return isPromise(made) ? (Promise.resolve(made).then(given(name), rethrow(name)) as R) : (given(name)(made) as R);
}

/**
 * Calls a function that only listens: what it returns does not matter, but for a promise, which is passed on.
 *
 * @throws MillraceError `stage_failed`, for typed errors too: one that asks for patience would be taken for the provider's.
 */
export function told<Args extends readonly unknown[]>(
  name: string,
  listener: (...args: Args) => unknown,
  ...args: Args
): void | Promise<void> {
  try {
    const made = listener(...args);
    if (isPromise(made)) {
      return made.then(
        () => {},
        (error) => Promise.reject(stageFailed(name, error)),
      );
    }
  } catch (error) {
    throw stageFailed(name, error);
  }
}

export const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";

/** Passes on what a function made of a record. @throws MillraceError `returned_nothing` */
export const given =
  (name: string) =>
  (made: unknown): unknown => {
    if (made !== undefined && made !== null) return made;
    throw failure(
      "returned_nothing",
      `${name}: the function returned ${made === null ? "null" : "undefined"} for this record. To leave a record out, return \`drop\` or use filter().`,
    );
  };

const rethrow = (name: string) => (error: unknown) => {
  throw thrown(name, error);
};

function thrown(name: string, error: unknown): MillraceError {
  return isMillraceError(error) ? error : stageFailed(name, error);
}

function stageFailed(name: string, error: unknown): MillraceError {
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return failure("stage_failed", `${name}: the function threw ${why}`, { cause: error });
}
