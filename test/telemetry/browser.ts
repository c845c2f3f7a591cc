/** A real browser: one that npm brings for Linux, or one of the machine's own. */

import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** Quiet: nothing but the page itself goes over the network. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const OWN = [
  "/usr/bin/chromium",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** @throws when no browser can be had: a test that needs one must not pass without */
export async function launch(): Promise<Browser> {
  const faults: string[] = [];
  for (const find of [brought, ...OWN.map((path) => async () => path)]) {
    const executablePath = await find().catch((error: Error) => void faults.push(error.message));
    if (executablePath === undefined || !existsSync(executablePath)) continue;
    try {
      return await chromium.launch({ executablePath, args: FLAGS });
    } catch (error) {
      faults.push(`${executablePath}: ${(error as Error).message.split("\n")[0]}`);
    }
  }
  throw new Error(
    `No browser starts here, so that the page cannot be tried. Install Chromium or Chrome (as with apt-get install chromium).\n${faults.join("\n")}`,
  );
}

/** Built for Linux on x64; unpacked into the folder for temporary files when it is first asked for. */
async function brought(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const { default: packed } = await import("@sparticuz/chromium");
  return packed.executablePath();
}
