/** Which format a file has, and how it is compressed, by its endings. */

import { failure } from "./errors.ts";

export type Format = "ndjson" | "json" | "csv";
export type Compression = "gzip" | "zstd";
export type Database = "sqlite" | "postgres";

const FORMATS: readonly Format[] = ["ndjson", "json", "csv"];
const ENDINGS: Readonly<Record<string, Format>> = { ndjson: "ndjson", jsonl: "ndjson", json: "json", csv: "csv" };
const COMPRESSIONS: Readonly<Record<string, Compression>> = { gz: "gzip", zst: "zstd" };

/** Endings that mean something else: NDJSON under such a name would only mislead. */
const OTHER =
  /\.(tsv|bz2|xz|zip|7z|tar|tgz|db|sqlite3?|parquet|avro|orc|xlsx?|ods|docx?|pdf|xml|html?|ya?ml)$|^postgres(ql)?:\/\//i;

/** The database that a path or URL names, if it names one. */
export function databaseOf(output: unknown): Database | undefined {
  if (typeof output !== "string") return undefined;
  if (/^postgres(ql)?:\/\//i.test(output)) return "postgres";
  return /\.(db|sqlite3?)$/i.test(output) ? "sqlite" : undefined;
}

/** The compression is by the ending alone; without a path there is none. */
export function compressionOf(path: string | undefined): Compression | undefined {
  return COMPRESSIONS[/\.(gz|zst)$/i.exec(path ?? "")?.[1]?.toLowerCase() ?? ""];
}

/**
 * The format that `format`, or else the ending before `.gz` or `.zst`, says; NDJSON where neither says any.
 *
 * @param where the call as the user wrote it, such as `read()`
 * @throws ConfigurationError for a format or an ending that is none of ours
 */
export function formatOf(path: string | undefined, format: Format | undefined, where: string): Format {
  if (format !== undefined) {
    if (FORMATS.includes(format)) return format;
    const known = FORMATS.map((name) => `"${name}"`).join(", ");
    throw failure("invalid_option", `${where}: \`format\` must be one of ${known}, got "${String(format)}".`);
  }
  const plain = (path ?? "").replace(/\.(gz|zst)$/i, "");
  const other = OTHER.exec(plain)?.[0];
  if (databaseOf(plain) !== undefined && plain !== path) {
    throw failure(
      "invalid_option",
      `${where}: ${path}: a database is not compressed. Leave out what follows "${other}".`,
    );
  }
  if (other === undefined) return ENDINGS[/\.(\w+)$/.exec(plain)?.[1]?.toLowerCase() ?? ""] ?? "ndjson";
  throw failure(
    "invalid_option",
    `${where}: ${path}: "${other}" is not supported in this version. Use NDJSON (.ndjson, .jsonl), JSON (.json) or CSV (.csv).`,
  );
}

/** The endings of a name that say its format and compression, `.csv.gz`; undefined where none does. */
export const formatEnding = (name: string): string | undefined =>
  /\.(?:ndjson|jsonl|json|csv)(?:\.(?:gz|zst))?$/i.exec(name)?.[0];
