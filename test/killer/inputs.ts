/**
 * Inputs that kill other tools, and what each must come to. Most are put together of parts that say themselves what becomes
 * of them, so that the line and the byte of each are known without our own reading.
 */

import type { ErrorCode } from "../../src/errors.ts";
import type { Format } from "../../src/formats.ts";

/** What becomes of a part: its record's id, the code of its dead letter, or nothing. */
export interface Part {
  readonly bytes: Buffer;
  readonly id?: string;
  readonly code?: ErrorCode;
}

export interface Letter {
  readonly code: ErrorCode;
  readonly line: number;
  readonly byteOffset: number;
}

/** An input with what it must come to. */
export interface Killer {
  readonly name: string;
  readonly format: Format;
  /** Where the array lies in a JSON document. */
  readonly path?: string;
  readonly bytes: Buffer;
  readonly ids: readonly string[];
  readonly places: readonly Omit<Letter, "code">[];
  readonly letters: readonly Letter[];
  /** How the run ends when it does not end well. */
  readonly fault?: { readonly code: "source_failed" | "invalid_option"; readonly message: RegExp };
}

/** Limits that the inputs are made for: small, where each is cut at every byte. */
export interface Limits {
  readonly maxDepth: number;
  /** Absent: no input is too long. */
  readonly maxLineBytes?: number;
}

export const SMALL = { maxDepth: 8, maxLineBytes: 200 } as const satisfies Limits;

export const bytesOf = (text: string | Buffer): Buffer => (typeof text === "string" ? Buffer.from(text) : text);
export const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");
export const MARK = "\uFEFF";

let made = 0;
const CONTENT = "A storm hit Oslo.";

/** A record that is read, with further members as JSON text. */
export function good(more = "", content = JSON.stringify(CONTENT)): Part {
  const id = `r${++made}`;
  return { bytes: bytesOf(`{"id":"${id}","content":${content}${more}}`), id };
}

/** Put into the text of its record as bytes. */
export function bad(code: ErrorCode, text: string | Buffer): Part {
  return { bytes: bytesOf(text), code };
}
export const nothing = (text = ""): Part => ({ bytes: bytesOf(text) });

/** A row of CSV under `id,content`. */
export function row(content = CONTENT): Part {
  const id = `r${++made}`;
  return { bytes: bytesOf(`${id},${content}`), id };
}

interface Joint {
  readonly before?: string;
  readonly between: string;
  readonly after?: string;
  readonly fault?: NonNullable<Killer["fault"]>;
  readonly path?: string;
}

/** Lines end in LF, CRLF or a lone CR where the format takes that for one. */
const lineOf = (before: Buffer, format: Format): number => {
  const text = before.toString("latin1");
  return text.split(format === "csv" ? /\r\n|\n|\r/ : "\n").length;
};

export function killer(name: string, format: Format, parts: readonly Part[], joint: Joint): Killer {
  const { before = "", between, after = "", fault, path } = joint;
  let bytes = bytesOf(before);
  const places: { line: number; byteOffset: number; part: Part }[] = [];
  for (const [at, part] of parts.entries()) {
    if (at > 0) bytes = Buffer.concat([bytes, bytesOf(between)]);
    // A byte order mark belongs to the first line, and what a CR alone ends is no line of NDJSON.
    const byteOffset = format === "ndjson" && at === 0 ? 0 : bytes.length;
    places.push({ line: lineOf(bytes.subarray(0, byteOffset), format), byteOffset, part });
    bytes = Buffer.concat([bytes, part.bytes]);
  }
  bytes = Buffer.concat([bytes, bytesOf(after)]);
  const place = ({ line, byteOffset }: { line: number; byteOffset: number }) => ({ line, byteOffset });
  return {
    name,
    format,
    bytes,
    ids: parts.flatMap(({ id }) => id ?? []),
    places: places.filter(({ part }) => part.id !== undefined).map(place),
    letters: places.flatMap((one) => (one.part.code === undefined ? [] : { code: one.part.code, ...place(one) })),
    ...(fault === undefined ? {} : { fault }),
    ...(path === undefined ? {} : { path }),
  };
}

const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

/** What a text may hold and stay a record. */
export const odd = ({ maxDepth }: Limits): Part[] => [
  good("", '"U+2028 \u2028, U+2029 \u2029 and U+0085 \u0085 end no line."'),
  good("", '"Half a pair \\ud83d of it."'),
  good("", '"An escaped NUL \\u0000 in Oslo."'),
  good(',"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}'),
  good(',"big":12345678901234567890,"more":[-9007199254740993],"huge":1e400'),
  good(`,"deep":${deep(maxDepth - 1)}`),
  good(`,"brackets":"${"[{".repeat(maxDepth)}"`),
  good(',"\\"quo\\\\te":"\\\\\\""'),
  { bytes: bytesOf('{"id":"twin","content":"The first of two."}'), id: "twin" },
  { bytes: bytesOf('{"id":"twin","content":"The second of two."}'), id: "twin" },
];

/** What is no record, as a line or as an item of an array. */
export const noRecords = ({ maxDepth, maxLineBytes }: Limits): Part[] => [
  bad("not_an_object", "null"),
  bad("not_an_object", "[1]"),
  bad("not_an_object", '"text"'),
  bad("not_an_object", "-7.5e3"),
  bad("not_an_object", "true"),
  bad("invalid_utf8", latin1('{"content":"Zo\xeb"}')),
  bad("invalid_utf8", latin1('{"content":"a surrogate \xed\xa0\xbd"}')),
  bad("invalid_utf8", latin1('{"content":"overlong \xc0\x80"}')),
  bad("too_deep", deep(maxDepth + 1)),
  ...(maxLineBytes === undefined ? [] : [bad("line_too_long", JSON.stringify({ content: "x".repeat(maxLineBytes) }))]),
];
