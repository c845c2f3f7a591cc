/** What `--serve` opens: the course of a run, its metrics, and the server that shows them. */

import type { RunReport } from "../report.ts";
import { Course, type Letter, type Point } from "./course.ts";
import { listen } from "./listen.ts";
import { Metrics } from "./metrics.ts";
import { type Address, type RunningServer, startServer } from "./server.ts";
import { Viewers } from "./viewers.ts";
import type { LogLine } from "./wording.ts";

/** Between two looks at the report, ms. */
const TICK = 1_000;

export interface DashboardOptions {
  /** What is run, for the page's head. */
  readonly title: string;
  /** Between two looks at the report, ms. */
  readonly tick?: number;
}

/** How a run ended. */
export interface Outcome {
  readonly report: RunReport;
  /** What ended it early; undefined: it went to its end. */
  readonly error: { readonly message: string } | undefined;
}

export type RunState = "waiting" | "running" | "done" | "stopped";

/** What the page is sent. */
export interface Update {
  readonly title: string;
  readonly state: RunState;
  /** Why it was stopped. */
  readonly why: string | null;
  readonly report: RunReport | null;
  /** Failed attempts so far, by the code of their error. */
  readonly errors: Readonly<Record<string, number>>;
  /** The first of `points` is the page's `from`th; what it has from there on is to be forgotten. */
  readonly from: number;
  readonly points: readonly Point[];
  readonly log: readonly LogLine[];
  readonly letters: readonly Letter[];
}

/** What one page has. */
interface Seen {
  readonly step: number;
  readonly points: number;
  readonly log: number;
  readonly letters: number;
}

const NOTHING: Omit<Seen, "step"> = { points: 0, log: 0, letters: 0 };

/** The page of one run. */
export class Dashboard {
  readonly #title: string;
  readonly #tick: number;
  readonly #course = new Course();
  readonly #metrics = new Metrics();
  readonly #viewers = new Viewers<Seen>((seen) => this.#unseen(seen));
  readonly #deafen: () => void;
  #server: RunningServer | undefined;
  #report: (() => RunReport) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #state: RunState = "waiting";
  #why: string | null = null;

  private constructor({ title, tick = TICK }: DashboardOptions) {
    this.#title = title;
    this.#tick = tick;
    this.#deafen = listen({ call: (event) => this.#metrics.call(event) });
  }

  /** Listens, before the run begins. @throws ConfigurationError when it cannot listen there */
  static async open(address: Address, options: DashboardOptions): Promise<Dashboard> {
    const dashboard = new Dashboard(options);
    try {
      dashboard.#server = await startServer(address, {
        viewers: dashboard.#viewers,
        report: () => dashboard.#report?.() ?? null,
        health: () => ({ status: "ok", state: dashboard.#state }),
        metrics: () => dashboard.#scrape(),
      });
    } catch (error) {
      dashboard.#hush();
      throw error;
    }
    return dashboard;
  }

  get url(): string {
    return this.#server?.url ?? "";
  }

  /** From now on there is a run to look at. */
  follow(report: () => RunReport): void {
    this.#report = report;
    this.#state = "running";
    this.#look();
    this.#timer = setInterval(() => {
      this.#look();
      this.#viewers.send();
    }, this.#tick);
    this.#timer.unref();
  }

  /** Shows the final numbers, tells them to all pages, and closes. */
  async end({ report, error }: Outcome): Promise<void> {
    clearInterval(this.#timer);
    this.#report = () => report;
    this.#state = error === undefined ? "done" : "stopped";
    this.#why = error?.message ?? null;
    this.#look();
    this.#hush();
    await this.#viewers.end();
    await this.#server?.close();
  }

  #look(): void {
    if (this.#report !== undefined) this.#course.sample(this.#report(), Date.now() / 1_000);
  }

  #hush(): void {
    this.#deafen();
    this.#course.close();
  }

  #unseen(before: Seen | undefined): { message: string; seen: Seen } {
    const course = this.#course;
    const { step } = course;
    const { points: from, log, letters } = before?.step === step ? before : { ...NOTHING, ...before, points: 0 };
    const points = course.points(from);
    const update: Update = {
      title: this.#title,
      state: this.#state,
      why: this.#why,
      report: this.#report?.() ?? null,
      errors: course.errors,
      from,
      points,
      log: course.log.since(log),
      letters: course.letters.since(letters),
    };
    const seen = { step, points: from + points.length, log: course.log.count, letters: course.letters.count };
    return { message: JSON.stringify(update), seen };
  }

  async #scrape(): Promise<{ type: string; body: string }> {
    const type = this.#metrics.contentType;
    // Before the run begins there is nothing to count.
    return { type, body: this.#report === undefined ? "" : await this.#metrics.scrape(this.#report()) };
  }
}
