/** Spans and metrics of OpenTelemetry, from what a run publishes. */

import { createRequire } from "node:module";
import type * as OpenTelemetry from "@opentelemetry/api";
import type { Attributes, Context, Meter, Span, Tracer } from "@opentelemetry/api";
import { failure } from "../errors.ts";
import type { CallEvent, RecordEvent } from "../events.ts";
import { checkKeys } from "../options.ts";
import { listen } from "./listen.ts";
import {
  ATTRIBUTES,
  DURATION_BUCKETS,
  OPERATION,
  OWN,
  PROVIDERS,
  type Spelling,
  spellingOf,
  TOKEN_BUCKETS,
} from "./semantics.ts";

export interface ObserveOptions {
  /** Gets a span for each record and, under it, one for each attempt. Default: the globally registered one's. */
  readonly tracer?: Tracer;
  /** Gets token usage and duration of each attempt. Default: the globally registered one's. */
  readonly meter?: Meter;
}

const NAME = "millrace";

/** Loaded with the first who asks for it. The copy does not matter: what is registered is shared by all of them. */
const load = () => createRequire(import.meta.url)("@opentelemetry/api") as typeof OpenTelemetry;

/**
 * Tells OpenTelemetry of all runs of this process, by its conventions for generative AI: a span `chat {model}` for each
 * attempt, under one for its record; `gen_ai.client.token.usage` and `gen_ai.client.operation.duration`. With
 * `OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental` their newer names. Prompts, answers and keys are in none of
 * them. Given one of `tracer` and `meter`, only that is told; given none, whatever is registered globally.
 *
 * @returns ends it
 * @throws ConfigurationError for what is no tracer or meter
 */
export function observe(options: ObserveOptions = {}): () => void {
  checkKeys(options, ["tracer", "meter"], "observe()");
  if (options.tracer !== undefined && typeof options.tracer.startSpan !== "function") throw unfit("tracer");
  if (options.meter !== undefined && typeof options.meter.createHistogram !== "function") throw unfit("meter");
  const api = load();
  const global = options.tracer === undefined && options.meter === undefined;
  const tracer = global ? api.trace.getTracer(NAME) : options.tracer;
  const meter = global ? api.metrics.getMeter(NAME) : options.meter;
  const spelling = spellingOf(process.env.OTEL_SEMCONV_STABILITY_OPT_IN);
  const spans = tracer && spansBy(tracer, { api, spelling });
  const measure = meter && metersBy(meter, spelling);
  return listen({
    ...(spans === undefined ? {} : { record: spans.record }),
    call(event) {
      const attributes = attributesOf(event);
      spans?.call(event, attributes);
      measure?.(event, attributes);
    },
  });
}

const unfit = (name: "tracer" | "meter") =>
  failure("invalid_option", `observe(): \`${name}\` must be a ${name} of @opentelemetry/api.`);

/** What spans and metrics both say of an attempt. */
function attributesOf({ provider, model, baseURL, answer, error }: CallEvent): Attributes {
  const url = baseURL === undefined ? null : URL.parse(baseURL);
  return {
    [ATTRIBUTES.operation]: OPERATION,
    [ATTRIBUTES.provider]: PROVIDERS[provider] ?? provider,
    [ATTRIBUTES.requestModel]: model,
    ...(answer === undefined ? {} : { [ATTRIBUTES.responseModel]: answer.model }),
    ...(error === undefined ? {} : { [ATTRIBUTES.errorType]: error.code ?? "aborted" }),
    ...(url === null ? {} : { [ATTRIBUTES.serverAddress]: url.hostname, [ATTRIBUTES.serverPort]: portOf(url) }),
  };
}

const portOf = ({ port, protocol }: URL): number => (port === "" ? (protocol === "http:" ? 80 : 443) : Number(port));

interface SpanSetup {
  readonly api: typeof OpenTelemetry;
  readonly spelling: Spelling;
}

function spansBy(tracer: Tracer, { api, spelling }: SpanSetup) {
  const { context, trace, SpanKind, SpanStatusCode } = api;
  const around = context.active();
  /** Those of the records under way; kept by them, so that one whose end is never told goes with its record. */
  const records = new WeakMap<object, Span>();
  const outer = (): Context => (trace.getSpan(context.active()) === undefined ? around : context.active());

  const record = ({ stage, record, source, time, end }: RecordEvent): void => {
    if (end === undefined) {
      const place = source === null ? {} : { [OWN.file]: source.file, [OWN.line]: source.line };
      const attributes = { [OWN.stage]: stage, ...place };
      records.set(record, tracer.startSpan(stage, { startTime: time, attributes }, outer()));
      return;
    }
    const span = records.get(record);
    if (span === undefined) return;
    records.delete(record);
    span.setAttributes({ [OWN.outcome]: end.outcome, [OWN.attempts]: end.attempts });
    if (end.code !== undefined) {
      span.setAttribute(ATTRIBUTES.errorType, end.code);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end(time);
  };

  const call = (event: CallEvent, attributes: Attributes): void => {
    const parent = records.get(event.record);
    const { time, durationMs, model, attempt, lane, error } = event;
    const options = {
      kind: SpanKind.CLIENT,
      startTime: time,
      attributes: { ...attributes, ...answered(event, spelling), [OWN.attempt]: attempt, [OWN.lane]: lane },
    };
    const under = parent === undefined ? outer() : trace.setSpan(context.active(), parent);
    const span = tracer.startSpan(`${OPERATION} ${model}`, options, under);
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(time + durationMs);
  };
  return { record, call };
}

function answered({ answer }: CallEvent, { cacheWrite }: Spelling): Attributes {
  if (answer === undefined) return {};
  const { requestId, finishReason, usage } = answer;
  return {
    ...(requestId === undefined ? {} : { [ATTRIBUTES.responseId]: requestId }),
    [ATTRIBUTES.finishReasons]: [finishReason],
    [ATTRIBUTES.inputTokens]: usage.inputTokens,
    [ATTRIBUTES.outputTokens]: usage.outputTokens,
    ...(usage.cacheReadTokens ? { [ATTRIBUTES.cacheRead]: usage.cacheReadTokens } : {}),
    ...(usage.cacheWriteTokens ? { [cacheWrite]: usage.cacheWriteTokens } : {}),
  };
}

/** Each attempt's duration, and of those answered their tokens. */
function metersBy(meter: Meter, { duration, tokens, usage }: Spelling) {
  const histogram = (name: string, unit: string, buckets: number[]) =>
    meter.createHistogram(name, { unit, advice: { explicitBucketBoundaries: buckets } });
  const time = histogram(duration, "s", DURATION_BUCKETS);
  const both = tokens === undefined ? undefined : histogram(tokens, "{token}", TOKEN_BUCKETS);
  const each = usage && {
    input: meter.createCounter(usage.counters.input, { unit: "{token}" }),
    output: meter.createCounter(usage.counters.output, { unit: "{token}" }),
    cacheRead: meter.createCounter(usage.counters.cacheRead, { unit: "{token}" }),
    cacheWrite: meter.createCounter(usage.counters.cacheWrite, { unit: "{token}" }),
    inputs: histogram(usage.histograms.input, "{token}", TOKEN_BUCKETS),
    outputs: histogram(usage.histograms.output, "{token}", TOKEN_BUCKETS),
  };
  return ({ durationMs, answer }: CallEvent, attributes: Attributes): void => {
    time.record(durationMs / 1_000, attributes);
    if (answer === undefined) return;
    const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0 } = answer.usage;
    both?.record(inputTokens, { ...attributes, [ATTRIBUTES.tokenType]: "input" });
    both?.record(outputTokens, { ...attributes, [ATTRIBUTES.tokenType]: "output" });
    if (each === undefined) return;
    const text = { ...attributes, [ATTRIBUTES.modality]: "text" };
    each.input.add(inputTokens, text);
    each.output.add(outputTokens, text);
    if (cacheReadTokens > 0) each.cacheRead.add(cacheReadTokens, text);
    if (cacheWriteTokens > 0) each.cacheWrite.add(cacheWriteTokens, text);
    each.inputs.record(inputTokens, attributes);
    each.outputs.record(outputTokens, attributes);
  };
}
