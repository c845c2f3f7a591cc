/** What each field of a report means: the JSON Schema of `--report`, and of the `summary` event. `npm run docs` writes it to `src/report.schema.json`. */

import type { LaneReport, LimitReport, Percentiles, StageSummary } from "../index.ts";
import type { UsageTotal } from "../usage.ts";
import type { ReportFile } from "./report-file.ts";

interface Described {
  readonly description?: string;
  readonly [keyword: string]: unknown;
}

/** One entry for every field, or it does not compile. */
type Fields<T> = Readonly<Record<keyof T, Described>>;

const count = (description: string): Described => ({ type: "integer", minimum: 0, description });
const amount = (description: string): Described => ({ type: "number", minimum: 0, description });
const text = (description: string): Described => ({ type: "string", description });
const orNull = ({ type, ...rest }: Described): Described => ({ type: [type, "null"], ...rest });

const object = <T extends object>(description: string, properties: Fields<T>): Described => ({
  type: "object",
  description,
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

const list = (description: string, items: Described): Described => ({ type: "array", description, items });

const counts = (description: string, values: Described): Described => ({
  type: "object",
  description,
  additionalProperties: values,
});

const stage = object<StageSummary>("", {
  name: text("as `analyze`, `filter 2`"),
  in: orNull(count("records taken in; null: a stage of another make that could not be looked into")),
  out: orNull(count("records given on; of a sink, written")),
  dropped: count("left out on purpose"),
  deadLettered: count("failed"),
});

const lane = object<LaneReport>("", {
  provider: text("its name"),
  model: text("which was asked"),
  lane: count("which of the provider's keys, from 1"),
  inFlight: count("calls under way"),
  allowed: count("calls that may be under way at once, for now"),
  state: {
    enum: ["open", "paused", "outage", "closed"],
    description: "`paused`: all wait, because of refusals; `outage`: every call fails; `closed`: it gets no more calls",
  },
  pacePerMinute: orNull(amount("calls a minute that it carries, found by refusals; null: nothing was to be found")),
});

const limit = object<LimitReport>("", {
  provider: text("whose limit"),
  model: text("for which model"),
  lane: count("for which of the provider's keys, from 1"),
  kind: { enum: ["requests", "input", "output", "tokens"], description: "`tokens`: input and output together" },
  from: { enum: ["provider", "own"], description: "told by its answers, or set by an option" },
  perMinute: amount("what may be taken a minute"),
  spent: { type: "number", description: "what was taken since it became known, as the provider counts" },
  used: { type: "number", description: "that as a part of what it allowed; 1 is to the brim" },
});

const usage = object<UsageTotal>("Tokens billed, as the answers tell it; those of answers of no use included.", {
  inputTokens: count("all that was read, cached parts included"),
  outputTokens: count("written"),
  cacheReadTokens: count("part of the input that came from the vendor's cache"),
  cacheWriteTokens: count("part of the input that was put there"),
});

const latency = object<Percentiles>("Ms from sending a request to its whole answer; null: there was none.", {
  p50: amount("half of the answers took no longer"),
  p95: amount("19 of 20 took no longer"),
  p99: amount("99 of 100 took no longer"),
  max: amount("the longest"),
});

const fields: Fields<ReportFile> = {
  version: text("of millrace"),
  startedAt: { type: "string", format: "date-time", description: "when the run began, ISO 8601" },
  endedAt: { type: "string", format: "date-time", description: "when it ended" },
  exitCode: count("of the process"),
  error: {
    ...object<NonNullable<ReportFile["error"]>>("What ended the run before its end; null: nothing did.", {
      code: text("one of millrace's codes, as `authentication_failed`"),
      message: text("what happened, where, and what to do"),
    }),
    type: ["object", "null"],
  },
  read: count("records taken from the input, broken ones included"),
  bytesRead: count("bytes of the inputs that these were in, as they lie on disk, compressed where they are"),
  bytesTotal: orNull(count("of all inputs together; null where nobody knows, as of a pipe")),
  written: count("records written"),
  deadLettered: count("records that failed; they are in the dead letters"),
  failures: counts("the failed records by the code of their error", count("")),
  dropped: count("records left out on purpose"),
  unfinished: count("read, but neither written, failed nor dropped when the run ended before its end"),
  cached: count("records that made no call of their own: the answer was stored, or another record asked the same"),
  requests: count("requests sent to providers, every attempt counted"),
  inFlight: count("calls under way; 0 at the end"),
  allowed: count("calls that might be under way at once in the end"),
  waiting: count("calls that wait to start; 0 at the end"),
  heldBy: orNull(text("what holds the next of them back; null: nothing does")),
  backingOff: count("records that wait before their next attempt; 0 at the end"),
  lanes: list("the providers and keys that were called, as they stand", lane),
  retries: count("requests that repeated one that had met a fault"),
  rateLimited: count("answers that said to wait (429, 529)"),
  waitedMs: amount("time that records waited because they were told to, ms, summed over the records"),
  heldBackMs: counts(
    "ms in which the next call was held back, by cause: a limit (`requests`, `input`, `output`, `tokens`), `pace`, `pause`, `outage`, `concurrency`",
    amount(""),
  ),
  headOfLineMs: amount("ms lost to slow calls at the head of the line, when records leave in order"),
  peakConcurrency: count("most calls in flight at once at one provider"),
  limits: list("the limits that are known, and how far they were used", limit),
  latencyMs: { ...latency, type: ["object", "null"] },
  usage,
  unknownUsage: count(
    "requests whose answer never came whole (timeouts, lost connections, broken bodies, calls that a stop cut off): the provider may have billed them, `usage` and `cost` hold nothing of them",
  ),
  cost: orNull(amount("US dollars, by the usage that the answers told; null: a model's price is not known")),
  costAtMost: orNull(amount("that, and what the requests of `unknownUsage` may have cost besides")),
  pricesDate: orNull({
    type: "string",
    format: "date",
    description: "the day of the prices; null: they are none of a list",
  }),
  elapsedMs: amount("how long the run took"),
  stages: list("the stages in their order", stage),
  peakMemoryBytes: count("the most memory that the process had, resident"),
};

export const REPORT_SCHEMA = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "millrace: the report of a run",
  ...object<ReportFile>(
    "read = written + deadLettered + dropped + unfinished, unless a stage makes several records of one.",
    fields,
  ),
} as const;
