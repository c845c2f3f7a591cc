/** Waits that can be called off. */

/** The longest delay that a timer takes; longer ones would fire at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. Leaves no listener behind. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(
      () => {
        signal.removeEventListener("abort", stop);
        resolve();
      },
      Math.min(ms, LONGEST_TIMER),
    );
    signal.addEventListener("abort", stop, { once: true });
  });
}
