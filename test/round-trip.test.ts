/** Records from NDJSON to another format and back: equal, or a dead letter for a reason that is listed here. */

import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Format } from "../src/formats.ts";
import { pipeline } from "../src/pipeline.ts";
import { type WriteOptions, write } from "../src/sinks/write.ts";
import { read } from "../src/sources/read.ts";
import { letterBox } from "./streams.ts";

/** Why a record may be a dead letter on its way. In NDJSON and JSON only the first. */
const REASONS = {
  "a number beyond a double": /is -?Infinity, which JSON has no number for/,
  "no fields": /^The record cannot be written as CSV: it has no fields/,
  "two fields of one path": /^Two fields of the record would be the column/,
  "two names of one column, defused": /would be one column, defused against formulas/,
  "half a surrogate pair": /holds half a surrogate pair, which UTF-8 has no way to write/,
} as const;
type Reason = keyof typeof REASONS;

async function through(input: string, from: Format, options: WriteOptions & { readonly format: Format }) {
  const { letters, stream: deadLetters } = letterBox();
  const stream = new PassThrough();
  const run = pipeline(read([Buffer.from(input)], { format: from }), write(stream, options), { deadLetters });
  const [output, report] = await Promise.all([text(stream), run]);
  const reasons = letters.map(({ error, source }) => {
    const reason = (Object.keys(REASONS) as Reason[]).find((one) => REASONS[one].test(error.message));
    return { reason: reason ?? `not listed: ${error.message}`, line: source?.line };
  });
  expect(report.read).toBe(report.written + reasons.length);
  return { output, reasons };
}

const linesOf = (output: string): string[] => output.split("\n").slice(0, -1);

/** JSON text of members that are hard to carry. */
const literal: fc.Arbitrary<string> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
  fc.string({ unit: "binary" }).map((value) => JSON.stringify(value)),
  fc
    .string({
      unit: fc.constantFrom('"', ",", "\n", "\r", "\t", "'", "=", "+", "@", "-", "1", " ", "\uFEFF", "é", "🎉"),
    })
    .map((value) => JSON.stringify(value)),
  fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.constantFrom(
    "1e400",
    "-1e400",
    '"\\ud83d"',
    '"\\udca9x"',
    "[[1],[{}]]",
    "{}",
    "[]",
    '""',
    "null",
    "-0",
    "1.0",
    "1E2",
  ),
  fc.constantFrom('"=1+1"', '"-5"', '"+1.5e3"', '"\\u0000"', '"\\u2028"', '{"__proto__":{"x":1}}', '{"b":{"b":1}}'),
);
const name = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b", ".", ",", '"', "\n", "=", "'", " ", "\uFEFF"), maxLength: 3 }),
  fc.constantFrom("__proto__", "constructor", "toString", "length", "0", "é", "\ud83d", "id"),
);
const line = fc
  .uniqueArray(fc.tuple(name, literal), { selector: ([key]) => key, maxLength: 5 })
  .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(",")}}`);
const lines = fc.array(line, { maxLength: 8 });

/** What NDJSON makes of the lines: the records that all else is compared with. */
async function canonical(given: readonly string[]) {
  const { output, reasons } = await through(given.map((one) => `${one}\n`).join(""), "ndjson", { format: "ndjson" });
  return { records: linesOf(output), reasons };
}

const INTEGER = /^-?\d+$/;

/** An integer that would print with other digits than it was given with is a string of those. */
function exact(_key: string, value: unknown, { source }: { readonly source: string }): unknown {
  const integer = typeof value === "number" && INTEGER.test(source);
  return integer && !Number.isSafeInteger(value) && String(value) !== source ? source : value;
}

const parsed = (one: string): unknown => JSON.parse(one, exact as Parameters<typeof JSON.parse>[1]);

describe("random records", () => {
  test("come through NDJSON as they were, but for numbers beyond a double", async () => {
    await fc.assert(
      fc.asyncProperty(lines, async (given) => {
        const { records, reasons } = await canonical(given);
        const huge = given.flatMap((one, at) => (/(?<!")-?1e400/.test(one) ? [at + 1] : []));
        expect(reasons).toEqual(huge.map((at) => ({ reason: "a number beyond a double", line: at })));
        const kept = given.filter((_, at) => !huge.includes(at + 1));
        expect(records).toEqual(kept.map((one) => JSON.stringify(parsed(one))));
      }),
      { numRuns: 300 },
    );
  });

  test("come through a JSON array byte for byte", async () => {
    await fc.assert(
      fc.asyncProperty(lines, async (given) => {
        const { records } = await canonical(given);
        const array = await through(records.map((one) => `${one}\n`).join(""), "ndjson", { format: "json" });
        const back = await through(array.output, "json", { format: "ndjson" });
        expect([...array.reasons, ...back.reasons]).toEqual([]);
        expect(linesOf(back.output)).toEqual(records);
        expect(JSON.parse(array.output)).toEqual(records.map((one) => JSON.parse(one)));
      }),
      { numRuns: 300 },
    );
  });

  for (const formulas of ["keep", "defuse"] as const) {
    test(`come through CSV as the text of each field, formulas ${formulas === "keep" ? "kept" : "defused"}`, async () => {
      await fc.assert(
        fc.asyncProperty(lines, async (given) => {
          const { records } = await canonical(given);
          const csv = await through(records.map((one) => `${one}\n`).join(""), "ndjson", { format: "csv", formulas });
          const back = await through(csv.output, "csv", { format: "ndjson" });
          expect(back.reasons).toEqual([]);
          const { rows, reasons } = expected(
            records.map((one) => JSON.parse(one)),
            formulas,
          );
          expect(csv.reasons).toEqual(reasons);
          expect(linesOf(back.output).map((one) => Object.entries(JSON.parse(one)))).toEqual(rows);
        }),
        { numRuns: 400 },
      );
    });
  }
});

/** Said once more, in its own words: `README.md`, "CSV". */
function expected(records: readonly object[], formulas: "keep" | "defuse") {
  const columns = new Map<string, string>();
  const kept: Map<string, string>[] = [];
  const reasons: { reason: Reason; line: number }[] = [];
  for (const [at, record] of records.entries()) {
    const cells = cellsOf(record, "", 8);
    const reason = reasonAgainst(cells, columns, formulas);
    if (reason !== undefined) {
      reasons.push({ reason, line: at + 1 });
      continue;
    }
    for (const [path] of cells) columns.set(defused(path, formulas), path);
    kept.push(new Map(cells.map(([path, value]) => [path, shown(value, formulas)])));
  }
  // An object puts keys that are whole numbers first.
  const order = Object.keys(Object.fromEntries([...columns.keys()].map((title) => [title, 1])));
  const rows = kept.map((cells) => order.map((title) => [title, cells.get(columns.get(title) as string) ?? ""]));
  return { rows, reasons };
}

type Cells = readonly (readonly [path: string, value: unknown])[];

function cellsOf(value: object, before: string, levels: number): Cells {
  return Object.entries(value).flatMap(([key, field]): Cells => {
    const path = before + key;
    const plain = typeof field === "object" && field !== null && !Array.isArray(field);
    const nested = plain && levels > 1 && Object.keys(field).length > 0;
    return nested ? cellsOf(field, `${path}.`, levels - 1) : [[path, field]];
  });
}

function reasonAgainst(
  cells: Cells,
  columns: ReadonlyMap<string, string>,
  formulas: "keep" | "defuse",
): Reason | undefined {
  const paths = cells.map(([path]) => path);
  if (new Set(paths).size < paths.length) return "two fields of one path";
  if (paths.length === 0) return "no fields";
  const half = ([path, value]: Cells[number]) =>
    !path.isWellFormed() || !(typeof value !== "string" || value.isWellFormed());
  if (cells.some(half)) return "half a surrogate pair";
  const titles = new Map(columns);
  for (const path of paths) {
    const title = defused(path, formulas);
    if ((titles.get(title) ?? path) !== path) return "two names of one column, defused";
    titles.set(title, path);
  }
  return undefined;
}

function shown(value: unknown, formulas: "keep" | "defuse"): string {
  if (value === null) return "";
  if (typeof value === "string") return defused(value, formulas);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function defused(value: string, formulas: "keep" | "defuse"): string {
  const number = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value);
  return formulas === "defuse" && /^[=+\-@\t\r\n＝＋－＠]/.test(value) && !number ? `'${value}` : value;
}
