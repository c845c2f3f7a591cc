/** What the charts show, from the points of a run: pure. */

/** @typedef {import("../course.ts").Point} Point */
/** @typedef {{ label: string, color: string, fill?: boolean, dash?: boolean }} Line */
/** @typedef {{ lines: Line[], values: (number | null)[][] }} Drawn values: one list a line, as long as the points */
/** @typedef {{ id: string, title: string, unit: string, empty: string, format: "count" | "share" | "time" | "money" | "size", top?: number, most?: number, draw: (points: Point[]) => Drawn }} Chart */

/** Rates are taken over so many seconds at least, so that single calls do not make them jump. */
const OVER = 5;

/** Lines of one chart at most: more cannot be told apart. */
const MOST_LINES = 5;

const HUES = ["--blue", "--orange", "--green", "--violet", "--grey"];

/**
 * What a total grew by, a minute.
 *
 * @param {Point[]} points
 * @param {(point: Point) => number} total
 * @returns {(number | null)[]}
 */
export function perMinute(points, total) {
  let back = 0;
  return points.map((point, at) => {
    for (let next = points[back + 1]; back + 1 < at && next && next.time <= point.time - OVER; next = points[back + 1])
      back++;
    const since = points[back] ?? point;
    const seconds = point.time - since.time;
    return seconds <= 0 ? null : Math.max(0, ((total(point) - total(since)) / seconds) * 60);
  });
}

/**
 * The names with the largest totals; the rest is told together.
 *
 * @param {Readonly<Record<string, number>>} totals
 */
function largest(totals) {
  const names = Object.entries(totals)
    .sort(([, a], [, b]) => b - a)
    .map(([name]) => name);
  return names.length <= MOST_LINES
    ? { shown: names, rest: [] }
    : { shown: names.slice(0, MOST_LINES - 1), rest: names.slice(MOST_LINES - 1) };
}

/** @param {Point[]} points @returns {Drawn} */
function errors(points) {
  const { shown, rest } = largest(points.at(-1)?.errors ?? {});
  const lines = shown.map((code, at) => ({ label: code.replaceAll("_", " "), color: HUES[at] ?? "--grey" }));
  const values = shown.map((code) => perMinute(points, (point) => point.errors[code] ?? 0));
  if (rest.length === 0) return { lines, values };
  const sum = (/** @type {Point} */ point) => rest.reduce((total, code) => total + (point.errors[code] ?? 0), 0);
  return { lines: [...lines, { label: "others", color: "--grey" }], values: [...values, perMinute(points, sum)] };
}

/**
 * How far each limit is used: what is taken of it in a while, beside what it allows in that time.
 *
 * @param {Point[]} points
 * @returns {Drawn}
 */
function limits(points) {
  const newest = points.at(-1)?.limits ?? {};
  const uses = Object.keys(newest).map((name) => ({ name, values: useOf(points, name) }));
  const latest = (/** @type {(number | null)[]} */ values) => values.at(-1) ?? 0;
  const shown = uses.sort((a, b) => latest(b.values) - latest(a.values)).slice(0, MOST_LINES);
  // Sorted by name again, so that a line keeps its colour.
  shown.sort((a, b) => (a.name < b.name ? -1 : 1));
  const named = limitNames(Object.keys(newest));
  const lines = shown.map(({ name }, at) => ({ label: named(name), color: HUES[at] ?? "--grey" }));
  return { lines, values: shown.map(({ values }) => values) };
}

/** @param {Point[]} points @param {string} name */
function useOf(points, name) {
  const known = points.findIndex((point) => name in point.limits);
  const since = points.slice(known);
  const taken = perMinute(since, (point) => point.limits[name]?.spent ?? 0);
  const use = since.map((point, at) => {
    const allowed = point.limits[name]?.perMinute;
    const minute = taken[at] ?? null;
    return minute === null || !allowed ? null : minute / allowed;
  });
  return [...new Array(known).fill(null), ...use];
}

const KINDS = { requests: "requests", input: "input tokens", output: "output tokens", tokens: "tokens" };

/**
 * What a limit is called among others: with its provider and key only where there are several.
 *
 * @param {readonly string[]} names each `provider/lane/kind/from`
 * @returns {(name: string) => string}
 */
export function limitNames(names) {
  const partsOf = (/** @type {string} */ name) =>
    /^(.*)\/(\d+)\/(\w+)\/(\w+)$/.exec(name)?.slice(1) ?? [name, "", "", ""];
  const several = new Set(names.map((name) => partsOf(name).slice(0, 2).join("/"))).size > 1;
  return (name) => {
    const [provider, lane, kind, from] = partsOf(name);
    const what = `${KINDS[/** @type {keyof typeof KINDS} */ (kind)] ?? kind}${from === "own" ? " (own)" : ""}`;
    return several ? `${provider} ${lane}: ${what}` : what;
  };
}

/** @type {readonly Chart[]} */
export const CHARTS = [
  {
    id: "throughput",
    title: "Throughput",
    unit: "records a minute",
    empty: "No record has gone through yet.",
    format: "count",
    draw: (points) => ({
      lines: [
        { label: "written", color: "--blue", fill: true },
        { label: "failed", color: "--red" },
      ],
      values: [perMinute(points, ({ written }) => written), perMinute(points, ({ deadLettered }) => deadLettered)],
    }),
  },
  {
    id: "concurrency",
    title: "Calls in flight",
    unit: "at once",
    empty: "No call has been made yet.",
    format: "count",
    draw: (points) => ({
      lines: [
        { label: "in flight", color: "--blue", fill: true },
        { label: "allowed", color: "--grey", dash: true },
      ],
      values: [points.map(({ inFlight }) => inFlight), points.map(({ allowed }) => allowed)],
    }),
  },
  {
    id: "limits",
    title: "Limit use",
    unit: "of what a minute allows",
    empty: "The provider has told no limit.",
    format: "share",
    // What was saved up while nothing was sent may go at once, and would make the rest too small to read.
    top: 1,
    most: 1.5,
    draw: limits,
  },
  {
    id: "latency",
    title: "Latency",
    unit: "to the whole answer",
    empty: "No call has been answered yet.",
    format: "time",
    draw: (points) => ({
      lines: [
        { label: "median", color: "--blue" },
        { label: "95 %", color: "--orange" },
        { label: "99 %", color: "--violet" },
      ],
      values: [
        points.map(({ latency }) => latency?.p50 ?? null),
        points.map(({ latency }) => latency?.p95 ?? null),
        points.map(({ latency }) => latency?.p99 ?? null),
      ],
    }),
  },
  {
    id: "errors",
    title: "Failed attempts",
    unit: "a minute, by code",
    empty: "No attempt has failed.",
    format: "count",
    draw: errors,
  },
  {
    id: "cost",
    title: "Cost",
    unit: "US dollars so far",
    empty: "No price is known for what is asked.",
    format: "money",
    draw: (points) =>
      points.some(({ cost }) => cost !== null)
        ? { lines: [{ label: "so far", color: "--green", fill: true }], values: [points.map(({ cost }) => cost)] }
        : { lines: [], values: [] },
  },
  {
    id: "tokens",
    title: "Tokens",
    unit: "a minute",
    empty: "No token has been billed yet.",
    format: "count",
    draw: (points) => ({
      lines: [
        { label: "in", color: "--blue" },
        { label: "out", color: "--orange" },
      ],
      values: [
        perMinute(points, ({ inputTokens }) => inputTokens),
        perMinute(points, ({ outputTokens }) => outputTokens),
      ],
    }),
  },
  {
    id: "memory",
    title: "Memory",
    unit: "held by the process",
    empty: "Not known yet.",
    format: "size",
    draw: (points) => ({
      lines: [{ label: "resident", color: "--grey", fill: true }],
      values: [points.map(({ memory }) => memory)],
    }),
  },
];
