/** How far a run has come, shown on stderr: a panel on a terminal, a line now and then elsewhere, events with `--json`. */

import type { WriteStream } from "node:tty";
import type { RunReport } from "../index.ts";
import type { Log } from "./log.ts";
import { panelLines } from "./panel.ts";
import { Screen } from "./screen.ts";
import { progressLine } from "./summary.ts";
import { Trend } from "./trend.ts";

const PLAIN_MS = 30_000;
const EVENT_MS = 5_000;

export interface ProgressFacts {
  readonly how: "auto" | "line" | "none";
  readonly log: Log;
  /** What is read, in a word. */
  readonly label: string;
  /** Records that are read at most. */
  readonly limit: number | undefined;
}

/** Shows how far a run has come until the returned function is called. */
export function showProgress(report: () => RunReport, { how, log, label, limit }: ProgressFacts): () => void {
  if (how === "none" || !log.hears("info")) return () => {};
  const trend = new Trend(limit);
  const terminal = process.stderr;
  if (how === "auto" && !log.json && terminal.isTTY && process.env.TERM !== "dumb") {
    const color = colors(terminal);
    const ascii = asciiOnly(process.env);
    const screen = new Screen(
      terminal,
      (columns) => {
        const now = report();
        trend.add(now);
        return panelLines({ report: now, trend, label, columns, memory: process.memoryUsage.rss(), color, ascii });
      },
      [process.stdout],
    );
    return () => screen.close();
  }
  const tell = () => {
    const now = report();
    trend.add(now);
    const { fraction, left } = trend;
    log.tell({
      level: "info",
      event: "progress",
      text: progressLine(now, { fraction, left }),
      facts: { fraction: fraction ?? null, leftMs: left === undefined ? null : Math.round(left), ...now },
    });
  };
  const timer = setInterval(tell, log.json ? EVENT_MS : PLAIN_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** As `NO_COLOR` and its companions have it. */
const colors = (terminal: WriteStream): boolean => !process.env.NO_COLOR && terminal.hasColors();

/** A locale that is named and is none of UTF-8. */
function asciiOnly({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG || "UTF-8";
  return !/utf-?8/i.test(locale);
}
