/** `millrace store stats | prune | export`: looking after the store of responses. */

import { once } from "node:events";
import { exportStore, pruneStore, type StoreStats, storeStats } from "../store/look-after.ts";
import { EXIT } from "./exit.ts";
import { count } from "./words.ts";

export interface StoreFlags {
  readonly store: string;
  readonly json?: boolean;
  /** ms */
  readonly olderThan?: number;
}

export function storeStatsCommand({ store, json }: StoreFlags): number {
  const stats = storeStats(store);
  process.stdout.write(json ? `${JSON.stringify(stats)}\n` : `${statLines(stats).join("\n")}\n`);
  return EXIT.finished;
}

export function storePruneCommand({ store, olderThan = 0, json }: StoreFlags): number {
  const pruned = pruneStore(store, Date.now() - olderThan);
  process.stdout.write(json ? `${JSON.stringify({ path: store, pruned })}\n` : `${count(pruned)} answers pruned.\n`);
  return EXIT.finished;
}

/** NDJSON on stdout. A reader who leaves ends it. */
export async function storeExportCommand({ store }: StoreFlags): Promise<number> {
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
export function statLines({ path, answers, bytes, oldest, newest, models }: StoreStats): string[] {
  const size = `${(bytes / 1e6).toFixed(1)} MB`;
  const lines = [`${path}: ${count(answers)} answers, ${size}`];
  if (oldest !== null && newest !== null) lines.push(`  stored from ${oldest} to ${newest}`);
  for (const { provider, model, answers, inputTokens, outputTokens } of models) {
    const tokens = `${count(inputTokens)} tokens in · ${count(outputTokens)} out`;
    lines.push(`  ${provider} ${model}: ${count(answers)} answers, ${tokens}`);
  }
  return lines;
}
