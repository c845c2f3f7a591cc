/** Which format a file has, by its ending. */

import { failure } from "./errors.ts";

export type Format = "ndjson";

/** Endings that mean a format which is not NDJSON: taking such a file for NDJSON would only make broken records of it. */
const OTHER = /\.(json|csv|tsv|gz|zst|bz2|xz|zip|db|sqlite|parquet)$|^postgres(ql)?:\/\//i;

/** @throws ConfigurationError for an ending that means another format, unless `format` says what it is. */
export function formatOf(path: string, format: Format | undefined, where: string): Format {
  if (format === "ndjson") return format;
  if (format !== undefined)
    throw failure("invalid_option", `${where}: \`format\` must be "ndjson", got "${String(format)}".`);
  const ending = OTHER.exec(path)?.[0];
  if (ending === undefined) return "ndjson";
  throw failure(
    "invalid_option",
    `${where}: ${path}: "${ending}" is not supported in this version. Use NDJSON (.ndjson or .jsonl).`,
  );
}
