/** One call, with its timer: whatever becomes of it comes back as a completion or as a typed error. */

import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import { onAbort } from "../limits/on-abort.ts";
import type { Completion, ModelRequest, Provider } from "../providers/provider.ts";

export interface AttemptOptions {
  /** Longest time in ms, from sending the request to the last byte of its answer. */
  readonly timeout: number;
  /** Aborts the call. */
  readonly signal: AbortSignal;
}

/** Resolves with the error of a failed call. Throws only the signal's reason, when that was aborted. */
export async function attempt(
  provider: Provider,
  request: ModelRequest,
  { timeout, signal }: AttemptOptions,
): Promise<Completion | MillraceError> {
  if (signal.aborted) throw signal.reason;
  const call = new AbortController();
  const deafen = onAbort(signal, () => call.abort(signal.reason));
  const timer = setTimeout(() => call.abort(timedOut(timeout)), timeout);
  try {
    return await untilAborted(provider.complete(request, { signal: call.signal }), call.signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return asFailure(error, provider.name);
  } finally {
    clearTimeout(timer);
    deafen();
  }
}

const timedOut = (ms: number): MillraceError =>
  failure(
    "timeout",
    `No complete answer within ${ms / 1_000} s. If answers are long, allow more with --timeout (timeout).`,
  );

/** A provider that is deaf to its signal must not hold up a stop or outlive its timeout. */
function untilAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    answer.then(resolve, reject);
  });
}

/** A provider of the user's own may throw anything; what is not typed is taken for a fault of the moment. */
function asFailure(error: unknown, provider: string): MillraceError {
  if (isMillraceError(error)) return error;
  const why = error instanceof Error ? error.message : String(error);
  return failure("bad_response", `The provider "${provider}" failed: ${why}`, { cause: error });
}
