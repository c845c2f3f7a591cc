/** `millrace estimate`, and what `--dry-run` shows instead of a run: nothing is sent, and no key is needed. */

import type { RunFlags } from "../config/options.ts";
import { onWarning } from "../warn.ts";
import { jobOf } from "./commands.ts";
import { configured } from "./configured.ts";
import { estimateLines, questionLines } from "./estimate-text.ts";
import type { Job } from "./execute.ts";
import { EXIT } from "./exit.ts";
import { type Log, logOf } from "./log.ts";
import { type Rehearsed, rehearse } from "./rehearse.ts";
import { warningOf } from "./warnings.ts";

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
  const { quiet, verbose, logLevel } = flags;
  const log = logOf({ quiet, verbose, logLevel });
  const found = await heard(log, () => rehearse(jobOf(inputs, flags, { keyless: true }), { ...flags, full }));
  if (found === undefined) return EXIT.finished;
  const text = json ? JSON.stringify(factsOf(found)) : estimateLines(found).join("\n");
  await new Promise<void>((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
  return EXIT.finished;
}

/** What a rehearsal finds amiss is said as a run would say it. */
async function heard<T>(log: Log, act: () => Promise<T>): Promise<T> {
  const deafen = onWarning((message) => log.tell(warningOf(message)));
  try {
    return await act();
  } finally {
    deafen();
  }
}

function factsOf({ estimate, counted, tokenizer, fromPast }: Rehearsed): object {
  return { ...estimate, basis: { tokensCountedOf: counted, tokenizer, outputFrom: fromPast ? "store" : "schema" } };
}

function firstOf({ first, provider }: Rehearsed): object | null {
  if (first === undefined) return null;
  const { system = null, messages, schema = null, maxOutputTokens = provider.maxOutputTokens } = first.request;
  return { source: first.source ?? null, system, messages, schema, maxOutputTokens };
}

/** On stderr, since stdout carries records only; also when quiet, since it is what was asked for. */
export async function dryRun(job: Job, flags: RunFlags): Promise<number> {
  const log = logOf(flags);
  const found = await heard(log, () => rehearse(job, flags));
  if (flags.json) {
    const facts = found === undefined ? { requests: 0 } : { ...factsOf(found), firstRequest: firstOf(found) };
    logOf({ json: true }).tell({ level: "info", event: "estimate", facts });
    return EXIT.finished;
  }
  const lines =
    found === undefined
      ? ["No stage asks a model: nothing is sent and nothing costs anything."]
      : [...questionLines(found), ...estimateLines(found)];
  process.stderr.write(`${lines.join("\n")}\n`);
  return EXIT.finished;
}
