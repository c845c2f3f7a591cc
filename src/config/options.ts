/** The options of `analyze` and `run`, declared once: the command line, its help and README's table are made from this. */

import { failure } from "../errors.ts";
import { address } from "./address.ts";

export interface OptionSpec {
  /** As the user types it, with its value's name. */
  readonly flags: string;
  readonly help: string;
  /** Said in the help; applied by whoever reads the option. */
  readonly fallback?: string;
  readonly parse?: (text: string) => unknown;
  readonly choices?: readonly string[];
}

const usage = (message: string) => failure("invalid_option", message);

const whole =
  (flag: string, { least, most = Number.MAX_SAFE_INTEGER }: { least: number; most?: number }) =>
  (text: string) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} up` : `from ${least} to ${most}`;
    throw usage(`${flag} takes a whole number ${range}, got "${text}".`);
  };

const concurrency = (text: string): number | "auto" =>
  text === "auto" ? text : (whole("--concurrency", { least: 1, most: 10_000 })(text) as number);

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The longest that a timer can wait, ms. */
const LONGEST = 2 ** 31 - 1;

const inMs = (text: string): number => {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  return number === "" ? Number.NaN : Math.round(Number(number) * (UNITS[unit] ?? Number.NaN));
};

export const duration = (flag: string) => (text: string) => {
  const ms = inMs(text);
  if (ms <= LONGEST) return ms;
  throw usage(`${flag} takes a time with its unit, as 500ms, 60s or 15m, 24 days at most, got "${text}".`);
};

/** How old something is, in ms: no timer waits for it, so that it may be years. */
export const age = (flag: string) => (text: string) => {
  const ms = inMs(text);
  if (Number.isSafeInteger(ms)) return ms;
  throw usage(`${flag} takes a time with its unit, as 30d or 12h, got "${text}".`);
};

const temperature = (text: string) => {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 2) return value;
  throw usage(`--temperature takes a number from 0 to 2, got "${text}".`);
};

/** How many records may fail: so many, or a part of those read. */
export type FailureLimit = { readonly count: number } | { readonly share: number };

const failureLimit = (text: string): FailureLimit => {
  const percent = Number(/^(\d+(?:\.\d+)?)%$/.exec(text)?.[1] ?? Number.NaN);
  if (percent <= 100) return { share: percent / 100 };
  if (/^\d+$/.test(text)) return { count: Number(text) };
  throw usage(`--max-failures takes a number of records or a part of them, as 10 or 1%, got "${text}".`);
};

const fieldMap = (text: string): Readonly<Record<string, string>> => {
  const pairs = text.split(",").map((pair) => pair.split("=").map((part) => part.trim()));
  if (pairs.every(([field, path, ...more]) => field && path && more.length === 0)) return Object.fromEntries(pairs);
  throw usage(`--map takes field=path, as content=body,title=meta.headline, got "${text}".`);
};

const fieldList = (text: string): readonly string[] | "all" => {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) throw usage(`--keep takes fields, as author,date, or all, got "${text}".`);
  return text.trim() === "all" ? "all" : names;
};

const columnList = (text: string): readonly string[] => {
  const names = text.split(",").map((name) => name.trim());
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (names.includes("")) throw usage(`--columns takes fields, as id,analysis.title, got "${text}".`);
  if (twice !== undefined) throw usage(`--columns names "${twice}" twice.`);
  return names;
};

/** Where the command line keeps answers. */
export const STORE = ".millrace/responses.db";

export const RUN_OPTIONS = [
  {
    flags: "-o, --output <path>",
    help: "where the records go; - is stdout. The ending says the format: .ndjson, .jsonl, .json, .csv, and .gz or .zst behind it; .db is SQLite, postgres://user@host/database a server",
    fallback: "-",
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
  { flags: "--dead-letters <path>", help: "where failed records go", fallback: "the output's name + .failed.ndjson" },
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
  },
  { flags: "--schema <file>", help: "what the answer to --prompt must look like: JSON Schema" },
  { flags: "--limit <n>", help: "records read at most", fallback: "all", parse: whole("--limit", { least: 1 }) },
  { flags: "--skip <n>", help: "records passed over first", fallback: "0", parse: whole("--skip", { least: 0 }) },
  {
    flags: "--provider <name>",
    help: "who answers",
    fallback: "the one whose key is in the environment",
    choices: ["anthropic", "openai", "mistral", "local"],
  },
  { flags: "--model <name>", help: "the provider's model", fallback: "the provider's default" },
  { flags: "--base-url <url>", help: "another server that speaks the provider's protocol" },
  {
    flags: "-c, --concurrency <n|auto>",
    help: "calls in flight: n to start with, fewer when the provider is overloaded, never more; auto finds out",
    fallback: "auto",
    parse: concurrency,
  },
  { flags: "--rpm <n>", help: "requests a minute at most, for each key", parse: whole("--rpm", { least: 1 }) },
  { flags: "--itpm <n>", help: "input tokens a minute at most, for each key", parse: whole("--itpm", { least: 1 }) },
  { flags: "--otpm <n>", help: "output tokens a minute at most, for each key", parse: whole("--otpm", { least: 1 }) },
  {
    flags: "--tpm <n>",
    help: "tokens a minute at most, both together, for each key",
    parse: whole("--tpm", { least: 1 }),
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
  { flags: "--unordered", help: "lines stand as they are answered" },
  {
    flags: "--store <path>",
    help: "where answers are kept, so that the same command run again pays only for what has none yet",
    fallback: STORE,
  },
  { flags: "--no-store", help: "keep no answers: another run pays for everything again" },
  {
    flags: "--fresh",
    help: "ask for everything anew, whatever is stored; without a store, overwrite what an unfinished run has left",
  },
  {
    flags: "--retry-failed",
    help: "ask anew for records whose stored answer was refused, filtered, invalid twice or cut twice",
  },
  {
    flags: "--max-failures <n|%>",
    help: "failed records that are still a success, judged at the end",
    fallback: "0",
    parse: failureLimit,
  },
  {
    flags: "--progress <how>",
    help: "how progress is shown on stderr: a line that stays in place on a terminal, else one every 30 s",
    fallback: "auto",
    choices: ["auto", "line", "none"],
  },
  { flags: "-q, --quiet", help: "nothing on stderr but errors" },
  { flags: "--report <file>", help: "write the run's report as JSON" },
  {
    flags: "--serve <[host:]port>",
    help: "show the run live on a page of this machine, with /metrics, /report and /health; 0 is any free port, a host opens it wider",
    parse: address,
  },
] as const satisfies readonly OptionSpec[];

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
  readonly maxFailures?: FailureLimit;
  readonly progress?: "auto" | "line" | "none";
  readonly quiet?: boolean;
  readonly report?: string;
  readonly serve?: { readonly host: string; readonly port: number };
}
