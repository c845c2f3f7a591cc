/** Waits that can be called off. */

import { onAbort } from "./on-abort.ts";

/** The longest delay that a timer takes; longer ones would fire at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. Leaves no listener behind. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const deafen = onAbort(signal, () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
    const wake = () => {
      deafen();
      resolve();
    };
    const timer = setTimeout(wake, Math.min(ms, LONGEST_TIMER));
  });
}
