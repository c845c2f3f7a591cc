/** `millrace simulate`: a local server that speaks the three providers' protocols, for rehearsals. */

import { failure, isMillraceError } from "../errors.ts";
import {
  FAULT_NAMES,
  type FaultName,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from "../simulator/simulator.ts";

export interface SimulateFlags {
  readonly port: number;
  readonly host: string;
  readonly seed: number;
  readonly latency: number;
  readonly rpm?: number;
  readonly itpm?: number;
  readonly otpm?: number;
  readonly tpm?: number;
  readonly knee?: number;
  readonly fault?: readonly string[];
}

/** Serves until a signal comes. */
export async function simulateCommand(flags: SimulateFlags): Promise<number> {
  const simulator = await listening(flags);
  const { url } = simulator;
  const lines = [
    `Simulating on ${url}. Any key will do. In another terminal:`,
    `  ANTHROPIC_API_KEY=any ANTHROPIC_BASE_URL=${url}/anthropic   millrace analyze … --provider anthropic`,
    `  OPENAI_API_KEY=any    OPENAI_BASE_URL=${url}/openai/v1      millrace analyze … --provider openai`,
    `  MISTRAL_API_KEY=any   MISTRAL_BASE_URL=${url}/mistral       millrace analyze … --provider mistral`,
  ];
  process.stderr.write(`${lines.join("\n")}\n`);
  await new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  const { requests, answered } = simulator.stats();
  await simulator.close();
  process.stderr.write(`${requests} requests, ${answered} answered.\n`);
  return 0;
}

/** @throws ConfigurationError when it cannot listen there */
async function listening(flags: SimulateFlags): Promise<Simulator> {
  const { host, port } = flags;
  try {
    return await startSimulator(optionsOf(flags));
  } catch (cause) {
    if (isMillraceError(cause)) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = {
      EADDRINUSE: "the port is in use",
      EACCES: "you may not",
      ERR_SOCKET_BAD_PORT: "there is no such port",
    };
    const said = why[code as keyof typeof why] ?? message;
    throw failure(
      "invalid_option",
      `Cannot listen on ${host}, port ${port}: ${said}. Give another --port, or 0 for any that is free.`,
      { cause },
    );
  }
}

function optionsOf(flags: SimulateFlags): SimulatorOptions {
  const { port, host, seed, latency, rpm, itpm, otpm, tpm, knee } = flags;
  const limits = {
    requestsPerMinute: rpm,
    inputTokensPerMinute: itpm,
    outputTokensPerMinute: otpm,
    tokensPerMinute: tpm,
  };
  const set = Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
  const faults = Object.fromEntries((flags.fault ?? []).map(faultOf));
  return { port, host, seed, latency, limits: set, faults, ...(knee === undefined ? {} : { knee }) };
}

function faultOf(text: string): [FaultName, number] {
  const [name = "", share] = text.split("=");
  const rate = Number(share);
  if ((FAULT_NAMES as readonly string[]).includes(name) && rate >= 0 && rate <= 1) return [name as FaultName, rate];
  throw failure(
    "invalid_option",
    `--fault takes name=share, as error500=0.05, got "${text}". Names: ${FAULT_NAMES.join(", ")}.`,
  );
}
