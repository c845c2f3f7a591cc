/** The command line's flags, with what the environment and millrace.yaml add. */

import { effective } from "../config/effective.ts";
import type { RunFlags } from "../config/options.ts";
import { printed } from "../config/print.ts";

/**
 * @returns undefined when `--print-config` asked for nothing but to see them
 * @throws ConfigurationError for what is wrong in the environment or the file
 */
export async function configured(typed: RunFlags): Promise<RunFlags | undefined> {
  const all = effective(typed, process.env, process.cwd());
  if (!all.flags.quiet) for (const warning of all.warnings) process.stderr.write(`millrace: ${warning}\n`);
  if (!typed.printConfig) return all.flags;
  await new Promise<void>((resolve) => process.stdout.write(printed(all, process.env), () => resolve()));
  return undefined;
}
