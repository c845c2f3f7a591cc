/** Ctrl-C and SIGTERM: the first ends the run in good order, the second at once. */

import { EXIT } from "./exit.ts";
import type { Log } from "./log.ts";

export interface SignalWay {
  readonly stop: AbortController;
  readonly abort: AbortController;
  /** How long calls in flight may take to end, ms. */
  readonly grace: number;
  readonly log: Log;
}

/** For the sinks to put down what they hold once all is aborted, ms. */
const LAST_SECOND = 1_000;

/** `release()` gives the exit code of the signal that came, if one did, and hears no more. */
export function onSignals({ stop, abort, grace, log }: SignalWay): { release(): number | undefined } {
  let code: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let leaving: NodeJS.Timeout | undefined;
  const leave = () => {
    abort.abort();
    // Whatever still holds the process then, such as a timer of the user's own, is not waited for.
    leaving = setTimeout(() => process.exit(code), LAST_SECOND);
  };
  const hear = (signal: NodeJS.Signals) => {
    if (code !== undefined) {
      leave();
      return;
    }
    code = signal === "SIGINT" ? EXIT.interrupted : EXIT.terminated;
    const text = `Stopping: calls in flight may end within ${grace / 1_000} s. Once more stops at once.`;
    log.tell({ level: "info", event: "stopping", text, facts: { signal, graceMs: grace } });
    stop.abort();
    timer = setTimeout(leave, grace);
  };
  process.on("SIGINT", hear);
  process.on("SIGTERM", hear);
  return {
    release() {
      clearTimeout(timer);
      leaving?.unref();
      process.off("SIGINT", hear);
      process.off("SIGTERM", hear);
      return code;
    },
  };
}
