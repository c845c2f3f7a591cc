/** The panel on a terminal: a pseudo-terminal by `script`, read by the terminal emulator of VS Code. */

import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import headless from "@xterm/headless";
import { describe, expect, onTestFinished, test } from "vitest";
import { articles, environment, folder, ROOT, simulator, TIMED, writeLines } from "../support.ts";

/** Only that of util-linux takes a command by `-c`. */
const hasScript = (() => {
  try {
    return execFileSync("script", ["--version"], { encoding: "utf8" }).includes("util-linux");
  } catch {
    return false;
  }
})();

async function terminal(
  command: string,
  { env, cwd, columns = 80, rows = 24 }: { env: Record<string, string>; cwd: string; columns?: number; rows?: number },
) {
  const screen = new headless.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: false });
  const millrace = `${process.execPath} ${join(ROOT, "src/cli/millrace.js")}`;
  const shell = `stty cols ${columns} rows ${rows}; ${command.replaceAll("millrace", millrace)}`;
  const child = spawn("script", ["-qec", shell, "/dev/null"], {
    cwd,
    env: { PATH: process.env.PATH ?? "", HOME: cwd, TERM: "xterm-256color", LANG: "C.UTF-8", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let raw = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    raw += text;
    screen.write(text);
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const shown = async (): Promise<string[]> => {
    await new Promise<void>((resolve) => screen.write("", resolve));
    const { buffer } = screen;
    const all = Array.from(
      { length: buffer.active.length },
      (_, at) => buffer.active.getLine(at)?.translateToString(true) ?? "",
    );
    while (all.at(-1) === "") all.pop();
    return all;
  };
  const until = async (holds: (lines: string[]) => boolean): Promise<string[]> => {
    for (;;) {
      const lines = await shown();
      if (holds(lines)) return lines;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return { child, ended, shown, until, raw: () => raw };
}

const inPanel = (lines: readonly string[]) =>
  lines.filter((line) => /^(in\.ndjson +[█░]|calls +\d|used +cost)/.test(line));

async function prepared(latency = 150, count = 120) {
  const cwd = folder();
  writeLines(join(cwd, "in.ndjson"), articles(count, 5));
  const server = await simulator({ latency });
  return { cwd, env: environment(server.url, "anthropic"), server };
}

describe.skipIf(!hasScript)("on a terminal the panel", () => {
  for (const columns of [80, 40, 200]) {
    test(`stands in its place while the run goes on, and is gone when it is over, at ${columns} columns`, async () => {
      const { cwd, env } = await prepared();
      const tty = await terminal("millrace analyze in.ndjson -o out.ndjson -c 8", { cwd, env, columns });
      const during = await tty.until((lines) => lines.some((line) => / of 8 in flight/.test(line)));
      expect(during.length).toBeLessThanOrEqual(6);
      expect(during.filter((line) => line.includes("in flight"))).toHaveLength(1);
      expect(await tty.ended).toBe(0);
      const after = await tty.shown();
      expect(after[0]).toMatch(/^Done in /);
      expect(after.join("\n")).not.toContain("in flight");
      // The cursor was never hidden, nor the other screen taken.
      expect(tty.raw()).not.toMatch(/\?25l|\?1049/);
    });
  }

  test("is drawn for one of the usual size where the terminal does not know its own", async () => {
    const { cwd, env } = await prepared();
    const tty = await terminal("stty cols 0 rows 0; millrace analyze in.ndjson -o out.ndjson -c 8", { cwd, env });
    await tty.until((lines) => lines.some((line) => / of 8 in flight/.test(line)));
    expect(await tty.ended).toBe(0);
  });

  test("is drawn four times a second at most, and lines of others appear above it whole", TIMED, async () => {
    const { cwd, env } = await prepared();
    writeLines(join(cwd, "own.ts"), [
      `import { analyze, definePipeline } from "millrace";`,
      "let n = 0;",
      `const speak = (record: object) => { console.error("line " + ++n); return record; };`,
      `export default definePipeline({ description: "own", stages: ({ provider, options }) => [analyze({ provider, ...options }), speak] });`,
    ]);
    const tty = await terminal("millrace run own.ts in.ndjson -o out.ndjson -c 8", { cwd, env });
    const started = performance.now();
    expect(await tty.ended).toBe(0);
    const seconds = (performance.now() - started) / 1_000;
    const lines = await tty.shown();
    const spoken = lines.filter((line) => line.startsWith("line "));
    expect(spoken).toEqual(Array.from({ length: 120 }, (_, at) => `line ${at + 1}`));
    expect(inPanel(lines)).toEqual([]);
    const pictures = tty.raw().split("in flight").length - 1;
    expect(pictures).toBeGreaterThan(2);
    expect(pictures).toBeLessThanOrEqual(seconds * 4 + 1);
  });

  test("makes room for records that go to the same terminal", async () => {
    const { cwd, env } = await prepared();
    writeLines(join(cwd, "ask.txt"), ["About {{id}}: {{content}}"]);
    const command = "millrace analyze in.ndjson -c 8 --limit 30 --prompt ask.txt";
    const tty = await terminal(command, { cwd, env, columns: 2_000, rows: 60 });
    expect(await tty.ended).toBe(0);
    const records = (await tty.shown()).filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
    expect(records).toHaveLength(30);
  });

  test("goes on Ctrl-C, and the last words stand alone", async () => {
    const { cwd, env } = await prepared(300);
    const tty = await terminal("millrace analyze in.ndjson -o out.ndjson -c 4", { cwd, env });
    await tty.until((lines) => lines.some((line) => / of 4 in flight/.test(line)));
    tty.child.stdin.write("\u0003");
    expect(await tty.ended).toBe(130);
    const after = await tty.shown();
    expect(after.join("\n")).toMatch(/Stopping: calls in flight may end[\s\S]*Interrupted in/);
    expect(inPanel(after)).toEqual([]);
  });

  test("steps aside when the run is suspended, and comes back with it", async () => {
    const { cwd, env } = await prepared(300, 40);
    const command = "set -m; millrace analyze in.ndjson -o out.ndjson -c 4; echo suspended; read go; fg";
    const tty = await terminal(command, { cwd, env });
    await tty.until((lines) => lines.some((line) => / of 4 in flight/.test(line)));
    tty.child.stdin.write("\u001a");
    const away = await tty.until((lines) => lines.includes("suspended"));
    expect(inPanel(away)).toEqual([]);
    tty.child.stdin.write("\n");
    await tty.until((lines) => lines.some((line) => / of 4 in flight/.test(line)));
    expect(await tty.ended).toBe(0);
    const after = await tty.shown();
    expect(after.join("\n")).toContain("40 written");
    expect(inPanel(after)).toEqual([]);
  });

  test("gives way to plain lines where TERM is dumb or --progress says so", async () => {
    const { cwd, env } = await prepared(20);
    for (const [extra, flags] of [
      [{ TERM: "dumb" }, ""],
      [{}, "--progress line"],
      [{}, "--progress none"],
      [{}, "--json"],
    ] as const) {
      const command = `millrace analyze in.ndjson -o out.ndjson --no-store ${flags}`;
      const tty = await terminal(command, { cwd, env: { ...env, ...extra } });
      expect(await tty.ended).toBe(0);
      expect(tty.raw()).not.toContain("\u001b");
    }
  });

  test("has no colours with NO_COLOR", async () => {
    const { cwd, env } = await prepared();
    const tty = await terminal("millrace analyze in.ndjson -o out.ndjson -c 8", {
      cwd,
      env: { ...env, NO_COLOR: "1" },
    });
    expect(await tty.ended).toBe(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
    expect(tty.raw()).not.toMatch(/\u001b\[[\d;]*m/);
    expect(tty.raw()).toContain("in flight");
  });
});
