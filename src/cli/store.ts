/** `millrace store stats | prune | export`: looking after the store of responses. */

import { once } from "node:events";
import { effective } from "../config/effective.ts";
import { STORE } from "../config/options.ts";
import { exportStore, pruneStore, type StoreStats, storeStats } from "../store/look-after.ts";
import { EXIT } from "./exit.ts";
import { count } from "./words.ts";

export interface StoreFlags {
  /** Default: that of a run here. */
  readonly store?: string;
  readonly json?: boolean;
  /** ms */
  readonly olderThan?: number;
}

/** The environment's or millrace.yaml's store goes before the default one. */
function placeOf({ store }: StoreFlags): string {
  const { flags } = effective({ store }, process.env, process.cwd());
  return flags.store || STORE;
}

export function storeStatsCommand({ json, ...flags }: StoreFlags): number {
  const store = placeOf(flags);
  const stats = storeStats(store);
  process.stdout.write(json ? `${JSON.stringify(stats)}\n` : `${statLines(stats).join("\n")}\n`);
  return EXIT.finished;
}

export function storePruneCommand({ olderThan = 0, json, ...flags }: StoreFlags): number {
  const store = placeOf(flags);
  const pruned = pruneStore(store, Date.now() - olderThan);
  process.stdout.write(json ? `${JSON.stringify({ path: store, pruned })}\n` : `${count(pruned)} answers pruned.\n`);
  return EXIT.finished;
}

/** NDJSON on stdout. A reader who leaves ends it. */
export async function storeExportCommand(flags: StoreFlags): Promise<number> {
  const store = placeOf(flags);
  let left = false;
  process.stdout.once("error", () => {
    left = true;
  });
  for (const answer of exportStore(store)) {
    if (left) break;
    if (!process.stdout.write(`${JSON.stringify(answer)}\n`)) {
      await Promise.race([once(process.stdout, "drain"), once(process.stdout, "close")]).catch(() => {});
    }
  }
  return EXIT.finished;
}

/** What a person reads: pure. */
function statLines({ path, answers, bytes, oldest, newest, models }: StoreStats): string[] {
  const size = `${(bytes / 1e6).toFixed(1)} MB`;
  const lines = [`${path}: ${count(answers)} answers, ${size}`];
  if (oldest !== null && newest !== null) lines.push(`  stored from ${oldest} to ${newest}`);
  for (const { provider, model, answers, inputTokens, outputTokens } of models) {
    const tokens = `${count(inputTokens)} tokens in · ${count(outputTokens)} out`;
    lines.push(`  ${provider} ${model}: ${count(answers)} answers, ${tokens}`);
  }
  return lines;
}
