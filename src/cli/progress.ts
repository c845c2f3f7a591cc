/** The progress line on stderr. */

import type { RunReport } from "../index.ts";
import { progressLine } from "./summary.ts";

const REDRAW_MS = 250;
const PLAIN_MS = 30_000;

/** Shows how far a run has come until the returned function is called. */
export function showProgress(report: () => RunReport, how: "auto" | "line" | "none"): () => void {
  if (how === "none") return () => {};
  const inPlace = how === "auto" && process.stderr.isTTY && process.env.TERM !== "dumb";
  const draw = inPlace
    ? () => process.stderr.write(`\r\u001b[2K${progressLine(report()).slice(0, (process.stderr.columns ?? 80) - 1)}`)
    : () => process.stderr.write(`${progressLine(report())}\n`);
  const timer = setInterval(draw, inPlace ? REDRAW_MS : PLAIN_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    if (inPlace) process.stderr.write("\r\u001b[2K");
  };
}
