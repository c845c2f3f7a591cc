/** `millrace init`: what it writes runs by the commands that it prints, and typechecks. */

import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { editorSchema } from "../../src/config/editor-schema.ts";
import { shell } from "../clone.ts";
import { cli, folder, ROOT, readRows } from "../support.ts";

const FILES = ["articles.ndjson", "millrace.schema.json", "millrace.yaml", "pipeline.ts"];

/** The commands it prints: its indented lines. */
const commands = (told: string) => told.split("\n").filter((line) => line.startsWith("  "));

test("what it prints can be typed at once, offline", async () => {
  const cwd = folder();
  const made = await cli(["init", "a first 'go'"], { cwd, env: { npm_command: "exec" } });
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect(readdirSync(join(cwd, "a first 'go'")).sort()).toEqual(FILES);
  expect(commands(made.stdout)).toHaveLength(4);
  const run = await shell(commands(made.stdout).join(" &&\n"), cwd);
  expect(run).toMatchObject({ code: 0 });
  expect(run.stdout).toMatch(/^provider: local +# millrace\.yaml:\d+$/m);
  const out = (name: string) => readRows(join(cwd, "a first 'go'/out", name));
  expect(out("analyses.ndjson")).toHaveLength(8);
  expect(Object.keys(out("rows.ndjson")[0] ?? {})).toEqual(["id", "title", "tone", "topics", "summary"]);
});

test("it leaves alone what is there and says so", async () => {
  const cwd = folder();
  writeFileSync(join(cwd, "pipeline.ts"), "mine");
  symlinkSync("nowhere", join(cwd, "millrace.yaml"));
  const made = await cli(["init"], { cwd });
  expect(made.code).toBe(0);
  expect(made.stdout).toContain("Written: articles.ndjson, millrace.schema.json\n");
  expect(made.stdout).toContain("There already, and left alone: pipeline.ts, millrace.yaml\n");
  expect(commands(made.stdout)[0]).toMatch(/^ {2}millrace run /);
  expect(readFileSync(join(cwd, "pipeline.ts"), "utf8")).toBe("mine");
  expect(readdirSync(cwd).sort()).toEqual(FILES);
});

test("it refuses a folder that cannot be one", async () => {
  const cwd = folder();
  writeFileSync(join(cwd, "file"), "");
  const made = await cli(["init", "file/project"], { cwd });
  expect(made).toMatchObject({ code: 2, stdout: "" });
  expect(made.stderr).toMatch(/^millrace: file\/project cannot be made/);
});

test("its pipeline typechecks, and its configuration names the schema that the code makes", async () => {
  const cwd = folder();
  await cli(["init"], { cwd });
  mkdirSync(join(cwd, "node_modules"));
  symlinkSync(ROOT, join(cwd, "node_modules/millrace"));
  symlinkSync(join(ROOT, "node_modules/@types"), join(cwd, "node_modules/@types"));
  const options = "--noEmit --strict --skipLibCheck --target es2024 --module nodenext --types node";
  const source = "--customConditions millrace-source --rewriteRelativeImportExtensions --lib es2024,esnext.disposable";
  expect(await shell(`tsc ${options} ${source} pipeline.ts`, cwd)).toMatchObject({ code: 0, stdout: "" });
  const [first] = readFileSync(join(cwd, "millrace.yaml"), "utf8").split("\n");
  expect(first).toBe("# yaml-language-server: $schema=./millrace.schema.json");
  expect(JSON.parse(readFileSync(join(cwd, "millrace.schema.json"), "utf8"))).toEqual(
    JSON.parse(JSON.stringify(editorSchema())),
  );
});
