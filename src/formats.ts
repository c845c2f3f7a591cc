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

export type ReadFormat = "ndjson" | "json" | "csv";

const READ_FORMATS: readonly ReadFormat[] = ["ndjson", "json", "csv"];

const READ_ENDINGS: Readonly<Record<string, ReadFormat>> = {
  ndjson: "ndjson",
  jsonl: "ndjson",
  json: "json",
  csv: "csv",
};

/** Endings that read() cannot take for text of any format. */
const NO_TEXT = /\.(tsv|bz2|xz|zip|7z|tar|tgz|db|sqlite|parquet|avro|xlsx?)$|^postgres(ql)?:\/\//i;

/**
 * The format of what is read, by the ending before `.gz` or `.zst`; NDJSON where the ending says nothing.
 *
 * @throws ConfigurationError for an ending that means another format, unless `format` says what it is.
 */
export function readingFormat(path: string, format: ReadFormat | undefined): ReadFormat {
  if (format !== undefined) {
    if (READ_FORMATS.includes(format)) return format;
    const known = READ_FORMATS.map((name) => `"${name}"`).join(", ");
    throw failure("invalid_option", `read(): \`format\` must be one of ${known}, got "${String(format)}".`);
  }
  const plain = path.replace(/\.(gz|zst)$/i, "");
  const ending = NO_TEXT.exec(plain)?.[0];
  if (ending === undefined) return READ_ENDINGS[/\.(\w+)$/.exec(plain)?.[1]?.toLowerCase() ?? ""] ?? "ndjson";
  throw failure(
    "invalid_option",
    `read(): ${path}: "${ending}" cannot be read. Use NDJSON (.ndjson, .jsonl), a JSON array (.json) or CSV (.csv), or give \`format\`.`,
  );
}
