/** The package as it is installed: what it holds, what its declarations say, and that it works with nothing else around. */

import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { articles, endOf, environment, KEY, ROOT, readRows, simulator, VENDOR_NAMES, writeLines } from "./support.ts";

const home = mkdtempSync(join(tmpdir(), "millrace-package-"));
const project = join(home, "project");
const BIN = join(ROOT, "node_modules/.bin");
let tarball = "";

/** What `npm install millrace typescript zod` would put there: of our dependencies those only that are not for building. */
function install(): void {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  const needed = Object.keys(lock.packages).filter((path) => {
    const own = path.startsWith("node_modules/") && path.lastIndexOf("node_modules/") === 0;
    return own && lock.packages[path]?.dev !== true && existsSync(join(ROOT, path));
  });
  for (const path of new Set([...needed, "node_modules/typescript", "node_modules/zod"])) {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    symlinkSync(join(ROOT, path), join(project, path));
  }
  const place = join(project, "node_modules/millrace");
  mkdirSync(place, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", place, "--strip-components", "1"]);
  mkdirSync(join(project, "node_modules/.bin"));
  // As npm does with every `bin`.
  chmodSync(join(place, "src/cli/millrace.js"), 0o755);
  symlinkSync("../millrace/src/cli/millrace.js", join(project, "node_modules/.bin/millrace"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "project", private: true, type: "module" }));
}

function run(command: string, args: readonly string[], env: Record<string, string> = {}) {
  const PATH = `${join(project, "node_modules/.bin")}:${dirname(process.execPath)}:${process.env.PATH}`;
  return endOf(
    spawn(command, args, { cwd: project, env: { PATH, HOME: home, ...env }, stdio: ["ignore", "pipe", "pipe"] }),
  );
}

/** Keys and servers of all three, at one simulator. */
const everybody = (url: string): Record<string, string> =>
  Object.assign({}, ...VENDOR_NAMES.map((vendor) => environment(url, vendor)));

beforeAll(() => {
  mkdirSync(project);
  execFileSync("npm", ["pack", "--silent", "--pack-destination", home], { cwd: ROOT, stdio: "pipe" });
  tarball = join(home, readdirSync(home).find((name) => name.endsWith(".tgz")) ?? "");
  install();
}, 120_000);

afterAll(() => rmSync(home, { recursive: true, force: true }));

describe("the package", () => {
  test("passes publint and are-the-types-wrong, as a package for `import`", async () => {
    const [lint, types] = await Promise.all([
      run(join(BIN, "publint"), [tarball, "--strict"]),
      run(join(BIN, "attw"), [tarball, "--profile", "esm-only"]),
    ]);
    expect(lint).toMatchObject({ code: 0 });
    expect(lint.stdout).toContain("All good!");
    expect(types).toMatchObject({ code: 0 });
  });

  test("holds what it needs and nothing that is only for building", () => {
    const names = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).trim().split("\n");
    for (const name of [
      "package.json",
      "LICENSE",
      "README.md",
      "dist/index.js",
      "dist/index.d.ts",
      "dist/cli/main.js",
    ]) {
      expect(names).toContain(`package/${name}`);
    }
    expect(names.filter((name) => !/^package\/(dist|src|pipelines|samples|[\w.]+$)/.test(name))).toEqual([]);
    expect(names.filter((name) => /test|\.env|\.db$|\.partial/.test(name))).toEqual([]);
    expect(readFileSync(tarball).length).toBeLessThan(1_000_000);
  });

  test("compiles strictly in a project with TypeScript and nothing else, its own declarations checked too", async () => {
    for (const name of ["streams.ts", "types.ts", "clients.js"])
      cpSync(join(ROOT, "test/package", name), join(project, name));
    const strict = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
    };
    const compilerOptions = {
      ...strict,
      module: "nodenext",
      target: "es2024",
      lib: ["es2024"],
      noEmit: true,
      checkJs: true,
    };
    writeFileSync(
      join(project, "tsconfig.json"),
      JSON.stringify({ compilerOptions, files: ["streams.ts", "types.ts", "clients.js"] }),
    );
    expect(await run(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc")])).toMatchObject({
      code: 0,
      stdout: "",
    });
  }, 60_000);

  test("runs a script in TypeScript: Node's own pipeline, both kinds of schema, an abort that leaves nothing", async () => {
    const server = await simulator({ latency: { min: 5, max: 40 } });
    writeLines(join(project, "in.ndjson"), articles(12));
    const ended = await run(process.execPath, ["streams.ts"], everybody(server.url));
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const said = JSON.parse(ended.stdout) as { typed: number; tones: string[]; counted: object[]; aborted: string };
    expect(said).toMatchObject({ typed: 11, aborted: expect.stringMatching(/abort/i) });
    expect(said.tones.every((tone) => ["negative", "neutral", "positive"].includes(tone))).toBe(true);
    expect(said.counted).toHaveLength(12);
    expect(said.counted[0]).toMatchObject({ id: "a0", value: { n: expect.any(Number) } });
    expect(readRows(join(project, "typed.ndjson")).map(({ id }) => id)).toEqual(
      articles(12).flatMap(({ id }) => (id === "a1" ? [] : [id.toUpperCase()])),
    );
    expect(existsSync(join(project, "aborted.ndjson"))).toBe(false);
  }, 60_000);

  test("runs a script in JavaScript: the high-level clients, the blocking one too", async () => {
    const server = await simulator({ apiKeys: [KEY] });
    const ended = await run(process.execPath, ["clients.js"], everybody(server.url));
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(ended.stdout)).toEqual({
      one: "string",
      many: [...Array(6).fill("string"), "undefined"],
      connected: true,
      provider: "openai",
      processed: 6,
      blocking: 6,
      refused: ["ClientError", "authentication_failed"],
    });
  }, 60_000);

  test("brings the command line, from what was built, and pipeline files in TypeScript", async () => {
    writeLines(join(project, "in.ndjson"), articles(12));
    const analysed = await run("millrace", ["analyze", "in.ndjson", "-o", "out.ndjson", "--provider", "local"]);
    expect(analysed).toMatchObject({ code: 0, stdout: "" });
    expect(readRows(join(project, "out.ndjson"))).toHaveLength(12);
    writeFileSync(
      join(project, "own.ts"),
      `import { analyze, definePipeline, type Article } from "millrace";
      export default definePipeline({
        description: "Ours",
        stages: ({ provider, options }) => [(article: Article) => ({ ...article, title: "T" }), analyze({ provider, ...options })],
      });`,
    );
    const ran = await run("millrace", ["run", "own.ts", "in.ndjson", "--provider", "local", "--limit", "3"]);
    expect(ran).toMatchObject({ code: 0 });
    expect(
      ran.stdout
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { title: string }).title),
    ).toEqual(["T", "T", "T"]);
    // Without its sources it does the same: nothing of them is run.
    for (const entry of readdirSync(join(project, "node_modules/millrace/src"))) {
      if (entry !== "cli") rmSync(join(project, "node_modules/millrace/src", entry), { recursive: true });
    }
    expect(await run("millrace", ["--version"])).toMatchObject({ code: 0, stderr: "" });
  }, 60_000);

  test("has a Dockerfile whose copied files are there and not shut out", () => {
    const copied = readFileSync(join(ROOT, "Dockerfile"), "utf8")
      .split("\n")
      .filter((line) => /^COPY (?!--from)/.test(line))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    const allowed = readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n");
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) {
      expect(existsSync(join(ROOT, path)), path).toBe(true);
      expect(allowed, path).toContain(`!${path.split("/")[0]}`);
    }
  });
});
