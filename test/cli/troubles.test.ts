/** README's table of troubles: each of its messages is made to happen, and must be what is said, with that exit and code. */

import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SimulatorOptions } from "../../src/simulator/simulator.ts";
import { readme } from "../options-table.ts";
import { articles, cli, type Ended, environment, folder, KEY, simulator, startCli, writeLines } from "../support.ts";

interface Trouble {
  readonly exits: readonly number[];
  readonly says: string;
  readonly code: string;
}

/** The rows between the marks, but for the two of the head. */
function troubles(): Trouble[] {
  const [, table = ""] = /<!-- troubles:[^>]*-->\n([\s\S]*?)<!-- \/troubles -->/.exec(readme()) ?? [];
  const lines = table.trim().split("\n").slice(2);
  return lines.map((line) => {
    const [exits = "", says = "", code = ""] = line.split("|").slice(1).map(bare);
    return { exits: exits.split(", ").map(Number), says, code };
  });
}

const bare = (cell: string): string => cell.trim().replace(/^`(.*)`$/, "$1");

/** The text with its `…` standing for anything. */
const asPattern = (says: string): RegExp =>
  new RegExp(
    says
      .split("…")
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join("[^]*?"),
  );

interface Scene {
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
  /** What the model's server is like; left out: there is none. */
  readonly server?: SimulatorOptions;
  /** What there is before the run. */
  readonly before?: (cwd: string) => unknown;
}

const LOCAL = ["--provider", "local"];
const IN = ["analyze", "in.ndjson"];

/** A folder with an input, and the command run in it; with `--json`, so that its last event tells the code as well. */
async function played({ args, env = {}, server, before }: Scene): Promise<Ended> {
  const cwd = folder();
  writeLines(join(cwd, "in.ndjson"), articles(3));
  const asked = server === undefined ? {} : environment((await simulator(server)).url, "anthropic");
  await before?.(cwd);
  return cli([...args, "--json"], { cwd, env: { ...asked, ...env } });
}

async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A store into which nothing more can be written. */
async function fullStore(cwd: string): Promise<void> {
  const { url } = await simulator();
  const path = join(cwd, "answers.db");
  const filled = await cli([...IN, "-q", "--store", path], { cwd, env: environment(url, "anthropic") });
  expect(filled.code).toBe(0);
  const store = new DatabaseSync(path);
  store.exec("CREATE TRIGGER full BEFORE INSERT ON answers BEGIN SELECT RAISE(FAIL, 'disk full'); END");
  store.close();
}

/** Breaks a promise that everything relies on. */
const BROKEN = `data:text/javascript,${encodeURIComponent("process.cwd = () => { throw new TypeError('no folder'); }")}`;

/** How each message is brought about, by its beginning. */
const SCENES: Readonly<Record<string, Scene | (() => Promise<Scene>)>> = {
  "There is no provider": { args: IN },
  "There are keys for": { args: IN, env: { OPENAI_API_KEY: KEY, MISTRAL_API_KEY: KEY } },
  "… cannot be asked about": {
    args: ["analyze", "odd.ndjson", ...LOCAL],
    before: (cwd) => writeLines(join(cwd, "odd.ndjson"), [{ body: "Rain fell." }, { body: "It stopped." }]),
  },
  "unknown option": { args: [...IN, "--limt", "3"] },
  "… is being written by process": {
    args: [...IN, ...LOCAL, "-o", "out.ndjson"],
    before: (cwd) => writeFileSync(join(cwd, "out.ndjson.lock"), String(process.pid)),
  },
  "… holds answers of a run": {
    args: [...IN, "-o", "out.ndjson", "--no-store"],
    server: {},
    before: (cwd) => writeFileSync(join(cwd, "out.ndjson.partial"), "{}\n"),
  },
  "--serve: port": async () => ({ args: [...IN, ...LOCAL, "--serve", String(await takenPort())] }),
  "A cap on the cost needs": { args: [...IN, "--model", "unheard-of", "--max-cost", "1"], server: {} },
  "… from …: … Check …_API_KEY.": { args: IN, server: { apiKeys: ["another"] } },
  "… Check the model's name": { args: IN, server: { models: ["another"] } },
  "… Add credit": { args: IN, server: { credit: 0 } },
  "Of the cap of": { args: [...IN, "--max-cost", "0.0001"], server: {} },
  "No call has been answered": async () => ({
    args: [...IN, "--max-wait", "1s"],
    env: { OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `http://127.0.0.1:${await freePort()}/v1` },
  }),
  "… longer than the longest wait": {
    args: [...IN, "--max-wait", "1s"],
    server: { faults: { rateLimit429: 1 }, retryAfter: 60 },
  },
  "… records failed": { args: IN, server: { poison: "words" } },
  Reading: {
    args: ["analyze", "cut.ndjson.gz", ...LOCAL],
    before: (cwd) => writeFileSync(join(cwd, "cut.ndjson.gz"), gzipSync('{"content":"Rain fell."}\n').subarray(0, 30)),
  },
  Writing: { args: [...IN, ...LOCAL, "-o", "/dev/full"] },
  "The store": { args: [...IN, "--store", "answers.db", "--fresh"], server: {}, before: fullStore },
  "This is a bug in millrace": { args: [...IN, ...LOCAL], env: { NODE_OPTIONS: `--import ${BROKEN}` } },
};

interface Said {
  readonly event: string;
  readonly message: string;
  readonly code: string;
  readonly exitCode: number;
}

const errorIn = ({ stderr }: Ended): Said | undefined =>
  stderr
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Said)
    .findLast(({ event }) => event === "error");

async function saidOf(trouble: Trouble) {
  const scene = SCENES[beginning(trouble)];
  const ended = await played(typeof scene === "function" ? await scene() : (scene as Scene));
  expect(ended.stderr).not.toContain(KEY);
  const error = errorIn(ended);
  expect(error?.exitCode).toBe(ended.code);
  return { code: error?.code, exits: [ended.code], message: error?.message };
}

const beginning = ({ says }: Trouble) => Object.keys(SCENES).find((start) => says.startsWith(start)) ?? says;

/** So many at a time: most of each is the start of a process. */
const AT_ONCE = 4;
const chunks = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / AT_ONCE) }, (_, index) =>
    all.slice(index * AT_ONCE, (index + 1) * AT_ONCE),
  );

describe("what README says of troubles", () => {
  const coded = troubles().filter(({ code }) => code !== "");

  test("names no trouble that is not tried here, and leaves out none that is", () => {
    expect(coded.map(beginning).toSorted()).toEqual(Object.keys(SCENES).toSorted());
  });

  test("is what is said, with that code and exit", async () => {
    const said: unknown[] = [];
    for (const some of chunks(coded)) said.push(...(await Promise.all(some.map(saidOf))));
    expect(said).toEqual(
      coded.map(({ says, code, exits }) => ({ code, exits, message: expect.stringMatching(asPattern(says)) })),
    );
  });

  test("says of failed records, and of a run that was stopped, what the summary does", async () => {
    const [failed, stopped] = troubles().filter(({ code }) => code === "");
    const cwd = folder();
    const broken = writeLines(join(cwd, "broken.ndjson"), [...articles(2), "no JSON"]);
    const ended = await cli(["analyze", broken, ...LOCAL], { cwd });
    expect([ended.code]).toEqual(failed?.exits);
    expect(ended.stderr).toMatch(asPattern(failed?.says ?? "none"));

    const codes = ["SIGINT", "SIGTERM"].map(async (signal) => {
      const server = await simulator({ latency: 60_000 });
      const args = ["analyze", broken, "-o", `${signal}.ndjson`, "--grace", "0s", "--store", `${signal}.db`];
      const run = startCli(args, { cwd, env: environment(server.url, "anthropic"), input: "" });
      while ((await server.stats()).inFlight === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      run.child.kill(signal as NodeJS.Signals);
      const { code, stderr } = await run.ended;
      expect(stderr).toMatch(asPattern(stopped?.says ?? "none"));
      return code;
    });
    expect(await Promise.all(codes)).toEqual(stopped?.exits);
  });
});
