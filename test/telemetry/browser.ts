/** A real browser: one that npm brings for Linux, with the libraries it wants, or one of the machine's own. */

import { execFileSync } from "node:child_process";
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createBrotliDecompress } from "node:zlib";
import { type Browser, chromium } from "playwright-core";
import { ROOT } from "../support.ts";

/** Quiet: nothing but the page itself goes over the network. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const OWN = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** A browser to try, and what it must find in its environment. */
interface Candidate {
  readonly executablePath: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The first browser that starts here; without one, an error that says what was tried. */
export async function launch(): Promise<Browser> {
  const faults: string[] = [];
  const own: Candidate[] = OWN.filter(existsSync).map((executablePath) => ({ executablePath }));
  const brought = await unpacked().catch((error: Error): Candidate[] => {
    faults.push(`@sparticuz/chromium: ${error.message}`);
    return [];
  });
  for (const { executablePath, env = {} } of [...brought, ...own]) {
    try {
      return await chromium.launch({ executablePath, args: FLAGS, env: { ...process.env, ...env } });
    } catch (error) {
      faults.push(`${executablePath}: ${reason(error as Error)}`);
    }
  }
  throw new Error(`install Chromium or Chrome (as with apt-get install chromium).\n${faults.join("\n")}`);
}

/** What the browser said for itself, when it said something: playwright's own first line is only that it has ended. */
const reason = ({ message }: Error): string =>
  (/error while loading.*|FATAL.*/.exec(message)?.[0] ?? message.split("\n")[0] ?? "").trim();

/**
 * What npm brings, built for Linux on x64 and unpacked once beside it, so that `npm ci` clears it away. First with the
 * machine's own libraries, then (a plain image has no NSS) with those packed with it for Amazon Linux.
 */
async function unpacked(): Promise<Candidate[]> {
  if (process.platform !== "linux" || process.arch !== "x64") return [];
  const packed = join(dirname(fileURLToPath(import.meta.resolve("@sparticuz/chromium"))), "../bin");
  const place = join(ROOT, "node_modules/.cache/millrace-browser");
  if (!existsSync(place)) {
    // Renamed when whole: one that was broken off is not taken for a browser.
    const partial = `${place}.${process.pid}`;
    try {
      mkdirSync(partial, { recursive: true });
      for (const name of ["chromium", "al2023.tar", "fonts.tar"]) {
        const file = createWriteStream(join(partial, name), { mode: 0o700 });
        await pipeline(createReadStream(join(packed, `${name}.br`)), createBrotliDecompress(), file);
        if (name.endsWith(".tar"))
          execFileSync("tar", ["-xf", name, "--no-same-owner"], { cwd: partial, stdio: "pipe" });
      }
      const fonts = `<fontconfig><dir>${place}/fonts</dir><cachedir>${place}/fonts-cache</cachedir></fontconfig>`;
      writeFileSync(join(partial, "fonts.conf"), `<?xml version="1.0"?>\n${fonts}\n`);
      renameSync(partial, place);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
  const executablePath = join(place, "chromium");
  const fonts: Record<string, string> = existsSync("/etc/fonts/fonts.conf")
    ? {}
    : { FONTCONFIG_FILE: join(place, "fonts.conf") };
  return [
    { executablePath, env: fonts },
    { executablePath, env: { ...fonts, LD_LIBRARY_PATH: join(place, "lib") } },
  ];
}
