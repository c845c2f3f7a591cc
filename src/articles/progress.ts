/** How far a run over articles has come, as a line on stderr. */

import type { Progress } from "./run.ts";

const REDRAW_MS = 250;
const PLAIN_MS = 30_000;

/** One line: pure. @param elapsedMs since the run began */
export function progressText({ done, total, failed }: Progress, elapsedMs: number): string {
  const perSecond = elapsedMs > 0 ? (done * 1_000) / elapsedMs : 0;
  const of = total === undefined ? "" : ` of ${total} (${total === 0 ? 100 : Math.floor((done * 100) / total)} %)`;
  const left =
    total === undefined || perSecond === 0 || done >= total ? "" : `, ${time((total - done) / perSecond)} left`;
  return `${done}${of} articles, ${failed} failed, ${perSecond.toFixed(1)}/s${left}`;
}

function time(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min` : `${Math.ceil(seconds)} s`;
}

export interface ProgressLine {
  tell(progress: Progress): void;
  /** The last word. */
  end(): void;
}

/**
 * Redrawn in place on a terminal, at most four times a second; else a line every 30 s, and one at the end.
 *
 * @param write puts a text on stderr
 */
export function progressLine(write: (text: string) => void): ProgressLine {
  const inPlace = process.stderr.isTTY === true && process.env.TERM !== "dumb";
  const since = performance.now();
  let shownAt = since;
  let last: Progress | undefined;
  const line = (progress: Progress, end: string) => {
    const text = progressText(progress, performance.now() - since);
    write(inPlace ? `\r\u001b[2K${text}${end}` : `${text}\n`);
  };
  return {
    tell(progress) {
      last = progress;
      if (performance.now() - shownAt < (inPlace ? REDRAW_MS : PLAIN_MS)) return;
      shownAt = performance.now();
      line(progress, "");
    },
    end() {
      if (last !== undefined) line(last, "\n");
    },
  };
}
