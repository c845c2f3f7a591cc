/** `millrace init [dir]`: a first pipeline that runs at once, without a key or a network. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { failure } from "../errors.ts";
import { makeFolder } from "../folder.ts";
import { EXIT } from "./exit.ts";
import { initFiles } from "./init-files.ts";

/**
 * Writes what is not there yet and leaves alone what is.
 *
 * @returns the exit code. @throws ConfigurationError when the folder cannot be made or written to
 */
export async function initCommand(folder: string): Promise<number> {
  const written: string[] = [];
  const left: string[] = [];
  try {
    await makeFolder(folder);
    for (const [name, text] of initFiles()) (madeAnew(join(folder, name), text) ? written : left).push(name);
  } catch (cause) {
    const why = (cause as Error).message;
    throw failure("invalid_option", `${folder} cannot be made a project's folder: ${why}`, { cause });
  }
  const lines = told({ folder, written, left }, process.env.npm_command === "exec" ? "npx millrace" : "millrace");
  await new Promise<void>((resolve) => process.stdout.write(`${lines.join("\n")}\n`, () => resolve()));
  return EXIT.finished;
}

/** Whether it was written; whatever has that name, a dangling link too, stays as it is. */
function madeAnew(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

interface Done {
  readonly folder: string;
  readonly written: readonly string[];
  readonly left: readonly string[];
}

/** What was done, and what to type next. */
function told({ folder, written, left }: Done, millrace: string): readonly string[] {
  return [
    ...(written.length === 0 ? [] : [`Written${folder === "." ? "" : ` in ${folder}`}: ${written.join(", ")}`]),
    ...(left.length === 0 ? [] : [`There already, and left alone: ${left.join(", ")}`]),
    "",
    "Next, offline and for nothing:",
    "",
    ...(folder === "." ? [] : [`  cd ${quoted(folder)}`]),
    `  ${millrace} run pipeline.ts articles.ndjson -o out/rows.ndjson`,
    `  ${millrace} analyze articles.ndjson -o out/analyses.ndjson`,
    `  ${millrace} analyze --print-config`,
    "",
    "Then with a model: set ANTHROPIC_API_KEY (or OPENAI_API_KEY, MISTRAL_API_KEY) in the environment, write that provider",
    `into millrace.yaml, and run the same. \`${millrace} check\` says whether the key works.`,
  ];
}

/** For a shell. */
const quoted = (path: string): string => {
  const plain = path.startsWith("-") ? `./${path}` : path;
  return /^[\w./@%+=:,-]+$/.test(plain) ? plain : `'${plain.replaceAll("'", "'\\''")}'`;
};
