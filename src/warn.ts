/** What a user should know though nothing has failed: told by the command line, elsewhere a warning of the process. */

import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";

const NAME = "millrace:warning";
const warnings = channel(NAME);

export function warn(message: string): void {
  if (warnings.hasSubscribers) warnings.publish(message);
  else process.emitWarning(message, "MillraceWarning");
}

/** Calls `tell` with each warning from now on; the returned function takes it back. */
export function onWarning(tell: (message: string) => void): () => void {
  const hear = (message: unknown) => tell(String(message));
  subscribe(NAME, hear);
  return () => void unsubscribe(NAME, hear);
}
