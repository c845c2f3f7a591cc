/** Which format a file has, by its ending: when it is read, and when it is written. */

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

export type WriteFormat = "ndjson" | "json" | "csv";
export type Compression = "gzip" | "zstd";

const WRITE_FORMATS: readonly WriteFormat[] = ["ndjson", "json", "csv"];
const COMPRESSIONS: Readonly<Record<string, Compression>> = { gz: "gzip", zst: "zstd" };

/** Not written, or not by a sink of files: NDJSON under such a name would only mislead. */
const NOT_WRITTEN = /\.(tsv|bz2|xz|zip|db|sqlite|parquet)$|^postgres(ql)?:\/\//i;

/**
 * What a file's endings, or `format`, ask to be written. Compression is by the ending alone; without a path there is none.
 *
 * @throws ConfigurationError for an ending that means something else, unless `format` says what it is.
 */
export function writingFormat(
  path: string | undefined,
  format: WriteFormat | undefined,
): { readonly format: WriteFormat; readonly compression: Compression | undefined } {
  const [zipped = "", ending = ""] = /\.(gz|zst)$/i.exec(path ?? "") ?? [];
  const compression = COMPRESSIONS[ending.toLowerCase()];
  const plain = path?.slice(0, path.length - zipped.length) ?? "";
  if (format !== undefined && !WRITE_FORMATS.includes(format)) {
    const known = WRITE_FORMATS.map((name) => `"${name}"`).join(", ");
    throw failure("invalid_option", `write(): \`format\` must be ${known}, got "${String(format)}".`);
  }
  if (format !== undefined) return { format, compression };
  const other = NOT_WRITTEN.exec(plain)?.[0];
  if (other === undefined) {
    const named = /\.(json|csv)$/i.exec(plain)?.[1]?.toLowerCase();
    return { format: named === "json" || named === "csv" ? named : "ndjson", compression };
  }
  throw failure(
    "invalid_option",
    `write(): ${path}: "${other}" is not supported in this version. Use .ndjson, .jsonl, .json or .csv.`,
  );
}
