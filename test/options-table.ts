/** README's table of options and the schema of a report, made from their declarations. `npm run docs` writes them. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPORT_SCHEMA } from "../src/cli/report-schema.ts";
import { type OptionSpec, RUN_OPTIONS } from "../src/config/options.ts";

const README = join(import.meta.dirname, "../README.md");
const PLACE = /(<!-- options:[^>]*-->\n)[\s\S]*?(<!-- \/options -->)/;

export const readme = (): string => readFileSync(README, "utf8");

export function withTable(text: string): string {
  const cell = (words: string) => words.replaceAll("|", "\\|");
  const rows = (RUN_OPTIONS as readonly OptionSpec[]).map(({ flags, help, fallback, choices }) => {
    const among = choices === undefined ? "" : `: ${choices.join(", ")}`;
    return `| \`${cell(flags)}\` | ${cell(help + among)} | ${cell(fallback ?? "")} |\n`;
  });
  const table = `| option of \`analyze\` and \`run\` | meaning | default |\n|---|---|---|\n${rows.join("")}`;
  return text.replace(PLACE, (_, open: string, close: string) => `${open}${table}${close}`);
}

export const SCHEMA = join(import.meta.dirname, "../src/report.schema.json");

export const schemaText = (): string => `${JSON.stringify(REPORT_SCHEMA, null, 2)}\n`;

if (import.meta.main) {
  writeFileSync(README, withTable(readme()));
  writeFileSync(SCHEMA, schemaText());
}
