/** A run up to its first question: everything is read and rendered, nothing is sent and nothing written. */

import { Writable } from "node:stream";
import { type RunFlags, STORE } from "../config/options.ts";
import { failure } from "../errors.ts";
import { type Estimate, estimated } from "../estimate/estimate.ts";
import { Look } from "../estimate/look.ts";
import { tokenCounter } from "../estimate/tokens.ts";
import { drop, type ModelRequest, type Provider, type RunReport, read, type StageInput } from "../index.ts";
import { startRun } from "../pipeline.ts";
import { priceOf } from "../providers/prices.ts";
import { type Source, sourceOf } from "../record.ts";
import { filesOf } from "../sources/files.ts";
import { Peek } from "../store/peek.ts";
import { Analyze } from "../transforms/analyze.ts";
import type { Settings } from "../transforms/analyze-options.ts";
import type { Job } from "./execute.ts";
import { reading } from "./reading.ts";

/** What a rehearsal has found. */
export interface Rehearsed {
  readonly estimate: Estimate;
  readonly provider: Provider;
  /** The first question and where its record came from; undefined: no record could be asked about. */
  readonly first: { readonly request: ModelRequest; readonly source: Source | undefined } | undefined;
  /** Records whose tokens were counted. */
  readonly counted: number;
  readonly tokenizer: string;
  /** Whether the output is told by answers of the past; else by the schema. */
  readonly fromPast: boolean;
  /** Stages that ask besides; their calls are not in the estimate. */
  readonly others: number;
}

/** @returns undefined when no stage asks a model. @throws ConfigurationError when no record can be asked about */
export async function rehearse(
  job: Job,
  flags: RunFlags & { readonly full?: boolean | undefined },
): Promise<Rehearsed | undefined> {
  const at = job.stages.findIndex((stage) => stage instanceof Analyze);
  const asking = job.stages[at];
  if (!(asking instanceof Analyze)) return undefined;
  const { check, limits, prices } = asking.settings;
  const providers = membersOf(asking.provider);
  const [provider] = providers as [Provider];
  const counter = await tokenCounter(provider);
  const store = flags.store === false || flags.fresh ? undefined : Peek.open(flags.store ?? STORE);
  try {
    const look = new Look({ providers, counter, full: flags.full ?? false, store });
    const { report, source } = await lookAtAll(look, { job, at, settings: asking.settings, flags });
    const output = await look.outputTokens(check);
    const estimate = estimated({
      provider: provider.name,
      model: provider.model,
      records: report.read,
      dropped: report.dropped - look.requests - look.stored,
      unusable: report.deadLettered,
      stored: look.stored,
      requests: look.requests,
      inputTokens: look.inputTokens,
      outputTokens: output,
      price: priceOf(provider, { prices: { ...flags.prices, ...prices } }),
      limits,
      keys: providers.length,
    });
    return {
      estimate,
      provider,
      first: look.first && { request: look.first, source },
      counted: look.counted,
      tokenizer: counter.basis,
      fromPast: output.fromPast,
      others: job.stages.filter((stage) => stage instanceof Analyze).length - 1,
    };
  } finally {
    store?.close();
  }
}

interface Looking {
  readonly job: Job;
  /** Which of its stages asks. */
  readonly at: number;
  readonly settings: Settings;
  readonly flags: RunFlags;
}

/** Has each question looked at in place of asking it. @returns also where the first one's record came from */
async function lookAtAll(look: Look, { job, at, settings: { request, named }, flags }: Looking) {
  let source: Source | undefined;
  const ask = async (record: unknown) => {
    look.add(await request(record));
    named.met(record);
    if (look.requests + look.stored === 1) source = sourceOf(record) ?? undefined;
    return drop;
  };
  const report = await readThrough(job, [...job.stages.slice(0, at), ask], flags);
  named.end();
  return { report, source };
}

/** Those that share the calls of a stage. */
function membersOf(provider: Provider): readonly Provider[] {
  const { members } = provider;
  if (members === undefined) return [provider];
  return members.kind === "lanes" ? members.providers : membersOf(members.providers[0] as Provider);
}

async function readThrough(job: Job, stages: readonly StageInput[], flags: RunFlags): Promise<RunReport> {
  let last: string | undefined;
  const letters = new Writable({
    objectMode: true,
    write({ error }: { error: { message: string } }, _, done) {
      last = error.message;
      done();
    },
  });
  const nowhere = new Writable({ objectMode: true, write: (_record, _encoding, done) => done() });
  const inputs = await filesOf(job.inputs);
  const report = await startRun([read(inputs, reading(flags)), ...stages, nowhere], { deadLetters: letters }).done;
  if (last !== undefined && report.deadLettered === report.read) {
    throw failure("invalid_option", `No record can be asked about, the last because: ${last}`);
  }
  return report;
}
