/** The commands that carry records: `analyze` and `run`. */

import { readFileSync } from "node:fs";
import { Transform, Writable } from "node:stream";
import type { RunFlags } from "../config/options.ts";
import { chooseProvider } from "../config/provider.ts";
import { failure, isMillraceError } from "../errors.ts";
import { type AnalyzeOptions, analyze, type StageInput } from "../index.ts";
import type { PipelineContext, PipelineDefinition } from "../pipeline.ts";
import type { JsonSchema } from "../providers/provider.ts";
import { readFault } from "../sources/input.ts";
import { promptTemplate } from "../template.ts";
import { configured } from "./configured.ts";
import { execute, type Job } from "./execute.ts";
import { EXIT } from "./exit.ts";
import { loadPipeline, thrown } from "./pipeline-file.ts";

/** `millrace analyze [input…]` */
export async function analyzeCommand(inputs: readonly string[], typed: RunFlags): Promise<number> {
  const flags = await configured(typed);
  if (flags === undefined) return EXIT.finished;
  return done(jobOf(inputs, flags, { keyless: flags.dryRun }), flags);
}

/** The run of the built-in analysis, or of a prompt file. @param keyless nothing will be sent */
export function jobOf(inputs: readonly string[], flags: RunFlags, keyless: Keyless): Job {
  const { provider, options } = contextOf(flags, keyless);
  return { inputs: inputsOf(inputs), stages: [analysis({ provider, ...options }, flags)], ownSink: false };
}

/** A schema that is none is told by the file's name. */
function analysis(options: AnalyzeOptions, { schema }: RunFlags): StageInput {
  try {
    return analyze(options);
  } catch (cause) {
    const told = /^`schema` is /.test((cause as Error).message);
    if (schema === undefined || !told) throw cause;
    throw failure("invalid_option", (cause as Error).message.replace("`schema`", `--schema ${schema}`), { cause });
  }
}

interface Keyless {
  readonly keyless: boolean | undefined;
}

async function done(job: Job, flags: RunFlags): Promise<number> {
  if (!flags.dryRun) return execute(job, flags);
  const { dryRun } = await import("./estimate.ts");
  return dryRun(job, flags);
}

/** `millrace run <pipeline.ts> [input…]` */
export async function runCommand(file: string, inputs: readonly string[], typed: RunFlags): Promise<number> {
  const flags = await configured(typed);
  if (flags === undefined) return EXIT.finished;
  const named = inputsOf(inputs);
  const { stages } = await loadPipeline(file);
  const made = called(file, stages, contextOf(flags, { keyless: flags.dryRun }));
  if (!Array.isArray(made)) throw failure("invalid_option", `${file}: \`stages\` must give a list of stages.`);
  const ownSink = isSink(made.at(-1));
  if (ownSink && flags.output !== undefined) {
    throw failure("invalid_option", `${file} has a sink of its own; an output has no place in it. Leave out --output.`);
  }
  return done({ inputs: named, stages: made, ownSink }, flags);
}

/** A pipeline file is the user's own: what it throws is told as such. */
function called(file: string, stages: PipelineDefinition["stages"], context: PipelineContext) {
  try {
    return stages(context);
  } catch (cause) {
    if (isMillraceError(cause)) throw cause;
    throw failure("invalid_option", `${file}: \`stages\` threw ${thrown(cause)}`, { cause });
  }
}

const isSink = (stage: StageInput | undefined): boolean =>
  (stage instanceof Writable && !(stage instanceof Transform) && !("read" in stage)) ||
  stage instanceof globalThis.WritableStream;

/** The call options as `analyze()` takes them; the provider is chosen when it is first asked for. */
function contextOf(flags: RunFlags, { keyless }: Keyless): PipelineContext {
  let chosen: PipelineContext["provider"] | undefined;
  return {
    get provider() {
      chosen ??= chooseProvider(flags, process.env, keyless);
      return chosen;
    },
    options: analyzeOptions(flags),
  };
}

function analyzeOptions(flags: RunFlags) {
  const { concurrency, maxRetries, retryBaseDelay, timeout, maxWait, maxOutputTokens, temperature, keep } = flags;
  const asked = { fields: flags.map, keep, prompt: promptOf(flags), schema: schemaOf(flags) };
  const limits = {
    requestsPerMinute: flags.rpm,
    inputTokensPerMinute: flags.itpm,
    outputTokensPerMinute: flags.otpm,
    tokensPerMinute: flags.tpm,
  };
  const waits = { maxRetries, retryBaseDelay, timeout, maxWait };
  const given = { concurrency, ...limits, ...waits, maxOutputTokens, temperature, ...asked };
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...set, ordered: !flags.unordered };
}

function textOf(flag: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const { message } = readFault({ name: `${flag} ${path}`, begun: false }, cause);
    throw failure("invalid_option", message, { cause });
  }
}

const promptOf = ({ prompt }: RunFlags) => prompt && promptTemplate(textOf("--prompt", prompt), prompt);

function schemaOf({ prompt, schema }: RunFlags): JsonSchema | undefined {
  if (schema === undefined) return undefined;
  if (prompt === undefined)
    throw failure("invalid_option", "--schema says what the answer to --prompt looks like. Give that too.");
  const text = textOf("--schema", schema);
  return parsedSchema(schema, text);
}

function parsedSchema(path: string, text: string): JsonSchema {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw failure("invalid_option", `--schema ${path} is not valid JSON: ${(cause as Error).message}.`, { cause });
  }
  if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as JsonSchema;
  throw failure("invalid_option", `--schema ${path} must hold a JSON Schema: an object, as {"type": "object", …}.`);
}

/** stdin where no input is named, unless a person sits before it. */
function inputsOf(inputs: readonly string[]): readonly string[] {
  if (inputs.length > 0) return inputs;
  if (!process.stdin.isTTY) return ["-"];
  throw failure(
    "invalid_option",
    "There is no input: name a file, or pipe records in. `millrace analyze --help` shows how.",
  );
}
