/** The command line: what is typed, to the command that does it, to the exit code. */

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { ESTIMATE_OPTIONS } from "../config/estimate-options.ts";
import { type OptionSpec, RUN_OPTIONS, type RunFlags, STORE } from "../config/options.ts";
import { age, duration } from "../config/values.ts";
import { failure, isMillraceError } from "../errors.ts";
import { FAULT_NAMES } from "../simulator/traffic/faults.ts";
import type { CheckFlags } from "./check.ts";
import type { EstimateFlags } from "./estimate.ts";
import { EXIT, errorNote, exitCodeOf } from "./exit.ts";
import { ANALYZE_HELP, INPUTS, MILLRACE_HELP, RUN_HELP } from "./help.ts";
import { earlyLog, type Log } from "./log.ts";
import type { SimulateFlags } from "./simulate.ts";
import type { StoreFlags } from "./store.ts";
import { VERSION } from "./version.ts";
import { processWarnings } from "./warnings.ts";

/** How long after its end a command waits for what was left running, ms. */
const LEFT_RUNNING = 1_000;

type Done = (code: number) => void;

/** Runs one command line and sets the process's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  // A closed stderr (`2>&1 | head`) is nobody to tell it to.
  process.stderr.on("error", () => {});
  // Nor is a reader of stdout who has left (`--help | head`) a fault; a run's output hears of it by itself.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && process.stdout.listenerCount("error") === 1) throw error;
  });
  const log = earlyLog(argv);
  if (log.json) processWarnings(log);
  // What a pipeline file left to itself: no bug of ours, and no reason for a stack.
  process.on("unhandledRejection", (reason) => leave("A promise was rejected that nobody awaited", reason, log));
  process.on("uncaughtException", (error) => leave("An error was thrown where nobody could catch it", error, log));
  try {
    await program(log, (code) => {
      process.exitCode = code;
      // What a stage of the user's own has left running does not keep a finished command.
      const stopped = code === EXIT.interrupted || code === EXIT.terminated;
      setTimeout(() => process.exit(), stopped ? 0 : LEFT_RUNNING).unref();
    }).parseAsync(argv as string[]);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.finished : EXIT.usage;
      // It has told a person already.
      if (log.json && error.exitCode !== 0) log.tell(errorNote(unusable(error), EXIT.usage, log));
    } else {
      const code = exitCodeOf(error);
      log.tell(errorNote(error, code, log));
      process.exitCode = code;
    }
  }
}

const unusable = ({ message }: CommanderError) => failure("invalid_option", message.replace(/^error: /, ""));

function leave(what: string, reason: unknown, log: Log): void {
  const code = isMillraceError(reason) ? EXIT.bug : EXIT.stopped;
  const why = reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
  log.tell(errorNote(failure("stage_failed", `${what}: ${why}`, { cause: reason }), code, log));
  process.exit(code);
}

function program(log: Log, done: Done): Command {
  const millrace = new Command("millrace")
    .description("Pipes large files of articles through large language models and writes what comes back.")
    .version(VERSION)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeErr: (text) => log.json || process.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, "millrace: ")),
    })
    .configureHelp({ showGlobalOptions: false })
    .addHelpText("after", MILLRACE_HELP);
  addRuns(millrace, done);
  addEstimate(millrace, done);
  addCheck(millrace, done);
  addSimulate(millrace, done);
  addStore(millrace, done);
  addInit(millrace, done);
  helpAfterErrors(millrace, "millrace");
  return millrace;
}

/** Whoever mistypes is told where to look. */
function helpAfterErrors(command: Command, name: string): void {
  command.exitOverride().showHelpAfterError(`\`${name} --help\` shows what there is.`);
  for (const each of command.commands) helpAfterErrors(each, `${name} ${each.name()}`);
}

/** The commands that carry records, with the options of a run. */
function addRuns(millrace: Command, done: Done): void {
  const analyze = millrace
    .command("analyze")
    .description("analyse articles with the built-in analysis")
    .argument("[input...]", INPUTS)
    .addHelpText("after", ANALYZE_HELP)
    .action(async (inputs: string[], flags: RunFlags) => {
      const { analyzeCommand } = await import("./commands.ts");
      done(await analyzeCommand(inputs, flags));
    });
  const run = millrace
    .command("run")
    .description("run a pipeline file")
    .argument("<pipeline>", "a file that exports definePipeline({ stages }); `millrace init` writes a first one")
    .argument("[input...]", INPUTS)
    .addHelpText("after", RUN_HELP)
    .action(async (file: string, inputs: string[], flags: RunFlags) => {
      const { runCommand } = await import("./commands.ts");
      done(await runCommand(file, inputs, flags));
    });
  for (const command of [analyze, run]) for (const spec of RUN_OPTIONS) command.addOption(optionOf(spec));
}

function addInit(millrace: Command, done: Done): void {
  millrace
    .command("init")
    .description("a first pipeline, articles to try it on and a millrace.yaml; runs offline at once")
    .argument("[dir]", "where; made when it is not there (default: here)")
    .action(async (folder: string | undefined) => {
      const { initCommand } = await import("./init.ts");
      done(await initCommand(folder ?? "."));
    });
}

/** The commands that look after the store. */
function addStore(millrace: Command, done: Done): void {
  const store = millrace.command("store").description("look after the store of responses");
  const commands = () => import("./store.ts");
  const place = () => new Option("--store <path>", `which store (default: that of millrace.yaml, else ${STORE})`);
  const json = () => new Option("--json", "as JSON");
  store
    .command("stats")
    .description("how much is stored, of which models, how old")
    .addOption(place())
    .addOption(json())
    .action(async (flags: StoreFlags) => done((await commands()).storeStatsCommand(flags)));
  store
    .command("prune")
    .description("delete old answers; asked for again, they are paid for again")
    .addOption(place())
    .addOption(json())
    .requiredOption("--older-than <time>", "those stored before, as 30d", age("--older-than"))
    .action(async (flags: StoreFlags) => done((await commands()).storePruneCommand(flags)));
  store
    .command("export")
    .description("write the answers to stdout as NDJSON; without prompts, of which only hashes are kept")
    .addOption(place())
    .action(async (flags: StoreFlags) => done(await (await commands()).storeExportCommand(flags)));
}

function optionOf(spec: OptionSpec): Option {
  const help = spec.fallback === undefined ? spec.help : `${spec.help} (default: ${spec.fallback})`;
  const option = new Option(spec.flags, help);
  const { parse, choices } = spec;
  if (choices !== undefined) option.choices(choices);
  if (parse !== undefined) option.argParser(parse);
  return option;
}

function addEstimate(millrace: Command, done: Done): void {
  const estimate = millrace
    .command("estimate")
    .description("what a run would cost and take, by reading its input; sends nothing and needs no key")
    .argument("[input...]", INPUTS)
    .action(async (inputs: string[], flags: EstimateFlags) => {
      const { estimateCommand } = await import("./estimate.ts");
      done(await estimateCommand(inputs, flags));
    });
  for (const spec of ESTIMATE_OPTIONS) estimate.addOption(optionOf(spec).hideHelp(spec.idle ?? false));
}

function addCheck(millrace: Command, done: Done): void {
  const who = new Option("--provider <name>", "only this one (default: every one whose key is in the environment)");
  millrace
    .command("check")
    .description("try each provider's key and model with one tiny call; say what is wrong")
    .addOption(who.choices(["anthropic", "openai", "mistral"]))
    .option("--model <name>", "the provider's model (default: the provider's default)")
    .option("--base-url <url>", "another server that speaks the provider's protocol")
    .option("--config <file>", "read provider, model and base URL from this (default: millrace.yaml, if there is one)")
    .option("--timeout <time>", "longest time for a call (default: 30s)", duration("--timeout"))
    .option("--json", "one JSON object for each provider instead of the table")
    .action(async (flags: CheckFlags) => {
      const { checkCommand } = await import("./check.ts");
      done(await checkCommand(flags));
    });
}

const number = (text: string): number => {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError("It must be a number from 0 up.");
};

function addSimulate(millrace: Command, done: Done): void {
  millrace
    .command("simulate")
    .description(
      "a local server that speaks the three providers' wire protocols, with limits and faults, for rehearsals",
    )
    .option("--port <n>", "where it listens; 0 is any free one", number, 4010)
    .option("--host <address>", "and on which of this machine's addresses", "127.0.0.1")
    .option("--seed <n>", "faults and latencies follow from it", number, 1)
    .option("--latency <ms>", "time to an answer, ms", number, 100)
    .option("--rpm <n>", "requests a minute", number)
    .option("--itpm <n>", "input tokens a minute", number)
    .option("--otpm <n>", "output tokens a minute", number)
    .option("--tpm <n>", "tokens a minute, both together", number)
    .option("--knee <n>", "calls in flight beyond which it is overloaded", number)
    .option("--fault <name=share...>", `faults and their share of calls, as error500=0.05: ${FAULT_NAMES.join(", ")}`)
    .action(async (flags: SimulateFlags) => {
      const { simulateCommand } = await import("./simulate.ts");
      done(await simulateCommand(flags));
    });
}
