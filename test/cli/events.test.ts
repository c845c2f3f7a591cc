/** `--json`, `-q`, `-v`, `--log-level`: what stderr holds. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  article,
  articles,
  cli,
  type Ended,
  environment,
  folder,
  KEY,
  simulator,
  startCli,
  writeLines,
} from "../support.ts";

interface Event {
  readonly event: string;
  readonly time: string;
  readonly level: string;
  readonly [fact: string]: unknown;
}

const MARK = "zebrafish";

/** Every line is an event, and none holds a key or the text of an article. */
function eventsOf({ stderr }: Ended): Event[] {
  expect(stderr).not.toContain(KEY);
  expect(stderr).not.toContain(MARK);
  expect(stderr.endsWith("\n")).toBe(true);
  const events = stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Event);
  for (const { event, time } of events) {
    expect(event).toMatch(/^[a-z-]+$/);
    expect(new Date(time).toISOString()).toBe(time);
  }
  return events;
}

const ARGS = ["analyze", "in.ndjson", "-o", "out.ndjson", "--no-store", "--json"];

function prepared(records: readonly (object | string)[]) {
  const cwd = folder();
  writeLines(join(cwd, "in.ndjson"), records);
  return cwd;
}

const marked = (id: string) => ({ ...article(id, 5), title: MARK, content: `${article(id, 5).content} ${MARK}` });
const marks = (count: number) => Array.from({ length: count }, (_, at) => marked(`a${at}`));

describe("with --json every line of stderr is an event", () => {
  test("when all goes well (0)", async () => {
    const cwd = prepared(marks(20));
    const server = await simulator({ latency: 20, limits: { requestsPerMinute: 6_000 } });
    const ended = await cli(ARGS, { cwd, env: environment(server.url, "anthropic") });
    expect(ended.code).toBe(0);
    const events = eventsOf(ended);
    expect(events[0]).toMatchObject({ event: "start", inputs: ["in.ndjson"], providers: [{ provider: "anthropic" }] });
    expect(events.at(-1)).toMatchObject({ event: "summary", written: 20, read: 20, exitCode: 0, error: null });
    expect(events.some(({ event, type }) => event === "lane" && type === "limit-learned")).toBe(true);
  });

  test("when records fail (1): each with its code and place, but nothing of what it held", async () => {
    const lines = [...marks(5), `{"id":"${MARK}`, { ...marked("bad"), content: `POISON ${MARK}` }];
    const cwd = prepared(lines);
    const server = await simulator({ poison: "POISON" });
    const ended = await cli(ARGS, { cwd, env: environment(server.url, "anthropic") });
    expect(ended.code).toBe(1);
    const letters = eventsOf(ended).filter(({ event }) => event === "dead-letter");
    expect(letters.map(({ code, source }) => [code, source]).sort()).toEqual([
      ["invalid_json", { file: "in.ndjson", line: 6, byteOffset: expect.any(Number) }],
      ["invalid_request", { file: "in.ndjson", line: 7, byteOffset: expect.any(Number) }],
    ]);
  });

  const mistakes: readonly (readonly [string, readonly string[]])[] = [
    ["an unknown option", [...ARGS, "--concurency", "3"]],
    ["a value that cannot be", [...ARGS, "-c", "many"]],
    ["a choice that there is not", [...ARGS, "--provider", "nobody"]],
    ["options that contradict each other", [...ARGS, "-q", "--log-level", "info"]],
    ["an input that is not there", ["analyze", "no.ndjson", "-o", "out.ndjson", "--json", "--provider", "local"]],
    ["no provider", ARGS],
    ["a pipeline that is not there", ["run", "no.ts", "in.ndjson", "--json"]],
  ];
  for (const [name, args] of mistakes) {
    test(`for ${name} (2)`, async () => {
      const ended = await cli(args, { cwd: prepared(marks(2)) });
      expect(ended.code).toBe(2);
      const events = eventsOf(ended);
      expect(events).toEqual([
        {
          event: "error",
          time: expect.any(String),
          level: "error",
          code: expect.any(String),
          message: expect.any(String),
          exitCode: 2,
        },
      ]);
      expect(events[0]?.message).not.toMatch(/^error:/);
    });
  }

  test("when the run is stopped (3)", async () => {
    const cwd = prepared(marks(5));
    const server = await simulator({ apiKeys: ["sk-another-key"] });
    const ended = await cli([...ARGS, "-v"], { cwd, env: environment(server.url, "openai") });
    expect(ended.code).toBe(3);
    const events = eventsOf(ended);
    const error = events.find(({ event }) => event === "error");
    expect(error).toMatchObject({
      code: "authentication_failed",
      exitCode: 3,
      stack: expect.stringContaining("    at "),
    });
    expect(events.at(-1)).toMatchObject({ event: "summary", exitCode: 3 });
  });

  test("when it is interrupted (130)", async () => {
    const cwd = prepared(marks(60));
    const server = await simulator({ latency: 200 });
    const { child, ended } = startCli([...ARGS, "-c", "5"], {
      cwd,
      env: environment(server.url, "anthropic"),
      input: "",
    });
    while ((await server.stats()).inFlight < 5) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGINT");
    const done = await ended;
    expect(done.code).toBe(130);
    const names = eventsOf(done).map(({ event }) => event);
    expect(names).toContain("stopping");
    expect(names.at(-1)).toBe("summary");
  });

  test("for what a pipeline file leaves to itself: a warning, an error that nobody catches", async () => {
    const cwd = prepared(marks(3));
    const stages = `() => [async (record) => {
      process.emitWarning("take care");
      setTimeout(() => { throw new Error("too late"); }, 50);
      await new Promise((resolve) => setTimeout(resolve, 60_000));
      return record;
    }]`;
    writeLines(join(cwd, "own.ts"), [
      `import { definePipeline } from "millrace";`,
      `export default definePipeline({ description: "own", stages: ${stages} });`,
    ]);
    const ended = await cli(["run", "own.ts", "in.ndjson", "-o", "out.ndjson", "--json"], { cwd });
    expect(ended.code).toBe(3);
    const events = eventsOf(ended);
    expect(events).toContainEqual(expect.objectContaining({ event: "warning", message: "Warning: take care" }));
    expect(events.at(-1)).toMatchObject({ event: "error", message: expect.stringContaining("too late"), exitCode: 3 });
  });

  test("with -v each call and what is done after one that failed", async () => {
    const cwd = prepared(marks(40));
    const server = await simulator({ faults: { error500: 0.2, rateLimit429: 0.2 }, retryAfter: 0.01 });
    const flags = [...ARGS, "-v", "--report", "report.json"];
    const events = eventsOf(await cli(flags, { cwd, env: environment(server.url, "anthropic") }));
    const ledger = await server.ledger();
    expect(events.filter(({ event }) => event === "call")).toHaveLength(ledger.length);
    const steps = events.filter(({ event }) => event === "retry").map(({ action }) => action);
    const failed = (outcome: string) => ledger.filter((entry) => entry.outcome === outcome).length;
    expect(steps.filter((step) => step === "wait")).toHaveLength(failed("rateLimit429"));
    expect(steps.filter((step) => step !== "wait")).toHaveLength(failed("error500"));
  });
});

describe("for a person", () => {
  const args = ARGS.filter((arg) => arg !== "--json");
  const broken = () => prepared([...articles(2, 5), "no json"]);
  const local = ["--provider", "local"];

  test("-q leaves nothing but errors", async () => {
    expect(await cli([...args, ...local, "-q"], { cwd: broken() })).toMatchObject({ code: 1, stderr: "" });
    const wrong = await cli([...args, "-q"], { cwd: broken() });
    expect([wrong.code, wrong.stderr.split("\n")[0]]).toEqual([2, expect.stringMatching(/^millrace: /)]);
  });

  test("--log-level warn leaves out the summary, info has it, and no more", async () => {
    expect((await cli([...args, ...local, "--log-level", "warn"], { cwd: broken() })).stderr).toBe("");
    const info = await cli([...args, ...local], { cwd: broken() });
    expect(info.stderr).toMatch(/^Done in .*\n {2}failed {7}33 %: 1 not valid JSON\n/);
  });

  test("-v says where each record failed, and where an error comes from", async () => {
    const verbose = await cli([...args, ...local, "-v"], { cwd: broken() });
    expect(verbose.stderr).toContain("in.ndjson:3: invalid_json in read, after 0 calls");
    const wrong = await cli([...args, "-v", "--provider", "local", "--prompt", "no.txt"], { cwd: broken() });
    expect(wrong.stderr).toMatch(/ {4}at .*\n.*caused by Error: ENOENT/s);
    const plain = await cli([...args, "--provider", "local", "--prompt", "no.txt"], { cwd: broken() });
    expect(plain.stderr.trim().split("\n")).toHaveLength(1);
  });

  test("what repeats a key, as an error of the user's own may, does not show it", async () => {
    const cwd = prepared(articles(2, 5));
    const stages = "() => [() => { throw new Error(process.env.OPENAI_API_KEY); }]";
    writeLines(join(cwd, "own.ts"), [
      `import { definePipeline } from "millrace";`,
      `export default definePipeline({ description: "own", stages: ${stages} });`,
    ]);
    const own = ["run", "own.ts", "in.ndjson", "-o", "out.ndjson", "-v"];
    const ended = await cli(own, { cwd, env: { OPENAI_API_KEY: KEY } });
    expect(ended.stderr).not.toContain(KEY);
  });
});
