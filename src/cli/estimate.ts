/** `millrace estimate`, and what `--dry-run` shows instead of a run: nothing is sent, and no key is needed. */

import type { RunFlags } from "../config/options.ts";
import { jobOf } from "./commands.ts";
import { configured } from "./configured.ts";
import { estimateLines, questionLines } from "./estimate-text.ts";
import type { Job } from "./execute.ts";
import { EXIT } from "./exit.ts";
import { rehearse } from "./rehearse.ts";

export interface EstimateFlags extends RunFlags {
  /** Counts the tokens of every record. */
  readonly full?: boolean;
  readonly json?: boolean;
}

/** @returns the exit code. @throws ConfigurationError for what would be wrong with a run as well. */
export async function estimateCommand(inputs: readonly string[], typed: EstimateFlags): Promise<number> {
  const { full, json, ...given } = typed;
  const flags = await configured(given);
  if (flags === undefined) return EXIT.finished;
  const found = await rehearse(jobOf(inputs, flags, { keyless: true }), { ...flags, full });
  if (found === undefined) return EXIT.finished;
  const { estimate, counted, tokenizer, fromPast } = found;
  const basis = { tokensCountedOf: counted, tokenizer, outputFrom: fromPast ? "store" : "schema" };
  const text = json ? JSON.stringify({ ...estimate, basis }) : estimateLines(found).join("\n");
  await new Promise<void>((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
  return EXIT.finished;
}

/** On stderr, since stdout carries records only. */
export async function dryRun(job: Job, flags: RunFlags): Promise<number> {
  const found = await rehearse(job, flags);
  const lines =
    found === undefined
      ? ["No stage asks a model: nothing is sent and nothing costs anything."]
      : [...questionLines(found), ...estimateLines(found)];
  process.stderr.write(`${lines.join("\n")}\n`);
  return EXIT.finished;
}
