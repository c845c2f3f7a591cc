/**
 * The options of `analyze` and `run`, declared once: the command line, its help, README's table, millrace.yaml, its schema
 * for editors and the `MILLRACE_…` variables are made from this.
 */

import type { Prices } from "../usage.ts";
import { type Address, address } from "./address.ts";
import { prices } from "./prices.ts";
import {
  columnList,
  concurrency,
  dollars,
  duration,
  type FailureLimit,
  failureLimit,
  fieldList,
  fieldMap,
  place,
  type Reader,
  temperature,
  whole,
} from "./values.ts";

export interface OptionSpec {
  /** As the user types it, with its value's name. */
  readonly flags: string;
  readonly help: string;
  /** Said in the help; applied by whoever reads the option. */
  readonly fallback?: string;
  readonly parse?: Reader;
  readonly choices?: readonly string[];
  /** Its name in a file and in the library, where that is not the flag's in camelCase. */
  readonly key?: string;
  /** It belongs to one command as it is typed, never to a file or the environment. */
  readonly typedOnly?: true;
  /** Its value is a path; in a file it counts from the file's folder. */
  readonly isPath?: true;
}

/** What only a file or the environment says. */
export type FileOptionSpec = Omit<OptionSpec, "flags"> & { readonly key: string };

/** Where the command line keeps answers. */
export const STORE = ".millrace/responses.db";

export const RUN_OPTIONS = [
  {
    flags: "-o, --output <path>",
    help: "where the records go; - is stdout. The ending says the format: .ndjson, .jsonl, .json, .csv, and .gz or .zst behind it; .db is SQLite, postgres://user@host/database a server",
    fallback: "-",
    isPath: true,
  },
  {
    flags: "--columns <fields>",
    help: "the columns of a CSV output, as id,analysis.title; others are left out",
    fallback: "the fields of the first 100 records",
    parse: columnList,
  },
  {
    flags: "--table <name>",
    help: "the table of a database output; in Postgres also schema.table",
    fallback: "records",
  },
  {
    flags: "--key <field>",
    help: "the field that tells the rows of a database output apart: a record takes the place of the row with the same",
    fallback: "id",
  },
  {
    flags: "--dead-letters <path>",
    help: "where failed records go",
    fallback: "the output's name + .failed.ndjson",
    isPath: true,
  },
  {
    flags: "--from <format>",
    help: "what the input is when its ending does not say it",
    fallback: "by its ending, else ndjson",
    choices: ["ndjson", "json", "csv"],
  },
  { flags: "--path <path>", help: "where the array of records lies in a JSON document: data.articles" },
  {
    flags: "--map <fields>",
    help: "where the built-in analysis finds its fields: content=body,title=meta.headline",
    parse: fieldMap,
  },
  {
    flags: "--keep <fields>",
    help: "input fields that come out again beside the answer: a,b or all",
    parse: fieldList,
  },
  {
    flags: "--prompt <file>",
    help: "ask this instead: a text with {{field}} in it; answers { text } without a schema",
    isPath: true,
  },
  { flags: "--schema <file>", help: "what the answer to --prompt must look like: JSON Schema", isPath: true },
  { flags: "--limit <n>", help: "records read at most", fallback: "all", parse: whole("--limit", { least: 1 }) },
  {
    flags: "-n, --dry-run",
    help: "send and write nothing: read the input, show the first request and the estimate (on stderr)",
    typedOnly: true,
  },
  { flags: "--skip <n>", help: "records passed over first", fallback: "0", parse: whole("--skip", { least: 0 }) },
  {
    flags: "--provider <name>",
    help: "who answers",
    fallback: "the one whose key is in the environment",
    choices: ["anthropic", "openai", "mistral", "local"],
  },
  { flags: "--model <name>", help: "the provider's model", fallback: "the provider's default" },
  { flags: "--base-url <url>", help: "another server that speaks the provider's protocol", key: "baseURL" },
  {
    flags: "-c, --concurrency <n|auto>",
    help: "calls in flight: n to start with, fewer when the provider is overloaded, never more; auto finds out",
    fallback: "auto",
    parse: concurrency,
  },
  {
    flags: "--rpm <n>",
    help: "requests a minute at most, for each key",
    parse: whole("--rpm", { least: 1 }),
    key: "requestsPerMinute",
  },
  {
    flags: "--itpm <n>",
    help: "input tokens a minute at most, for each key",
    parse: whole("--itpm", { least: 1 }),
    key: "inputTokensPerMinute",
  },
  {
    flags: "--otpm <n>",
    help: "output tokens a minute at most, for each key",
    parse: whole("--otpm", { least: 1 }),
    key: "outputTokensPerMinute",
  },
  {
    flags: "--tpm <n>",
    help: "tokens a minute at most, both together, for each key",
    parse: whole("--tpm", { least: 1 }),
    key: "tokensPerMinute",
  },
  {
    flags: "--max-retries <n>",
    help: "further attempts after faults",
    fallback: "5",
    parse: whole("--max-retries", { least: 0 }),
  },
  { flags: "--timeout <time>", help: "longest time for one attempt", fallback: "60s", parse: duration("--timeout") },
  {
    flags: "--max-wait <time>",
    help: "longest wait for a provider: of one record that is told to wait, or of all during an outage",
    fallback: "15m",
    parse: duration("--max-wait"),
  },
  {
    flags: "--grace <time>",
    help: "how long calls in flight may take to end after Ctrl-C",
    fallback: "20s",
    parse: duration("--grace"),
  },
  {
    flags: "--max-output-tokens <n>",
    help: "output tokens of one answer",
    fallback: "the provider's default",
    parse: whole("--max-output-tokens", { least: 1 }),
  },
  { flags: "--temperature <t>", help: "not sent unless given", parse: temperature },
  { flags: "--ordered", help: "lines stand in record order; the default" },
  { flags: "--unordered", help: "lines stand as they are answered", typedOnly: true },
  {
    flags: "--store <path>",
    help: "where answers are kept, so that the same command run again pays only for what has none yet",
    fallback: STORE,
    parse: place("--store"),
    isPath: true,
  },
  { flags: "--no-store", help: "keep no answers: another run pays for everything again", typedOnly: true },
  {
    flags: "--fresh",
    help: "ask for everything anew, whatever is stored; without a store, overwrite what an unfinished run has left",
    typedOnly: true,
  },
  {
    flags: "--retry-failed",
    help: "ask anew for records whose stored answer was refused, filtered, invalid twice or cut twice",
    typedOnly: true,
  },
  {
    flags: "--max-cost <usd>",
    help: "US dollars that the run may spend: it stops before they are passed, and run again goes on",
    fallback: "no cap",
    parse: dollars,
  },
  {
    flags: "--max-failures <n|%>",
    help: "failed records that are still a success, judged at the end",
    fallback: "0",
    parse: failureLimit,
  },
  {
    flags: "--progress <how>",
    help: "how progress is shown on stderr: auto is a panel on a terminal, elsewhere a line every 30 s",
    fallback: "auto",
    choices: ["auto", "line", "none"],
  },
  { flags: "-q, --quiet", help: "nothing on stderr but errors: --log-level error" },
  { flags: "-v, --verbose", help: "each call, retry and wait as well, and where errors come from: --log-level debug" },
  {
    flags: "--log-level <level>",
    help: "what is said on stderr; below info neither progress nor the summary",
    fallback: "info",
    choices: ["error", "warn", "info", "debug"],
  },
  { flags: "--json", help: "one JSON object a line on stderr instead of sentences" },
  { flags: "--report <file>", help: "write the run's report as JSON, also when it fails or is stopped", isPath: true },
  {
    flags: "--serve <[host:]port>",
    help: "show the run live on a page of this machine, with /metrics, /report and /health; 0 is any free port, a host opens it wider",
    parse: address,
  },
  {
    flags: "--config <file>",
    help: "read options from this YAML file; a flag, then a MILLRACE_ variable, goes before what it says",
    fallback: "millrace.yaml, if there is one",
    typedOnly: true,
  },
  {
    flags: "--print-config",
    help: "print what all this comes to, each value with where it came from, and end; nothing is sent",
    typedOnly: true,
  },
] as const satisfies readonly OptionSpec[];

export const FILE_OPTIONS = [
  {
    key: "retryBaseDelay",
    help: "the first wait between attempts after a fault, at most; doubled with each further one",
    fallback: "500ms",
    parse: duration("--retry-base-delay"),
  },
  {
    key: "prices",
    help: "US$ per million tokens, by model: { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 }",
    parse: prices,
  },
] as const satisfies readonly FileOptionSpec[];

/** What the options come to. Absent: not given. */
export interface RunFlags {
  readonly output?: string;
  readonly columns?: readonly string[];
  readonly table?: string;
  readonly key?: string;
  readonly deadLetters?: string;
  readonly from?: "ndjson" | "json" | "csv";
  readonly path?: string;
  readonly map?: Readonly<Record<string, string>>;
  readonly keep?: readonly string[] | "all";
  readonly prompt?: string;
  readonly schema?: string;
  readonly limit?: number;
  readonly skip?: number;
  readonly dryRun?: boolean;
  readonly provider?: "anthropic" | "openai" | "mistral" | "local";
  readonly model?: string;
  readonly baseUrl?: string;
  readonly concurrency?: number | "auto";
  readonly rpm?: number;
  readonly itpm?: number;
  readonly otpm?: number;
  readonly tpm?: number;
  readonly maxRetries?: number;
  readonly timeout?: number;
  readonly maxWait?: number;
  readonly grace?: number;
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly ordered?: boolean;
  readonly unordered?: boolean;
  /** false: `--no-store`. */
  readonly store?: string | false;
  readonly fresh?: boolean;
  readonly retryFailed?: boolean;
  readonly maxCost?: number;
  readonly maxFailures?: FailureLimit;
  readonly progress?: "auto" | "line" | "none";
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly logLevel?: "error" | "warn" | "info" | "debug";
  readonly json?: boolean;
  readonly report?: string;
  readonly serve?: Address;
  readonly config?: string;
  readonly printConfig?: boolean;
  /** In ms. From a file or the environment. */
  readonly retryBaseDelay?: number;
  /** From a file. */
  readonly prices?: Prices;
}
