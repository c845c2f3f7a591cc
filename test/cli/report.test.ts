/** `--report` and its schema. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { SCHEMA, schemaText } from "../options-table.ts";
import { articles, cli, environment, folder, KEY, simulator, startCli, writeLines } from "../support.ts";

const schema = JSON.parse(schemaText());
// Of a format the syntax is checked below.
const valid = new Ajv({ strict: false, allErrors: true, formats: { date: true, "date-time": true } }).compile(schema);

function checked(cwd: string) {
  const text = readFileSync(join(cwd, "report.json"), "utf8");
  const report = JSON.parse(text);
  valid(report);
  expect(valid.errors).toBeNull();
  for (const at of [report.startedAt, report.endedAt]) expect(new Date(at).toISOString()).toBe(at);
  expect(text).not.toContain(KEY);
  expect(text).not.toContain("several plain words");
  return report;
}

const ARGS = ["analyze", "in.ndjson", "-o", "out.ndjson", "--report", "report.json"];

function prepared(count: number) {
  const cwd = folder();
  writeLines(join(cwd, "in.ndjson"), articles(count, 5));
  return cwd;
}

describe("the report of a run", () => {
  test("that went well fits its schema", async () => {
    const cwd = prepared(12);
    const server = await simulator({ latency: 20, limits: { requestsPerMinute: 6_000 } });
    const ended = await cli([...ARGS, "--itpm", "9000000"], { cwd, env: environment(server.url, "anthropic") });
    expect(ended.code).toBe(0);
    const report = checked(cwd);
    expect(report).toMatchObject({ exitCode: 0, error: null, written: 12, requests: 12 });
    expect(report.latencyMs.p50).toBeGreaterThanOrEqual(20);
    expect(report.limits.map(({ from }: { from: string }) => from).sort()).toEqual(["own", "provider"]);
    expect(Date.parse(report.endedAt) - Date.parse(report.startedAt)).toBeGreaterThanOrEqual(report.elapsedMs - 5);
  });

  test("that a wrong key has stopped says so, and fits it", async () => {
    const cwd = prepared(12);
    const server = await simulator({ apiKeys: ["sk-another-key"] });
    const ended = await cli(ARGS, { cwd, env: environment(server.url, "openai") });
    expect(ended.code).toBe(3);
    const report = checked(cwd);
    expect(report).toMatchObject({ exitCode: 3, error: { code: "authentication_failed" }, written: 0 });
    expect(report.read).toBe(report.unfinished);
  });

  test("that was interrupted is written as well, and fits it", async () => {
    const cwd = prepared(60);
    const server = await simulator({ latency: 200 });
    const { child, ended } = startCli([...ARGS, "-c", "5"], {
      cwd,
      env: environment(server.url, "mistral"),
      input: "",
    });
    while ((await server.stats()).inFlight < 5) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGINT");
    expect((await ended).code).toBe(130);
    const report = checked(cwd);
    expect(report).toMatchObject({ exitCode: 130, error: { code: "aborted" } });
    expect(report.read).toBe(report.written + report.unfinished);
  });

  test("that calls nobody fits it, with null where there is nothing to tell", async () => {
    const cwd = prepared(3);
    await cli([...ARGS, "--provider", "local"], { cwd });
    expect(checked(cwd)).toMatchObject({ exitCode: 0, written: 3, limits: [] });
  });

  test("has a schema that is shipped as it is declared, and says what every field means", () => {
    expect(readFileSync(SCHEMA, "utf8")).toBe(schemaText());
    for (const [name, field] of Object.entries(schema.properties as Record<string, { description?: string }>)) {
      expect(field.description, name).toMatch(/\w/);
    }
  });
});
