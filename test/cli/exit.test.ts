/** What the command line says and how it exits, on success and on a user's mistakes. */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startSimulator } from "../../src/simulator/simulator.ts";
import {
  article,
  articles,
  cli,
  type Ended,
  environment,
  folder,
  KEY,
  readRows,
  rows,
  simulator,
  startCli,
  VENDOR_NAMES,
  writeLines,
} from "../support.ts";

function prepared(count = 3): string {
  const cwd = folder();
  writeLines(join(cwd, "in.ndjson"), articles(count));
  return cwd;
}

/** A user's mistake is told in one line that says what to do, never by a stack. */
function expectMistake(ended: Ended, ...words: string[]): void {
  expect(ended.code).toBe(2);
  expect(ended.stdout).toBe("");
  for (const word of words) expect(ended.stderr).toContain(word);
  expect(ended.stderr).not.toMatch(/^\s+at /m);
}

describe("the command line", () => {
  test("analyses offline from a file to a file: exit 0, nothing on stdout, a summary on stderr", async () => {
    const cwd = prepared();
    const ended = await cli(
      ["analyze", "in.ndjson", "-o", "deep/out.ndjson", "--provider", "local", "--report", "r.json"],
      { cwd },
    );
    expect(ended).toMatchObject({ code: 0, stdout: "" });
    expect(ended.stderr).toContain("3 written, 0 failed, 0 dropped, of 3 read");
    expect(readRows(join(cwd, "deep/out.ndjson")).map((row) => row.id)).toEqual(["a0", "a1", "a2"]);
    expect(existsSync(join(cwd, "deep/out.failed.ndjson"))).toBe(false);
    expect(JSON.parse(readFileSync(join(cwd, "r.json"), "utf8"))).toMatchObject({ exitCode: 0, read: 3, written: 3 });
  });

  test("reads stdin and writes records, and nothing else, to stdout", async () => {
    const cwd = folder();
    const input = `${JSON.stringify(article("x"))}\nbroken\n${JSON.stringify({ content: "No id here." })}\n`;
    const ended = await cli(["analyze", "--provider", "local"], { cwd, input });
    expect(ended.code).toBe(1);
    const [first, second] = rows(ended.stdout);
    expect(first).toMatchObject({ id: "x", title: "About x", provider: "local" });
    expect(second).toMatchObject({ line: 3 });
    expect(readRows(join(cwd, "dead-letters.ndjson"))).toMatchObject([
      { source: { file: "-", line: 2 }, error: { code: "invalid_json" } },
    ]);
  });

  test("--max-failures allows so many failed records, or such a part of them", async () => {
    const cwd = folder();
    const input = `${articles(9)
      .map((each) => JSON.stringify(each))
      .join("\n")}\nbroken\n`;
    for (const [limit, code] of [
      ["0", 1],
      ["1", 0],
      ["10%", 0],
      ["9.9%", 1],
    ] as const) {
      const ended = await cli(["analyze", "--provider", "local", "--max-failures", limit, "-q"], { cwd, input });
      expect([limit, ended.code, ended.stderr]).toEqual([limit, code, ""]);
    }
  });

  test("ends quietly with 0 when the reader of stdout leaves", async () => {
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), articles(3_000, 5));
    const script = `"${process.execPath}" "$MILLRACE" analyze in.ndjson --provider local 2>err.txt | head -n 1 >/dev/null; echo "\${PIPESTATUS[0]}"`;
    const env = { PATH: process.env.PATH ?? "", MILLRACE: join(import.meta.dirname, "../../src/cli/millrace.js") };
    expect(execFileSync("bash", ["-c", script], { cwd, env, encoding: "utf8" }).trim()).toBe("0");
    expect(readFileSync(join(cwd, "err.txt"), "utf8")).not.toContain("millrace:");
  });

  test("a missing file, a folder and a misspelt flag are exit 2", async () => {
    const cwd = prepared();
    expectMistake(
      await cli(["analyze", "nowhere.ndjson", "--provider", "local"], { cwd }),
      "nowhere.ndjson",
      "no such file",
    );
    expectMistake(await cli(["analyze", ".", "--provider", "local"], { cwd }), "directory");
    expectMistake(
      await cli(["analyze", "in.ndjson", "--providr", "local"], { cwd }),
      "--providr",
      "Did you mean --provider?",
    );
    expectMistake(await cli(["analyse", "in.ndjson"], { cwd }), "Did you mean analyze?");
    expectMistake(await cli(["analyze", "in.ndjson", "--provider", "antropic"], { cwd }), "anthropic");
    expectMistake(await cli(["analyze", "in.ndjson", "--provider", "local", "--timeout", "60"], { cwd }), "60s");
    expectMistake(await cli(["analyze", "in.ndjson", "--provider", "local", "-o", "out.xz"], { cwd }), ".xz");
    expectMistake(await cli(["run", "in.ndjson"], { cwd }), "in.ndjson");
  });

  test("no provider, several, and a missing key are exit 2 with nothing sent", async () => {
    const cwd = prepared();
    const server = await startSimulator();
    try {
      const env = environment(server.url, "openai");
      expectMistake(await cli(["analyze", "in.ndjson"], { cwd }), "ANTHROPIC_API_KEY", "--provider local");
      expectMistake(
        await cli(["analyze", "in.ndjson"], { cwd, env: { ...env, MISTRAL_API_KEY: KEY } }),
        "openai and mistral",
        "--provider",
      );
      expectMistake(await cli(["analyze", "in.ndjson", "--provider", "anthropic"], { cwd, env }), "ANTHROPIC_API_KEY");
      expect(server.stats().requests).toBe(0);
      expect((await cli(["analyze", "in.ndjson"], { cwd, env })).code).toBe(0);
    } finally {
      await server.close();
    }
  });

  test("refuses to write over its input, and without a store over what a paid run has left unless --fresh", async () => {
    const cwd = prepared();
    const server = await startSimulator();
    try {
      const env = environment(server.url, "anthropic");
      expectMistake(await cli(["analyze", "in.ndjson", "-o", "./in.ndjson"], { cwd, env }), "same file");
      writeFileSync(join(cwd, "out.ndjson.partial"), "{}\n");
      expectMistake(
        await cli(["analyze", "in.ndjson", "-o", "out.ndjson", "--no-store"], { cwd, env }),
        "out.ndjson.partial",
        "--fresh",
      );
      expect(server.stats().requests).toBe(0);
      expect(
        (await cli(["analyze", "in.ndjson", "-o", "out.ndjson", "--no-store", "--fresh"], { cwd, env })).code,
      ).toBe(0);
      expect(existsSync(join(cwd, "out.ndjson.partial"))).toBe(false);
    } finally {
      await server.close();
    }
  });

  for (const vendor of VENDOR_NAMES) {
    test(`${vendor}: a bad key and an unknown model are exit 3 with one clear message, after a window of requests at most`, async () => {
      const cwd = folder();
      writeLines(join(cwd, "in.ndjson"), articles(500, 5));
      const server = await startSimulator({ apiKeys: ["another"], latency: 20 });
      try {
        const env = environment(server.url, vendor);
        const args = ["analyze", "in.ndjson", "-o", "out.ndjson", "-c", "8"];
        const bad = await cli(args, { cwd, env });
        expect(bad.code).toBe(3);
        expect(bad.stderr).toContain(`${vendor.toUpperCase()}_API_KEY`);
        expect(bad.stderr).not.toContain(KEY);
        expect(server.stats().requests).toBeLessThanOrEqual(8);
        server.set({ apiKeys: [KEY], models: ["m-known"] });
        const unknown = await cli([...args, "--model", "m-unknown"], { cwd, env });
        expect(unknown.code).toBe(3);
        expect(unknown.stderr).toContain("m-unknown");
        expect(unknown.stderr.match(/^millrace:/gm)).toHaveLength(1);
        expect(server.stats().requests).toBeLessThanOrEqual(16);
        expect(existsSync(join(cwd, "out.ndjson"))).toBe(false);
      } finally {
        await server.close();
      }
    });
  }

  test("a Node that is too old gets one clear line", async () => {
    const source = readFileSync(new URL("../../src/cli/millrace.js", import.meta.url), "utf8");
    const cwd = folder();
    // The launcher itself, told that it runs under an old version.
    writeFileSync(
      join(cwd, "old.mjs"),
      source.replace("process.versions.node.split", '"20.11.0".split').replace(/^#!.*\n/, ""),
    );
    const { spawnSync } = await import("node:child_process");
    const ended = spawnSync(process.execPath, ["old.mjs"], { cwd, encoding: "utf8" });
    expect(ended.status).toBe(2);
    expect(ended.stderr.trim().split("\n")).toHaveLength(1);
    expect(ended.stderr).toContain("Node 22.19 or newer");
  });
});

describe("places and mistakes that cost records elsewhere", () => {
  const local = ["--provider", "local"];

  test("an input that the output's partial name would destroy is refused", async () => {
    const cwd = folder();
    writeLines(join(cwd, "out.ndjson.partial"), articles(3));
    expectMistake(await cli(["analyze", "out.ndjson.partial", "-o", "out.ndjson", ...local], { cwd }), "same file");
    expect(readRows(join(cwd, "out.ndjson.partial"))).toHaveLength(3);
  });

  test("a second live run on one output is refused and the first is left alone", async () => {
    const cwd = prepared(30);
    const server = await simulator({ latency: 1_500 });
    const args = ["analyze", "in.ndjson", "-o", "out.ndjson", "-c", "10"];
    const first = startCli(args, { cwd, env: environment(server.url, "anthropic"), input: "" });
    while ((await server.stats()).inFlight < 10) await new Promise((resolve) => setTimeout(resolve, 5));
    expectMistake(await cli(["analyze", "in.ndjson", "-o", "out.ndjson", ...local], { cwd }), "process");
    expect((await first.ended).code).toBe(0);
    expect(readRows(join(cwd, "out.ndjson"))).toHaveLength(30);
    expect(existsSync(join(cwd, "out.ndjson.lock"))).toBe(false);
  });

  test("a pipeline's own sink may not be its input, and two may not be one file", async () => {
    const cwd = prepared();
    const file = (name: string, sink: string) =>
      writeFileSync(
        join(cwd, name),
        `import { definePipeline, route, write } from "millrace"; export default definePipeline({ description: "x", stages: () => [${sink}] });`,
      );
    file("own.ts", 'write("in.ndjson")');
    expectMistake(await cli(["run", "own.ts", "in.ndjson"], { cwd }), "same file");
    file("two.ts", 'route(() => "a", { a: write("x.ndjson"), b: write("x.ndjson") })');
    expectMistake(await cli(["run", "two.ts", "in.ndjson"], { cwd }), "same file");
    expect(readRows(join(cwd, "in.ndjson"))).toHaveLength(3);
  });

  test("a device and a pipe are written directly", async () => {
    const cwd = prepared();
    const run = (command: string) => {
      const script = command.replaceAll(
        "millrace",
        `"${process.execPath}" "${join(import.meta.dirname, "../../src/cli/millrace.js")}"`,
      );
      return execFileSync("bash", ["-c", script], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    };
    expect(rows(run("millrace analyze in.ndjson --provider local -o /dev/stdout | cat"))).toHaveLength(3);
    expect(rows(run("mkfifo p; millrace analyze in.ndjson --provider local -o p & cat p; wait"))).toHaveLength(3);
    expect(run("millrace analyze in.ndjson --provider local -o /dev/null")).toBe("");
  });

  test("a pipeline file's faults are told as its own, without a stack", async () => {
    const cwd = prepared();
    const run = async (name: string, stages: string) => {
      writeFileSync(
        join(cwd, name),
        `import { definePipeline } from "millrace"; import { Transform } from "node:stream"; export default definePipeline({ description: "x", stages: () => ${stages} });`,
      );
      return await cli(["run", name, "in.ndjson"], { cwd });
    };
    expectMistake(await run("throws.ts", "nowhere.at.all"), "ReferenceError", "(throws.ts:1)");
    writeFileSync(join(cwd, "cut.ts"), 'import { map } from "millrace";\nexport default {');
    expectMistake(await cli(["run", "cut.ts", "in.ndjson"], { cwd }), "could not be loaded: SyntaxError", "(cut.ts:2)");
    expectMistake(await run("object.ts", "({})"), "object.ts", "list of stages");
    const deaf = await run("deaf.ts", "[new Transform({ objectMode: true, transform() {} })]");
    expect(deaf).toMatchObject({ code: 3, stderr: expect.stringContaining("standstill") });
    const lost = await run("lost.ts", '[(record) => { Promise.reject(new Error("lost")); return record; }]');
    expect(lost).toMatchObject({ code: 3, stderr: expect.stringMatching(/^millrace: .*lost/) });
  });

  test("dead letters have no place on stdout, and a report makes its folder", async () => {
    const cwd = prepared();
    expectMistake(await cli(["analyze", "in.ndjson", "--dead-letters", "-", ...local], { cwd }), "--dead-letters");
    expect(
      (await cli(["analyze", "in.ndjson", "-o", "o.ndjson", "--report", "new/r.json", ...local], { cwd })).code,
    ).toBe(0);
    expect(existsSync(join(cwd, "new/r.json"))).toBe(true);
  });

  test("values that cannot be are refused with what can", async () => {
    const cwd = prepared();
    for (const [flag, value, hint] of [
      ["--timeout", "1h junk", "60s"],
      ["--timeout", "30d", "24 days"],
      ["-c", "100000000", "10000"],
      ["--max-failures", "200%", "200%"],
      ["--max-output-tokens", "9", "embedded"],
    ] as const) {
      expectMistake(await cli(["analyze", "in.ndjson", flag, value, ...local], { cwd }), hint);
    }
  });
});
