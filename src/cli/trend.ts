/** How fast a run goes lately, from its reports: pure, the clock is their `elapsedMs`. */

import type { LimitReport, RunReport } from "../index.ts";

/** What is told is a mean over so long, ms. */
const WINDOW = 60_000;

/** Reports nearer to one another than this say nothing new, ms. */
const STEP = 1_000;

/** Over less than this no rate is told, ms. */
const LEAST = 900;

export interface Rates {
  /** Records a second that were written, dropped or failed. */
  readonly records: number;
  readonly requestsPerMinute: number;
  /** Bytes of the input a second. */
  readonly bytes: number;
  /** Of the whole run, a ms. */
  readonly fraction: number;
}

const doneOf = ({ written, deadLettered, dropped }: RunReport): number => written + deadLettered + dropped;

/**
 * How much of a run is done, from 0 to 1; undefined where nobody knows how much there is. What was read but is still under
 * way is not done.
 *
 * @param limit records that are read at most
 */
function fractionOf(report: RunReport, limit: number | undefined): number | undefined {
  const { bytesRead, bytesTotal, read } = report;
  const part = read === 0 ? 0 : Math.min(1, doneOf(report) / read);
  const ofBytes = bytesTotal === null ? undefined : bytesTotal === 0 ? 1 : (bytesRead / bytesTotal) * part;
  const ofRecords = limit === undefined ? undefined : doneOf(report) / limit;
  if (ofBytes === undefined && ofRecords === undefined) return undefined;
  return Math.min(1, Math.max(ofBytes ?? 0, ofRecords ?? 0));
}

const keyOf = ({ provider, model, lane, kind, from }: LimitReport): string =>
  [provider, model, lane, kind, from].join(" ");

interface Sample {
  readonly report: RunReport;
  readonly fraction: number;
}

/** Remembers the reports of the last minute, at most one a second. */
export class Trend {
  readonly #limit: number | undefined;
  readonly #samples: Sample[] = [];
  #last: Sample | undefined;
  /** When a provider last asked to wait. */
  #toldAt: number | undefined;

  /** @param limit records that are read at most */
  constructor(limit?: number) {
    this.#limit = limit;
  }

  add(report: RunReport): void {
    const sample = { report, fraction: fractionOf(report, this.#limit) ?? 0 };
    if (report.rateLimited > (this.#last?.report.rateLimited ?? 0)) this.#toldAt = report.elapsedMs;
    this.#last = sample;
    const latest = this.#samples.at(-1)?.report.elapsedMs;
    if (latest !== undefined && report.elapsedMs - latest < STEP) return;
    this.#samples.push(sample);
    while (report.elapsedMs - (this.#samples[0]?.report.elapsedMs ?? 0) > WINDOW) this.#samples.shift();
  }

  get fraction(): number | undefined {
    return this.#last === undefined ? undefined : fractionOf(this.#last.report, this.#limit);
  }

  /** Ms since a provider last asked to wait. */
  get sinceTold(): number | undefined {
    if (this.#last === undefined || this.#toldAt === undefined) return undefined;
    return this.#last.report.elapsedMs - this.#toldAt;
  }

  get rates(): Rates | undefined {
    const { first, last, ms } = this.#span();
    if (first === undefined || last === undefined || ms < LEAST) return undefined;
    return {
      records: ((doneOf(last.report) - doneOf(first.report)) * 1_000) / ms,
      requestsPerMinute: ((last.report.requests - first.report.requests) * 60_000) / ms,
      bytes: ((last.report.bytesRead - first.report.bytesRead) * 1_000) / ms,
      fraction: (last.fraction - first.fraction) / ms,
    };
  }

  /** Ms to the end, as it goes lately; undefined while that cannot be said. */
  get left(): number | undefined {
    const { fraction, rates } = this;
    if (fraction === undefined || rates === undefined || rates.fraction <= 0) return undefined;
    return (1 - fraction) / rates.fraction;
  }

  /** What was taken of a limit in the last minute; a bucket that was full lets through more than a minute's worth. */
  taken(limit: LimitReport): number {
    const { first, last } = this.#span();
    const spentIn = (sample: Sample | undefined) =>
      sample?.report.limits.find((one) => keyOf(one) === keyOf(limit))?.spent ?? 0;
    return Math.max(0, spentIn(last) - spentIn(first));
  }

  #span(): { readonly first: Sample | undefined; readonly last: Sample | undefined; readonly ms: number } {
    const [first] = this.#samples;
    const last = this.#last;
    return { first, last, ms: (last?.report.elapsedMs ?? 0) - (first?.report.elapsedMs ?? 0) };
  }
}
