/** Ctrl-C and SIGTERM: the first ends the run in good order, the second at once. */

import { EXIT } from "./exit.ts";

export interface SignalWay {
  readonly stop: AbortController;
  readonly abort: AbortController;
  /** How long calls in flight may take to end, ms. */
  readonly grace: number;
  readonly say: (line: string) => void;
}

/** `release()` gives the exit code of the signal that came, if one did, and hears no more. */
export function onSignals({ stop, abort, grace, say }: SignalWay): { release(): number | undefined } {
  let code: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const hear = (signal: NodeJS.Signals) => {
    if (code !== undefined) {
      abort.abort();
      return;
    }
    code = signal === "SIGINT" ? EXIT.interrupted : EXIT.terminated;
    say(`Stopping: calls in flight may end within ${grace / 1_000} s. Once more stops at once.`);
    stop.abort();
    timer = setTimeout(() => abort.abort(), grace);
  };
  process.on("SIGINT", hear);
  process.on("SIGTERM", hear);
  return {
    release() {
      clearTimeout(timer);
      process.off("SIGINT", hear);
      process.off("SIGTERM", hear);
      return code;
    },
  };
}
