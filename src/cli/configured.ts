/** The command line's flags, with what the environment and millrace.yaml add. */

import { effective } from "../config/effective.ts";
import type { RunFlags } from "../config/options.ts";
import { printed } from "../config/print.ts";
import { logOf } from "./log.ts";
import { warningOf } from "./warnings.ts";

/**
 * @returns undefined when `--print-config` asked for nothing but to see them
 * @throws ConfigurationError for what is wrong in the environment or the file
 */
export async function configured(typed: RunFlags): Promise<RunFlags | undefined> {
  const all = effective(typed, process.env, process.cwd());
  const log = logOf(all.flags);
  for (const warning of all.warnings) log.tell(warningOf(warning));
  if (!typed.printConfig) return all.flags;
  await new Promise<void>((resolve) => process.stdout.write(printed(all, process.env), () => resolve()));
  return undefined;
}
