/** One call, with its timer: whatever becomes of it comes back as a completion or as a typed error. */

import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import { onAbort } from "../limits/on-abort.ts";
import type { Completion, ModelRequest, Provider } from "../providers/provider.ts";

export interface AttemptOptions {
  /**
   * Longest time in ms from sending the request to the last byte of its answer. From a streamed answer's first sign of life
   * on, the longest silence instead.
   */
  readonly timeout: number;
  /** Aborts the call. */
  readonly signal: AbortSignal;
  /** Asks for a streamed answer. Default: the provider decides. */
  readonly streaming?: boolean | undefined;
  /** Gets the answer's text piece by piece, in one piece if the provider does not stream. What it throws ends the call. */
  readonly onDelta?: DeltaListener | undefined;
}

/** A promise that it returns is waited for before the answer counts as whole. */
export type DeltaListener = (text: string) => void | Promise<void>;

/**
 * No streamed answer takes longer than this, in ms, however many pings come: Anthropic reckons with an hour for the longest
 * that any model writes (128,000 tokens). A longer `timeout` goes before it.
 */
const LONGEST_STREAM = 60 * 60 * 1_000;

/** Resolves with the error of a failed call. Throws only the signal's reason, when that was aborted. */
export async function attempt(
  provider: Provider,
  request: ModelRequest,
  { timeout, signal, streaming, onDelta }: AttemptOptions,
): Promise<Completion | MillraceError> {
  if (signal.aborted) throw signal.reason;
  const call = new AbortController();
  const { promise: cut, reject } = Promise.withResolvers<never>();
  // Both at once: a provider that is deaf to its signal must not hold up a stop or outlive its timeout.
  const end = (reason: unknown) => {
    call.abort(reason);
    reject(reason);
  };
  const deafen = onAbort(signal, () => end(signal.reason));
  const clock = watch({ timeout, streaming, expire: end });
  const listener = onDelta && listening(onDelta, { end, signal: call.signal });
  const options = { signal: call.signal, streaming, onDelta: listener?.hear, onActivity: clock.alive };
  try {
    const answered = provider.complete(request, options);
    return await Promise.race([heardOut(answered, { clock, listener }), cut]);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return asFailure(error, provider.name);
  } finally {
    clock.stop();
    deafen();
  }
}

async function heardOut(answered: Promise<Completion>, { clock, listener }: Ears): Promise<Completion> {
  const completion = whole(await answered);
  // What the listener still does is not the provider's time.
  clock.stop();
  await listener?.end(completion.text);
  return completion;
}

interface Ears {
  readonly clock: ReturnType<typeof watch>;
  readonly listener: ReturnType<typeof listening> | undefined;
}

interface Limits {
  readonly timeout: number;
  readonly streaming: boolean | undefined;
  expire(error: MillraceError): void;
}

/** The timer of a call. Nothing is asked of it that a plain call does not need: a sign of life moves it on, at no cost. */
function watch({ timeout, streaming = false, expire }: Limits) {
  const latest = performance.now() + Math.max(timeout, LONGEST_STREAM);
  let alive = false;
  let stopped = false;
  const timer = setTimeout(() => expire(streaming || alive ? silent(timeout) : timedOut(timeout)), timeout);
  return {
    alive() {
      // A timer that was cleared would be set again.
      if (stopped) return;
      alive = true;
      if (performance.now() < latest) timer.refresh();
      else expire(endless());
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

interface Ending {
  readonly end: (reason: unknown) => void;
  readonly signal: AbortSignal;
}

/**
 * Hands pieces on; what the listener throws, at once or by a promise, ends the call with it. When the call is over, nothing
 * more is said in its name, whatever a provider that is deaf to its signal still tells.
 */
function listening(onDelta: DeltaListener, { end: fail, signal }: Ending) {
  let heard = false;
  let ended = false;
  let waiting: Promise<unknown> | undefined;
  const hear = (text: string): void => {
    if (ended || signal.aborted) return;
    heard = true;
    try {
      const said = onDelta(text);
      if (said === undefined) return;
      waiting = Promise.all([waiting, said]);
      waiting.catch(fail);
    } catch (error) {
      fail(error);
      throw error;
    }
  };
  return {
    hear,
    /** To be called with the whole text when it is there. */
    async end(text: string): Promise<void> {
      if (!heard && text !== "") hear(text);
      ended = true;
      await waiting;
    },
  };
}

const timedOut = (ms: number): MillraceError =>
  failure(
    "timeout",
    `No complete answer within ${ms / 1_000} s. If answers are long, allow more with --timeout (timeout).`,
  );

const silent = (ms: number): MillraceError =>
  failure(
    "timeout",
    `Nothing came of a streamed answer for ${ms / 1_000} s. If the model pauses that long, allow more with --timeout (timeout).`,
  );

const endless = (): MillraceError =>
  failure("timeout", `A streamed answer had no end after ${LONGEST_STREAM / 60_000} minutes.`);

/** A provider of the user's own may give anything; what lacks these would be booked and stored as nonsense. */
function whole(given: Completion | undefined): Completion {
  const { text, usage } = given ?? {};
  const counted = [usage?.inputTokens, usage?.outputTokens].every((tokens) => Number.isFinite(tokens));
  if (given && typeof text === "string" && counted) return given;
  throw new Error("it gave no completion, which has a `text` and a `usage: { inputTokens, outputTokens }`.");
}

/** A provider of the user's own may throw anything; what is not typed is taken for a fault of the moment. */
function asFailure(error: unknown, provider: string): MillraceError {
  if (isMillraceError(error)) return error;
  const why = error instanceof Error ? error.message : String(error);
  return failure("bad_response", `The provider "${provider}" failed: ${why}`, { cause: error });
}
