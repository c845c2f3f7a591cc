/** The public names. */

// What is declared here speaks of Node's streams: whoever imports it needs their types, whatever `types` the project names.
/// <reference types="node" preserve="true" />

export type { ArticleAnalysis, Entity } from "./analysis/analysis.ts";
export type { ArticleInput, Articles } from "./articles/article.ts";
export { ArticleClient, type BatchOptions, type CallOptions, type ProviderInfo } from "./articles/client.ts";
export { type ClientFileConfig, createClientFromConfig } from "./articles/config.ts";
export {
  ArticleProcessor,
  type BatchesOptions,
  type ProcessOptions,
  type ProcessorOptions,
  processArticles,
} from "./articles/processor.ts";
export type { Progress, RunOptions } from "./articles/run.ts";
export { processArticlesSync, type SyncOptions } from "./articles/sync.ts";
export {
  ClaudeClient,
  type ClaudeClientOptions,
  type ClientOptions,
  createClient,
  MistralClient,
  type MistralClientOptions,
  OpenAIClient,
  type OpenAIClientOptions,
  type ProviderName,
} from "./articles/vendors.ts";
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
export { type AnthropicOptions, anthropic } from "./providers/anthropic.ts";
export { local } from "./providers/local.ts";
export { fallback, lanes } from "./providers/members.ts";
export { type MistralOptions, mistral } from "./providers/mistral.ts";
export { type OpenAIOptions, openai } from "./providers/openai.ts";
export type { Completion, FinishReason, JsonSchema, Message, ModelRequest, Provider } from "./providers/provider.ts";
export { type Article, type DeadLetter, drop, type Source } from "./record.ts";
export { type Percentiles, projectedCost, type RunReport, type StageSummary } from "./report.ts";
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
export type { ModelPrice, Prices, Usage } from "./usage.ts";
