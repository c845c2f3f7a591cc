/** Hearing an abort, many at a time. */

interface Hearers {
  readonly acts: Set<() => void>;
  readonly hear: () => void;
}

const hearers = new WeakMap<AbortSignal, Hearers>();

/**
 * Calls `act` when the signal is aborted; not if it already is. The returned function takes it back.
 *
 * A window of 16,000 records may wait on one signal, and adding a listener walks through all that are there. So they
 * share one, which goes when the last of them does.
 */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  const { acts, hear } = hearers.get(signal) ?? listen(signal);
  acts.add(act);
  return () => {
    acts.delete(act);
    if (acts.size > 0 || hearers.get(signal)?.acts !== acts) return;
    hearers.delete(signal);
    signal.removeEventListener("abort", hear);
  };
}

function listen(signal: AbortSignal): Hearers {
  const acts = new Set<() => void>();
  const hear = () => {
    hearers.delete(signal);
    for (const act of acts) act();
  };
  signal.addEventListener("abort", hear, { once: true });
  const made = { acts, hear };
  hearers.set(signal, made);
  return made;
}
