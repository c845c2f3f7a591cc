/** The killer inputs of each format. Those of archives are made of them in the tests. */

import {
  bad,
  good,
  type Killer,
  killer,
  type Limits,
  latin1,
  MARK,
  noRecords,
  nothing,
  odd,
  type Part,
  row,
} from "./inputs.ts";

const LF = { between: "\n", after: "\n" } as const;

/** What breaks one line, but in an array all that follows. */
const brokenLines = (): Part[] => [
  bad("invalid_json", '{"content":'),
  bad("invalid_json", '{"content":"one"}{"content":"two"}'),
  bad("invalid_json", "\0"),
  bad("invalid_json", '{"content":"a raw \u0001"}'),
  bad("invalid_json", '{"content":"NUL \0"}'),
  bad("invalid_json", `${MARK}{"content":"a mark within the file"}`),
  bad("invalid_json", "plain text"),
];

const ndjson = (limits: Limits): Killer[] => {
  const make = (name: string, parts: Part[], joint: Parameters<typeof killer>[3] = LF) =>
    killer(name, "ndjson", parts, joint);
  const amid = (parts: Part[]) => parts.flatMap((part) => [part, good()]);
  return [
    make("a byte order mark", [good(), good()], { ...LF, before: MARK }),
    make("CRLF", [good(), nothing(), good()], { between: "\r\n", after: "\r\n" }),
    make("lone CRs", [bad("invalid_json", '{"id":1}\r{"id":2}\r{"id":3}')]),
    make("lone CRs without a line feed", [bad("truncated_line", '{"id":1}\r{"id":2}\r')], { between: "" }),
    make("blank lines", [nothing(), good(), nothing("  "), nothing("\t \r"), good(), nothing("\r")]),
    make("no last line feed", [good(), good()], { between: "\n" }),
    make("a last line that is cut", [good(), bad("truncated_line", '{"id":"x","cont')], { between: "\n" }),
    make("a last character that is cut", [good(), bad("truncated_line", latin1('{"id":"\xf0\x9f\x8e'))], {
      between: "\n",
    }),
    make("odd records", odd(limits)),
    make("lines that are no record", amid(noRecords(limits))),
    make("broken lines", amid(brokenLines())),
    make("nothing but a byte order mark", [], { before: MARK, between: "" }),
    make("nothing", [], { between: "" }),
  ];
};

const json = (limits: Limits): Killer[] => {
  const top = { before: "[\n", between: ",\n", after: "\n]\n" } as const;
  const amid = (parts: Part[]) => parts.flatMap((part) => [part, good()]);
  const make = (name: string, parts: Part[], joint: Parameters<typeof killer>[3] = top) =>
    killer(name, "json", parts, joint);
  const broken = (after: string, message: RegExp) => ({
    ...top,
    after,
    fault: { code: "source_failed", message },
  });
  const faults: [string, string, RegExp][] = [
    ["an item that is cut", ',\n{"id":"x","cont', /is cut in the middle of an item \(at byte \d+, after item 2\)/],
    ["no end", ",\n", /ends too early: it may be cut \(at byte \d+, after item 2\)/],
    ["an item that is no JSON", ',\n{"id" 1},\n{"id":"y","content":"z"}]', /is not valid JSON .*after item 2/],
    ["a raw NUL between items", "\0,\n", /is not valid JSON .*after item 2/],
    ["a raw control character", ',\n{"id":"\u0001"}]', /is not valid JSON .*after item 2/],
    ["no comma between items", '{"id":"y","content":"z"}]', /is not valid JSON .*after item 2/],
    ["two documents", '] [{"id":"y","content":"z"}]', /is not valid JSON .*after item 2/],
    ["one comma too many", ",,1]", /is not valid JSON .*after item 2/],
  ];
  const documents = [
    make("a byte order mark", [good(), good()], { ...top, before: `${MARK}[` }),
    make("CRLF", [good(), good()], { before: "[\r\n", between: " ,\r\n", after: "\r\n]\r\n" }),
    make("lone CRs", [good(), good()], { before: "[\r", between: ",\r", after: "\r]" }),
    make("all on one line", [good(), good(), bad("not_an_object", "7")], { before: "[", between: ",", after: "]" }),
    make("odd records", odd(limits)),
    make("items that are no record", amid(noRecords(limits))),
    make("an empty array", [], { before: "[", between: "", after: "]" }),
    ...faults.map(([name, after, message]) => make(name, [good(), good()], broken(after, message) as typeof top)),
    make("nothing", [], {
      between: "",
      fault: { code: "source_failed", message: /is empty \(at byte 0/ },
    }),
  ];
  return [...documents, ...nested(limits)];
};

/** The array lies at a path, among members that look like it. */
function nested(limits: Limits): Killer[] {
  const before =
    '{"items":[{"id":"not this"}],\n"__proto__":{"d\\u00e9j\\u00e0":[]},"data":{"note":"[{\\"}]",\n"items":[';
  const joint = { before, between: "\n,", after: ']},"items2":[{}]}\n', path: "data.items" } as const;
  const make = (name: string, parts: Part[], more: object = {}) =>
    killer(`${name}, at a path`, "json", parts, { ...joint, ...more });
  return [
    make("odd records", odd(limits)),
    make("items that are no record", noRecords(limits)),
    make("a document that is cut", [good()], {
      after: ']},"items2"',
      fault: { code: "source_failed", message: /ends too early: it may be cut/ },
    }),
    make("a path that matches nothing", [], {
      path: "data.none",
      fault: { code: "invalid_option", message: /matches nothing.*items/ },
    }),
    make("a document nested too deep", [], {
      before: '{"a":'.repeat(limits.maxDepth + 1),
      after: "",
      fault: { code: "source_failed", message: /nested deeper than/ },
    }),
  ];
}

const csv = (limits: Limits): Killer[] => {
  const header = { ...LF, before: "id,content\n" };
  const make = (name: string, parts: Part[], joint: Parameters<typeof killer>[3] = header) =>
    killer(name, "csv", parts, joint);
  const refused = { code: "invalid_option", message: /names "content" more than once/ } as const;
  return [
    make("a byte order mark", [row(), row()], { ...header, before: `${MARK}"id",content\n` }),
    make("CRLF", [row(), row()], { before: "id,content\r\n", between: "\r\n", after: "\r\n" }),
    make("lone CRs", [row(), bad("invalid_csv", "1,2,3\r"), row()], {
      before: "id,content\r",
      between: "\r",
      after: "\r",
    }),
    make("blank rows", [nothing(), row(), nothing(), row()]),
    make("line breaks, quotes and commas in fields", [row('"A storm\r\nhit, ""Oslo""\n\r."'), row('"\n"'), row()]),
    make("quotes within fields", [row('5" of rain'), row('"a "quoted" word"'), row()]),
    make("ragged rows", [row(), bad("invalid_csv", "1"), row(), bad("invalid_csv", "1,2,3"), row()]),
    make("a quote that is never closed", [row(), bad("truncated_line", 'x,"open\nand open,\n')], {
      ...header,
      after: "",
    }),
    make("a last row that is cut", [row(), bad("invalid_csv", "r9")], { ...header, after: "" }),
    make("no last line feed", [row(), row()], { ...header, after: "" }),
    make("odd text", [row("U+2028 \u2028 and U+0085 \u0085"), row("a NUL \0 and \u0001"), row("=1+1")]),
    make("bytes that are no UTF-8", [bad("invalid_utf8", latin1("1,Zo\xeb")), row()]),
    ...(limits.maxLineBytes === undefined
      ? []
      : [make("a row that is too long", [bad("line_too_long", `1,${"x".repeat(limits.maxLineBytes)}`), row()])]),
    make("a header that names __proto__", [row("A storm.,x"), row("Sun.,y")], {
      ...LF,
      before: "id,content,__proto__\n",
    }),
    make("a header that names a column twice", [], { ...LF, before: "id,content,content\n", fault: refused }),
    make("only a header", [], { before: "id,content", between: "" }),
    make("nothing", [], { between: "" }),
  ];
};

/** All of a format that can stand in one document that is read to its end. */
export function everything(limits: Limits): readonly Killer[] {
  const items = [...odd(limits), ...noRecords(limits)];
  const lines = [
    ...items,
    nothing(),
    nothing(" \t\r"),
    ...brokenLines(),
    good(),
    bad("truncated_line", '{"id":"x","cont'),
  ];
  const rows = [
    row('"A storm\r\nhit, ""Oslo""\n\r."'),
    nothing(),
    bad("invalid_csv", "1"),
    row("U+2028 \u2028 and U+0085 \u0085"),
    row("a NUL \0 and \u0001"),
    bad("invalid_utf8", latin1("1,Zo\xeb")),
    bad("invalid_csv", "1,2,3"),
    row(),
    bad("truncated_line", 'x,"open\nand open,\n'),
  ];
  return [
    killer("all lines", "ndjson", lines, { before: MARK, between: "\n" }),
    killer("all items", "json", items, { before: `${MARK}[\r\n`, between: "\r\n,", after: "]" }),
    killer("all items, at a path", "json", items, {
      before: '{"a":[1],\n"data":{"items":[',
      between: ",\n",
      after: "]}}",
      path: "data.items",
    }),
    killer("all rows", "csv", rows, { before: `${MARK}"id",content\n`, between: "\r\n" }),
  ];
}

export const killers = (limits: Limits): readonly Killer[] => [...ndjson(limits), ...json(limits), ...csv(limits)];
