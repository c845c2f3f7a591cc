/**
 * The names of OpenTelemetry's conventions for generative AI, all of them, in the two spellings that are in use.
 *
 * They left `open-telemetry/semantic-conventions` with v1.42 for a repository of their own, where they go on changing. What
 * dashboards read today is v1.41; the newer ones (semantic-conventions-genai, `docs/gen-ai/client-inference.md`) are spoken
 * where `OTEL_SEMCONV_STABILITY_OPT_IN` asks for `gen_ai_latest_experimental`.
 */

const OPT_IN = "gen_ai_latest_experimental";

/** Attributes that both spell alike. */
export const ATTRIBUTES = {
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  requestModel: "gen_ai.request.model",
  responseModel: "gen_ai.response.model",
  responseId: "gen_ai.response.id",
  finishReasons: "gen_ai.response.finish_reasons",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheRead: "gen_ai.usage.cache_read.input_tokens",
  errorType: "error.type",
  serverAddress: "server.address",
  serverPort: "server.port",
  /** Only of the older histogram: `input` or `output`. */
  tokenType: "gen_ai.token.type",
  /** Only of the newer counters. */
  modality: "gen_ai.token.modality",
} as const;

/** Ours, for what the conventions have no word for. */
export const OWN = {
  stage: "millrace.stage",
  file: "millrace.source.file",
  line: "millrace.source.line",
  outcome: "millrace.outcome",
  attempts: "millrace.attempts",
  attempt: "millrace.attempt",
  lane: "millrace.lane",
} as const;

export const OPERATION = "chat";

/** Where the conventions have a name of their own for a provider; others keep theirs. */
export const PROVIDERS: Readonly<Record<string, string>> = { mistral: "mistral_ai" };

export interface Spelling {
  readonly cacheWrite: string;
  readonly duration: string;
  /** One histogram of both kinds of tokens, told apart by an attribute. */
  readonly tokens: string | undefined;
  /** A counter and, of input and output, a histogram for each kind of tokens. */
  readonly usage:
    | {
        readonly counters: Readonly<Record<"input" | "output" | "cacheRead" | "cacheWrite", string>>;
        readonly histograms: Readonly<Record<"input" | "output", string>>;
      }
    | undefined;
}

const V1_41: Spelling = {
  cacheWrite: "gen_ai.usage.cache_creation.input_tokens",
  duration: "gen_ai.client.operation.duration",
  tokens: "gen_ai.client.token.usage",
  usage: undefined,
};

const LATEST: Spelling = {
  cacheWrite: "gen_ai.usage.cache_write.input_tokens",
  duration: "gen_ai.client.inference.duration",
  tokens: undefined,
  usage: {
    counters: {
      input: "gen_ai.client.inference.usage.input_tokens",
      output: "gen_ai.client.inference.usage.output_tokens",
      cacheRead: "gen_ai.client.inference.usage.cache_read.input_tokens",
      cacheWrite: "gen_ai.client.inference.usage.cache_write.input_tokens",
    },
    histograms: {
      input: "gen_ai.client.inference.operation.input_tokens",
      output: "gen_ai.client.inference.operation.output_tokens",
    },
  },
};

/** @param optIn the value of `OTEL_SEMCONV_STABILITY_OPT_IN`, a list */
export function spellingOf(optIn: string | undefined): Spelling {
  const asked = (optIn ?? "").split(",").map((name) => name.trim());
  return asked.includes(OPT_IN) ? LATEST : V1_41;
}

/** The buckets that the conventions recommend: seconds 0.01 · 2ⁿ, tokens 4ⁿ. */
export const DURATION_BUCKETS = Array.from({ length: 14 }, (_, n) => Math.round(0.01 * 2 ** n * 100) / 100);
export const TOKEN_BUCKETS = Array.from({ length: 14 }, (_, n) => 4 ** n);
