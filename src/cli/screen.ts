/**
 * A few lines at the foot of a terminal that are drawn anew in place. Whatever else is written to the terminal meanwhile,
 * by whomever, appears above them.
 */

import type { WriteStream } from "node:tty";
import stringWidth from "string-width";

/** At most four pictures a second, in whatever way they are asked for, ms. */
const REDRAW = 250;

const ERASE_LINE = "\u001b[K";
const ERASE_BELOW = "\u001b[J";
const up = (lines: number): string => (lines > 0 ? `\u001b[${lines}A` : "");

export class Screen {
  readonly #terminal: WriteStream;
  readonly #make: (columns: number) => readonly string[];
  readonly #timer: NodeJS.Timeout;
  readonly #restore: (() => void)[] = [];
  readonly #write: (text: string) => void;
  /** Widths of the lines that stand there now. */
  #drawn: readonly number[] = [];
  #drawnAt = Number.NEGATIVE_INFINITY;
  #soon: NodeJS.Timeout | undefined;
  /** Others have written half a line: nothing may be drawn behind it. */
  #midLine = false;
  #closed = false;

  /**
   * @param make gives the lines for a width, none wider than that
   * @param others streams that may lead to the same terminal
   */
  constructor(terminal: WriteStream, make: (columns: number) => readonly string[], others: readonly object[] = []) {
    this.#terminal = terminal;
    this.#make = make;
    this.#write = terminal.write.bind(terminal) as (text: string) => void;
    for (const stream of [terminal, ...others]) if (isTerminal(stream)) this.#stepAsideFor(stream);
    this.#timer = setInterval(() => this.#draw(), REDRAW);
    this.#timer.unref();
    this.#listen();
  }

  /** Takes the lines away, and everything back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
    this.#lift();
    for (const restore of this.#restore) restore();
  }

  #stepAsideFor(stream: WriteStream): void {
    const write = stream.write;
    const stepped = (...args: Parameters<typeof write>): boolean => {
      this.#lift();
      const [chunk] = args;
      if (chunk.length > 0) this.#midLine = typeof chunk === "string" ? !chunk.endsWith("\n") : chunk.at(-1) !== 10;
      this.#drawSoon();
      return write.apply(stream, args);
    };
    stream.write = stepped as typeof write;
    this.#restore.push(() => {
      stream.write = write;
    });
  }

  #listen(): void {
    const on = (target: NodeJS.EventEmitter, event: string, act: () => void) => {
      target.on(event, act);
      this.#restore.push(() => target.off(event, act));
    };
    on(this.#terminal, "resize", () => {
      this.#lift();
      this.#drawSoon();
    });
    on(process, "exit", () => this.close());
    const suspend = () => {
      this.#lift();
      // Without a listener the signal does what it does to any process.
      process.off("SIGTSTP", suspend);
      process.kill(process.pid, "SIGTSTP");
    };
    on(process, "SIGTSTP", suspend);
    on(process, "SIGCONT", () => {
      if (!process.listeners("SIGTSTP").includes(suspend)) process.on("SIGTSTP", suspend);
      // Another program may have left anything behind.
      this.#midLine = false;
      this.#drawSoon();
    });
  }

  #drawSoon(): void {
    if (this.#soon !== undefined || this.#closed) return;
    const wait = Math.max(0, this.#drawnAt + REDRAW - performance.now());
    this.#soon = setTimeout(() => this.#draw(), wait);
    this.#soon.unref();
  }

  #draw(): void {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    if (this.#closed || this.#midLine || performance.now() - this.#drawnAt < REDRAW * 0.9) return;
    const { columns, rows } = this.#size;
    const lines = this.#make(columns).slice(0, Math.max(1, rows - 1));
    const text = lines.map((line) => line + ERASE_LINE).join("\n");
    // One write, over what stands there: nothing flickers.
    this.#write(this.#toTop() + text + ERASE_BELOW);
    this.#drawn = lines.map((line) => stringWidth(line));
    this.#drawnAt = performance.now();
  }

  /** Takes the lines away until the next picture. */
  #lift(): void {
    if (this.#drawn.length === 0) return;
    this.#write(this.#toTop() + ERASE_BELOW);
    this.#drawn = [];
  }

  /** Some pseudo-terminals do not know theirs, and say 0. */
  get #size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#terminal;
    return { columns: columns || 80, rows: rows || 24 };
  }

  /** A terminal that was made narrower has wrapped what stood there. */
  #toTop(): string {
    const { columns } = this.#size;
    const rows = this.#drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return `\r${up(rows - 1)}`;
  }
}

const isTerminal = (stream: object): stream is WriteStream => "isTTY" in stream && stream.isTTY === true;
