/** What the tests of READMEs share: their code blocks, and a shell in a folder that looks like the clone. */

import { spawn } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { endOf, folder, ROOT } from "./support.ts";

export const blocks = (text: string, language: string): string[] =>
  [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter(([, name]) => name === language).map(([, , code = ""]) => code);

/** A folder that looks like the clone: its sources and samples under the names that README uses. */
export function clone(): string {
  const cwd = folder();
  for (const name of ["package.json", "src", "samples", "pipelines", "node_modules"])
    symlinkSync(join(ROOT, name), join(cwd, name));
  return cwd;
}

export function shell(command: string, cwd: string, env: Record<string, string> = {}) {
  const path = `${join(ROOT, "node_modules/.bin")}:${process.env.PATH}`;
  // `npx millrace` in a clone is its own launcher.
  const script = command.replaceAll("npx millrace", `node ${join(ROOT, "src/cli/millrace.js")}`);
  return endOf(
    spawn("bash", ["-o", "pipefail", "-c", script], {
      cwd,
      env: { PATH: path, HOME: cwd, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
}
