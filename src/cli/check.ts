/** `millrace check`: one tiny call for each provider and key, and what it tells. */

import { setTimeout as after } from "node:timers/promises";
import { effective } from "../config/effective.ts";
import { type Candidate, candidates } from "../config/provider.ts";
import { failure, isMillraceError, type MillraceError } from "../errors.ts";
import type { Completion, ModelRequest, Provider } from "../index.ts";
import { type Checked, checkedTable, outcomeOf } from "./check-table.ts";
import { EXIT } from "./exit.ts";

export interface CheckFlags {
  readonly provider?: "anthropic" | "openai" | "mistral";
  readonly model?: string;
  readonly baseUrl?: string;
  readonly config?: string;
  /** Longest time for one call, ms. */
  readonly timeout?: number;
  readonly json?: boolean;
}

const TIMEOUT = 30_000;

/** It is a check, so that a fault is met by one more try only, and a wait that is longer than this by none. */
const LONGEST_WAIT = 5_000;
const PAUSE = 500;

const REQUEST: ModelRequest = {
  messages: [{ role: "user", content: 'This is a test of the connection. Answer with {"ok": true}.' }],
  schema: { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"], additionalProperties: false },
  schemaName: "check",
};

/** @returns the exit code. @throws ConfigurationError when there is no key to try. */
export async function checkCommand(typed: CheckFlags): Promise<number> {
  const flags = asConfigured(typed);
  const made = candidates(flags, process.env).map((candidate) => ({ candidate, provider: providerOf(candidate) }));
  const timeout = flags.timeout ?? TIMEOUT;
  const checked = await Promise.all(made.map(({ candidate, provider }) => tried(candidate, provider, timeout)));
  const text = flags.json ? checked.map((one) => `${JSON.stringify(one)}\n`).join("") : checkedTable(checked);
  await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
  const failed = checked.filter(({ error }) => error !== null);
  if (failed.length === 0) return EXIT.finished;
  return failed.every(({ error }) => error?.code === "invalid_option") ? EXIT.usage : EXIT.stopped;
}

/** With the provider, model and server that a run would have. The embedded analyser has nothing to check. */
function asConfigured(typed: CheckFlags): CheckFlags {
  const { provider, model, baseUrl, config } = typed;
  const { flags } = effective({ provider, model, baseUrl, config }, process.env, process.cwd());
  if (flags.provider === "local") return typed;
  return { ...typed, provider: flags.provider, model: flags.model, baseUrl: flags.baseUrl };
}

/** A key or address that cannot be one is a finding; that there is no key at all is not. */
function providerOf({ make }: Candidate): Provider | MillraceError {
  try {
    return make();
  } catch (error) {
    if (!isMillraceError(error) || error.code !== "invalid_option") throw error;
    return error;
  }
}

async function tried(candidate: Candidate, provider: Provider | MillraceError, timeout: number): Promise<Checked> {
  if (isMillraceError(provider)) return outcomeOf(candidate, { baseURL: null, latencyMs: null, error: provider });
  const baseURL = provider.baseURL ?? null;
  try {
    let attempt = await attempted(provider, timeout);
    const pause = attempt.error === undefined ? undefined : pauseAfter(attempt.error);
    if (pause !== undefined) {
      await after(pause);
      attempt = await attempted(provider, timeout);
    }
    return outcomeOf(candidate, { baseURL, ...attempt });
  } finally {
    await provider.close();
  }
}

/** In ms; undefined when another try would tell nothing new, or only later. */
function pauseAfter({ code, scope, shouldRetry, retryAfter = PAUSE }: MillraceError): number | undefined {
  if (shouldRetry === false || code === "timeout" || (scope !== "retry" && scope !== "wait")) return undefined;
  return retryAfter <= LONGEST_WAIT ? Math.max(retryAfter, PAUSE) : undefined;
}

interface Attempt {
  /** null: no answer came. */
  readonly latencyMs: number | null;
  readonly error?: MillraceError;
  readonly limits?: Readonly<Record<string, string>>;
}

async function attempted(provider: Provider, timeout: number): Promise<Attempt> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(tooLate(timeout)), timeout);
  const startedAt = performance.now();
  const elapsed = () => Math.round(performance.now() - startedAt);
  try {
    const completion = await provider.complete(REQUEST, { signal: abort.signal });
    const error = faultOf(completion, provider);
    return { latencyMs: elapsed(), limits: completion.limits, ...(error === undefined ? {} : { error }) };
  } catch (error) {
    if (!isMillraceError(error)) throw error;
    return { latencyMs: error.status === undefined ? null : elapsed(), error, limits: error.limits ?? {} };
  } finally {
    clearTimeout(timer);
  }
}

const tooLate = (ms: number): MillraceError =>
  failure("timeout", `No complete answer within ${ms / 1_000} s. Check the base URL, or allow more with --timeout.`);

/** What an answer that came is not worth. */
function faultOf({ text, finishReason }: Completion, { model, maxOutputTokens }: Provider): MillraceError | undefined {
  if (finishReason === "refusal" || finishReason === "filter") {
    return failure(
      "refused",
      `The model withheld its answer to a harmless question. Try it again, or another --model.`,
    );
  }
  if (finishReason === "length") {
    return failure("truncated_answer", `The answer to a tiny question was cut at ${maxOutputTokens} output tokens.`);
  }
  if (fits(text)) return undefined;
  return failure(
    "invalid_answer",
    `"${model}" answered, but not as the schema wants it. Take a model that knows structured outputs.`,
  );
}

function fits(text: string): boolean {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === "object" && answer !== null && "ok" in answer && typeof answer.ok === "boolean";
  } catch {
    return false;
  }
}
