/** The memory of this process at its highest. */

import { readFileSync } from "node:fs";

/** In MB. `maxRSS` would count what the parent had when it forked; Linux knows better. */
export function peakMB() {
  try {
    const [, kB] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    if (kB !== undefined) return Number(kB) / 1024;
  } catch {
    // Not on Linux.
  }
  return process.resourceUsage().maxRSS / 1024;
}
