/** One input after the other: each is opened when the one before it has ended. */

import { fstatSync } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { failure } from "../errors.ts";
import { type Format, formatOf } from "../formats.ts";
import type { DecompressLimits } from "./decompress.ts";
import { filesOf, mayBePattern } from "./files.ts";
import { guardInput, type Input, type OpenInput, openInput } from "./input.ts";

export interface Formats {
  /** Of every input, whatever its ending. */
  readonly format: Format | undefined;
  /** Only a JSON document has one. */
  readonly path: string | undefined;
}

export interface Opened extends OpenInput {
  readonly format: Format;
}

/** What a `read()` reads. Nothing is opened before it is asked for. */
export class Several {
  readonly #names: readonly string[] | undefined;
  readonly #input: Input;
  readonly #formats: Formats;
  readonly #limits: DecompressLimits;
  /** Bytes of all inputs together; null where nobody knows. */
  bytes: number | null = null;
  #left: Iterator<{ readonly input: Input; readonly format: Format }> | undefined;
  readonly #unopened: () => void;

  /** @throws ConfigurationError for names and formats that cannot be read, as far as that shows before looking. */
  constructor(input: Input, formats: Formats, limits: DecompressLimits) {
    this.#input = input;
    this.#names = namesOf(input);
    this.#formats = formats;
    this.#limits = limits;
    const sure = this.#names?.some(mayBePattern) !== true;
    formatsOf(this.#names ?? [undefined], sure ? formats : { ...formats, path: undefined });
    this.#unopened = guardInput(input);
  }

  /** Whether a fault must say which of them it is in. */
  get several(): boolean {
    return this.#names !== undefined && (this.#names.length > 1 || this.#names.some(mayBePattern));
  }

  /** Whether a fault in opening may be one of the name. An iterable's errors are its own. */
  get named(): boolean {
    return this.#names !== undefined || this.#input instanceof Readable;
  }

  /** @throws ConfigurationError at the first call when any of the files cannot be read. */
  async next(): Promise<Opened | undefined> {
    this.#left ??= (await this.#looked()).values();
    const { done, value } = this.#left.next();
    return done === true ? undefined : { ...openInput(value.input, this.#limits), format: value.format };
  }

  async #looked(): Promise<{ readonly input: Input; readonly format: Format }[]> {
    const { format } = this.#formats;
    if (this.#names === undefined) return [{ input: this.#input, format: formatOf(undefined, format, "read()") }];
    const files = await filesOf(this.#names);
    this.bytes = await sizeOf(files);
    const formats = formatsOf(files, this.#formats);
    return files.map((file, at) => ({ input: file, format: formats[at] as Format }));
  }

  /** Lets go of what was not opened. */
  close(): void {
    if (this.#left === undefined) this.#unopened();
    this.#left = [].values();
  }
}

/** Null where one of them is no file, as a pipe. */
async function sizeOf(files: readonly string[]): Promise<number | null> {
  let size = 0;
  for (const file of files) {
    // stdin may be a file as well: `millrace analyze < articles.ndjson`.
    const is = file === "-" ? fstatSync(0) : await stat(file);
    if (!is.isFile()) return null;
    size += is.size;
  }
  return size;
}

/** No path that anybody has, but what a file holds. */
const TEXT = /^$|[\r\n]|^\s*[[{]\s*["[{]/;

/** Strings name files; everything else holds what is read. */
function namesOf(input: Input): readonly string[] | undefined {
  if (typeof input === "string") return [input];
  if (!Array.isArray(input) || input.length === 0) return undefined;
  if (!input.every((item): item is string => typeof item === "string")) return undefined;
  if (!input.some((name) => TEXT.test(name))) return input;
  throw failure(
    "invalid_option",
    "read(): an array of strings is a list of paths, and one of these is text. Give text as Readable.from(texts).",
  );
}

function formatsOf(names: readonly (string | undefined)[], { format, path }: Formats): Format[] {
  const formats = names.map((name) => formatOf(name, format, "read()"));
  if (path === undefined || (typeof path === "string" && path !== "" && formats.includes("json"))) return formats;
  throw failure(
    "invalid_option",
    'read(): `path` is a dotted path, as "data.articles", in a JSON document (format "json").',
  );
}
