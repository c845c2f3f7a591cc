/** A reader of CSV as RFC 4180 has it, that tells nothing (null) from quoted empty text and takes no liberties. */

export type CsvRow = readonly (string | null)[];

const FIELD = /"((?:[^"]|"")*)"|([^",\r\n]*)/y;

export function strictCsv(text: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let at = 0;
  while (at < text.length) {
    const row: (string | null)[] = [];
    for (;;) {
      FIELD.lastIndex = at;
      const [whole = "", quoted, bare] = FIELD.exec(text) ?? [];
      at += whole.length;
      row.push(quoted === undefined ? bare || null : quoted.replaceAll('""', '"'));
      if (text[at] !== ",") break;
      at++;
    }
    if (text[at] !== "\n") throw new Error(`no line end at ${at}: ${JSON.stringify(text.slice(at, at + 40))}`);
    at++;
    rows.push(row);
  }
  return rows;
}
