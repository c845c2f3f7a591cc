/** What a row of the bench is: some work, what was measured of it, and what must come out. */

/** Numbers by their column; a column's name holds its unit. */
export interface Line {
  readonly who: string;
  readonly columns: Readonly<Record<string, number>>;
}

/** One of the claims that millrace makes: a number within its bounds. */
export interface Bar {
  readonly row: string;
  readonly what: string;
  readonly value: number;
  readonly least?: number;
  readonly most?: number;
}

export interface Outcome {
  readonly lines: readonly Line[];
  readonly bars: readonly Bar[];
  /** Every single run, as it was measured. */
  readonly runs: unknown;
}

/** Everything the command was told. */
export interface Context {
  readonly folder: string;
  /** The module that is `millrace`, as an address. */
  readonly millrace: string;
  readonly runs: number;
  readonly seed: number;
  /** Which peers take part. */
  readonly peers: readonly string[];
  /** Of what the row has by itself; 1 for all of it. */
  readonly scale: number;
  readonly latency: number;
  readonly concurrency: number;
  /** The largest input of row g. */
  readonly records: number;
  readonly said: (text: string) => void;
}

export interface Row {
  readonly title: string;
  readonly run: (context: Context) => Promise<Outcome>;
}

export const holds = ({ value, least, most }: Bar): boolean =>
  value >= (least ?? Number.NEGATIVE_INFINITY) && value <= (most ?? Number.POSITIVE_INFINITY);

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[half] as number) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}
