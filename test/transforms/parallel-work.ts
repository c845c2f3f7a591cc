/** What the tests of parallel work share. */

import { Parallel, type ParallelOptions, type Work } from "../../src/transforms/parallel.ts";

export type Numbered = { readonly id: number };

export const parallel = (work: Work, options: Partial<ParallelOptions> = {}) =>
  new Parallel(work, { width: 10, maxBytes: 1 << 30, ordered: true, ...options });

/** Work that never ends, unless it is aborted; it notes its signals. */
export function endless() {
  const signals: AbortSignal[] = [];
  const work: Work = (_record, signal) => {
    signals.push(signal);
    return new Promise(() => {});
  };
  return { signals, work };
}
