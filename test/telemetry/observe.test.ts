/** What OpenTelemetry is told of a run. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { describe, expect, onTestFinished, test } from "vitest";
import { analyze, anthropic, mistral, observe, openai, pipeline, read, write } from "../../src/index.ts";
import type { SimulatorOptions } from "../../src/simulator/simulator.ts";
import { articles, baseURL, cli, environment, folder, KEY, ROOT, simulator, writeLines } from "../support.ts";

/** Spans and metrics kept in memory. */
function listeners() {
  const spans = new InMemorySpanExporter();
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 3_600_000 });
  const meters = new MeterProvider({ readers: [reader] });
  onTestFinished(async () => {
    await tracers.shutdown();
    await meters.shutdown();
  });
  return {
    tracer: tracers.getTracer("test"),
    meter: meters.getMeter("test"),
    spans: () => spans.getFinishedSpans(),
    /** The data points of each metric. */
    async points() {
      await meters.forceFlush();
      const all =
        metrics
          .getMetrics()
          .at(-1)
          ?.scopeMetrics.flatMap(({ metrics }) => metrics) ?? [];
      return new Map(all.map((metric) => [metric.descriptor.name, metric]));
    },
  };
}

const MAKERS = { anthropic, openai, mistral };

/** Six articles asked about, one of them twice as its first attempt fails, and one line that is none. */
async function observed(vendor: keyof typeof MAKERS, options: SimulatorOptions = {}) {
  const server = await simulator({ latency: 5, ...options });
  const cwd = folder();
  const path = writeLines(join(cwd, "in.ndjson"), [...articles(6, 20), "{broken", { id: "empty" }]);
  const heard = listeners();
  const end = observe({ tracer: heard.tracer, meter: heard.meter });
  onTestFinished(end);
  const provider = MAKERS[vendor]({ apiKey: KEY, baseURL: baseURL(server.url, vendor) });
  const deadLetters = write(join(cwd, "failed.ndjson"));
  const stages = [read(path), analyze({ provider, retryBaseDelay: 1 }), write(join(cwd, "out.ndjson"))] as const;
  const report = await pipeline(...stages, { deadLetters });
  return { report, server, path, provider, ...heard };
}

const FAULTS = { seed: 3, faults: { error500: 0.3, rateLimit429: 0.2 } };

describe("the spans of a run", () => {
  test("are one for each record and, under it, one for each attempt", async () => {
    const { spans, report, server, path } = await observed("anthropic", FAULTS);
    const ended = spans();
    const records = ended.filter(({ name }) => name === "analyze");
    const attempts = ended.filter(({ name }) => name !== "analyze");
    expect(records).toHaveLength(7);
    expect(report.retries + report.rateLimited).toBeGreaterThan(0);
    expect(attempts).toHaveLength(report.requests);
    expect(attempts).toHaveLength((await server.stats()).requests);
    const ids = new Set(records.map((span) => span.spanContext().spanId));
    for (const attempt of attempts) {
      expect(ids.has(attempt.parentSpanContext?.spanId ?? "")).toBe(true);
      expect(attempt.kind).toBe(SpanKind.CLIENT);
    }
    const lines = records.map(({ attributes }) => attributes["millrace.source.line"]);
    expect(lines.sort()).toEqual([1, 2, 3, 4, 5, 6, 8]);
    expect(new Set(records.map(({ attributes }) => attributes["millrace.source.file"]))).toEqual(new Set([path]));
    const failed = records.filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(failed.map(({ attributes }) => attributes["error.type"])).toEqual(["missing_content"]);
  });

  test("say of an attempt what the conventions ask for", async () => {
    const { spans, provider, server } = await observed("mistral");
    const [attempt] = spans().filter(({ name }) => name !== "analyze");
    expect(attempt?.name).toBe(`chat ${provider.model}`);
    expect(attempt?.attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "mistral_ai",
      "gen_ai.request.model": provider.model,
      "gen_ai.response.model": expect.any(String),
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.usage.input_tokens": expect.any(Number),
      "gen_ai.usage.output_tokens": expect.any(Number),
      "server.address": "127.0.0.1",
      "server.port": server.port,
    });
  });

  test("say of a failed attempt its error", async () => {
    const { spans } = await observed("openai", FAULTS);
    const failed = spans().filter(
      ({ kind, status }) => kind === SpanKind.CLIENT && status.code === SpanStatusCode.ERROR,
    );
    const types = new Set(failed.map(({ attributes }) => attributes["error.type"]));
    expect([...types].sort()).toEqual(["rate_limited", "server_error"]);
    for (const { attributes } of failed) expect(attributes["gen_ai.usage.input_tokens"]).toBeUndefined();
  });

  test("hold neither the key nor a word of an article or an answer", async () => {
    for (const vendor of ["anthropic", "openai", "mistral"] as const) {
      const { spans, points } = await observed(vendor, FAULTS);
      const told = spans().map(({ name, attributes, events, status }) => ({ name, attributes, events, status }));
      const all = JSON.stringify([told, [...(await points()).values()]]);
      expect(all).not.toContain(KEY);
      expect(all).not.toContain("several plain words");
      expect(all).not.toContain("[[id:");
    }
  });
});

describe("the metrics of a run", () => {
  test("are token usage and duration, and sum up to the report and the simulator's ledger", async () => {
    const { points, report, server } = await observed("anthropic", FAULTS);
    const metrics = await points();
    expect([...metrics.keys()].sort()).toEqual(["gen_ai.client.operation.duration", "gen_ai.client.token.usage"]);
    const tokens = metrics.get("gen_ai.client.token.usage");
    const duration = metrics.get("gen_ai.client.operation.duration");
    if (tokens?.dataPointType !== DataPointType.HISTOGRAM || duration?.dataPointType !== DataPointType.HISTOGRAM) {
      throw new Error("They must be histograms.");
    }
    expect(tokens.descriptor.unit).toBe("{token}");
    expect(duration.descriptor.unit).toBe("s");
    expect(duration.dataPoints[0]?.value.buckets.boundaries.slice(0, 3)).toEqual([0.01, 0.02, 0.04]);
    expect(tokens.dataPoints[0]?.value.buckets.boundaries.slice(-2)).toEqual([16_777_216, 67_108_864]);
    const sum = (type: string) =>
      tokens.dataPoints
        .filter(({ attributes }) => attributes["gen_ai.token.type"] === type)
        .reduce((total, { value }) => total + (value.sum ?? 0), 0);
    const stats = await server.stats();
    expect([sum("input"), sum("output")]).toEqual([report.usage.inputTokens, report.usage.outputTokens]);
    expect([sum("input"), sum("output")]).toEqual([stats.inputTokensBilled, stats.outputTokensBilled]);
    expect(duration.dataPoints.reduce((total, { value }) => total + value.count, 0)).toBe(stats.requests);
  });

  test("have the newer names where the convention's variable asks for them", async () => {
    process.env.OTEL_SEMCONV_STABILITY_OPT_IN = "http,gen_ai_latest_experimental";
    onTestFinished(() => {
      delete process.env.OTEL_SEMCONV_STABILITY_OPT_IN;
    });
    const { points, report } = await observed("openai");
    const metrics = await points();
    expect([...metrics.keys()].sort()).toEqual([
      "gen_ai.client.inference.duration",
      "gen_ai.client.inference.operation.input_tokens",
      "gen_ai.client.inference.operation.output_tokens",
      "gen_ai.client.inference.usage.input_tokens",
      "gen_ai.client.inference.usage.output_tokens",
    ]);
    const input = metrics.get("gen_ai.client.inference.usage.input_tokens");
    expect(input?.dataPoints.map(({ value }) => value)).toEqual([report.usage.inputTokens]);
    expect(input?.dataPoints[0]?.attributes["gen_ai.token.modality"]).toBe("text");
  });
});

describe("observe()", () => {
  test("tells nothing more once it is ended", async () => {
    const heard = listeners();
    observe({ tracer: heard.tracer })();
    await pipeline(
      articles(3),
      analyze({ provider: anthropicAt((await simulator()).url) }),
      write(join(folder(), "x.ndjson")),
    );
    expect(heard.spans()).toEqual([]);
  });

  test("refuses what is no tracer, and options that it does not know", () => {
    expect(() => observe({ tracer: {} as never })).toThrow("`tracer` must be a tracer");
    expect(() => observe({ tracers: {} } as never)).toThrow("tracer");
  });
});

const anthropicAt = (url: string) => anthropic({ apiKey: KEY, baseURL: baseURL(url, "anthropic") });

describe("the command line", () => {
  /** Registers OpenTelemetry as a user's own file would, with a batch that is sent only when it is asked to. */
  const otel = (cwd: string) => {
    const path = join(cwd, "otel.mjs");
    writeLines(path, [
      `import { createRequire } from "node:module";`,
      `import { appendFileSync } from "node:fs";`,
      `const require = createRequire(${JSON.stringify(join(ROOT, "test/support.ts"))});`,
      `const { trace } = require("@opentelemetry/api");`,
      `const { BasicTracerProvider, BatchSpanProcessor } = require("@opentelemetry/sdk-trace-base");`,
      `const exporter = { export(spans, done) { for (const s of spans) appendFileSync(${JSON.stringify(join(cwd, "spans.ndjson"))}, JSON.stringify({ scope: s.instrumentationScope.name, name: s.name, attributes: s.attributes }) + "\\n"); done({ code: 0 }); }, async shutdown() {} };`,
      `trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: 600000 })] }));`,
    ]);
    return path;
  };

  test("tells what is registered in its process, up to the last span", async () => {
    const server = await simulator({ latency: 5, ...FAULTS });
    for (const vendor of ["anthropic", "mistral"] as const) {
      const cwd = folder();
      writeLines(join(cwd, "in.ndjson"), articles(6, 20));
      const env = { ...environment(server.url, vendor), NODE_OPTIONS: `--import ${otel(cwd)}` };
      const before = (await server.stats()).requests;
      const { code, stderr } = await cli(["analyze", "in.ndjson", "-o", "out.ndjson"], { cwd, env });
      expect(stderr).toContain("Done");
      expect(code).toBe(0);
      const text = readFileSync(join(cwd, "spans.ndjson"), "utf8");
      const spans = text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { scope: string; name: string });
      const ours = spans.filter(({ scope }) => scope === "millrace");
      const made = (await server.stats()).requests - before;
      expect(ours.filter(({ name }) => name.startsWith("chat "))).toHaveLength(made);
      expect(ours.filter(({ name }) => name === "analyze")).toHaveLength(6);
      expect(text).not.toContain(KEY);
      expect(text).not.toContain("several plain words");
    }
  });
});
