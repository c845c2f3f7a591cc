/** Runs one of `loads/` in a process of its own and gives what it says. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The last line of its stdout, which is JSON. One that fails says so; it is not a measurement. */
export async function inProcess<Said>(file: string, args: readonly string[]): Promise<Said> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  // A bench that is stopped leaves nothing at work behind it.
  const end = () => child.kill();
  process.once("exit", end);
  let [said, complained] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complained = (complained + text).slice(-4_000);
  });
  const [code] = await once(child, "close");
  process.off("exit", end);
  if (code !== 0) throw new Error(`${file} ${args[0]} failed (exit ${code}): ${complained}`);
  return JSON.parse(said.trim().split("\n").at(-1) ?? "") as Said;
}
