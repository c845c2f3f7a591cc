/** The public names. */

export type { ArticleAnalysis, Entity } from "./analysis/analysis.ts";
export type { AnswerSchema } from "./client/schema.ts";
export {
  ClientError,
  ConfigurationError,
  ConnectionError,
  ContentError,
  type ErrorCode,
  type ErrorKind,
  type ErrorScope,
  isMillraceError,
  MillraceError,
  RateLimitError,
  ResponseError,
} from "./errors.ts";
export {
  definePipeline,
  type PipelineContext,
  type PipelineDefinition,
  type PipelineOptions,
  pipeline,
  type RunError,
  type StageInput,
} from "./pipeline.ts";
export { anthropic } from "./providers/anthropic.ts";
export { local } from "./providers/local.ts";
export { fallback, lanes } from "./providers/members.ts";
export { mistral } from "./providers/mistral.ts";
export { openai } from "./providers/openai.ts";
export type { Completion, FinishReason, JsonSchema, Message, ModelRequest, Provider } from "./providers/provider.ts";
export { type Article, type DeadLetter, drop, type Source } from "./record.ts";
export type { Percentiles, RunReport, StageSummary } from "./report.ts";
export { route } from "./sinks/route.ts";
export { type WriteOptions, write } from "./sinks/write.ts";
export type { Input } from "./sources/input.ts";
export { type ReadOptions, read } from "./sources/read.ts";
export type { LaneReport, LimitReport, StageReport } from "./stage.ts";
export { type ObserveOptions, observe } from "./telemetry/observe.ts";
export { analyze } from "./transforms/analyze.ts";
export type { AnalyzeOptions, AnalyzeResult, DeltaCall, Prompt } from "./transforms/analyze-options.ts";
export { batch } from "./transforms/batch.ts";
export { type DedupeOptions, type Duplicate, dedupe } from "./transforms/dedupe.ts";
export { filter } from "./transforms/filter.ts";
export { type FunctionStageOptions, flatMap, map } from "./transforms/map.ts";
export type { Usage } from "./usage.ts";
