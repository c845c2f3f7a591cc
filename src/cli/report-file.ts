/** What `--report` writes, and the `summary` event of `--json` holds: the run's report, and how it ended. */

import { writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type ErrorCode, failure } from "../errors.ts";
import { makeFolder } from "../folder.ts";
import type { RunReport } from "../index.ts";
import type { Ended } from "./ending.ts";
import { VERSION } from "./version.ts";

export interface ReportFile extends RunReport {
  /** Of millrace. */
  readonly version: string;
  /** ISO 8601, as `endedAt`. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly exitCode: number;
  /** What ended the run before its end. */
  readonly error: { readonly code: ErrorCode; readonly message: string } | null;
  /** The most memory that the process had, bytes. */
  readonly peakMemoryBytes: number;
}

interface Facts {
  readonly exitCode: number;
  readonly startedAt: Date;
  readonly endedAt: Date;
}

/** `maxRSS` is in kilobytes, on macOS too: libuv says so. */
const KILOBYTE = 1_024;

export const reportFile = ({ report, error }: Ended, { exitCode, startedAt, endedAt }: Facts): ReportFile => ({
  version: VERSION,
  startedAt: startedAt.toISOString(),
  endedAt: endedAt.toISOString(),
  exitCode,
  error: error === undefined ? null : { code: error.code, message: error.message },
  ...report,
  peakMemoryBytes: process.resourceUsage().maxRSS * KILOBYTE,
});

export async function writeReport(path: string, file: ReportFile): Promise<void> {
  try {
    await makeFolder(dirname(path));
    await writeFile(path, `${JSON.stringify(file, null, 2)}\n`);
  } catch (cause) {
    throw failure("sink_failed", `The report could not be written to ${path}: ${(cause as Error).message}`, { cause });
  }
}
