/** `millrace check`: what it finds of keys, models and structured output, and how it says so. */

import { createServer as createHttpServer, type IncomingHttpHeaders } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Checked, checkedTable } from "../../src/cli/check-table.ts";
import { cli, environment, folder, KEY, simulator, startCli, VENDOR_NAMES } from "../support.ts";

const all = (url: string) => Object.assign({}, ...VENDOR_NAMES.map((vendor) => environment(url, vendor)));

const found = (stdout: string): Checked[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Checked);

/** The address of a server that answers every call in one way. */
async function serving(answer: (headers: IncomingHttpHeaders) => [status: number, body: object]): Promise<string> {
  const server = createHttpServer((request, response) => {
    const [status, body] = answer(request.headers);
    request.resume().on("end", () => response.writeHead(status).end(JSON.stringify(body)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

interface Checking {
  readonly env: Record<string, string>;
  readonly args?: readonly string[];
}

/** Runs it both ways; what it prints may never hold a key. */
async function check({ env, args = [] }: Checking) {
  const ended = await cli(["check", ...args, "--json"], { cwd: folder(), env });
  expect(ended.stdout + ended.stderr).not.toContain(KEY);
  return { ...ended, found: found(ended.stdout) };
}

const USAGE = { prompt_tokens: 9, completion_tokens: 3 };

const verdict = ({ provider, keyOk, modelOk, structuredOutputOk }: Checked) => [
  provider,
  keyOk,
  modelOk,
  structuredOutputOk,
];

describe("check", () => {
  test("finds every provider with a key fine with one call each: a row for each, exit 0", async () => {
    const limits = { requestsPerMinute: 1_200, inputTokensPerMinute: 50_000, outputTokensPerMinute: 8_000 };
    const server = await simulator({ limits });
    const ended = await cli(["check"], { cwd: folder(), env: all(server.url) });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const [heading, ...rows] = ended.stdout.trimEnd().split("\n");
    expect(heading?.split(/ {2,}/)).toEqual([
      "provider",
      "model",
      "key ok",
      "model ok",
      "structured output",
      "requests/min",
      "tokens/min",
      "latency",
    ]);
    expect(rows.map((row) => row.split(/ {2,}/).slice(0, 7))).toEqual([
      ["anthropic", "claude-haiku-4-5", "yes", "yes", "yes", "1,200", "50,000 in 8,000 out"],
      ["openai", "gpt-6-luna", "yes", "yes", "yes", "1,200", "50,000"],
      ["mistral", "mistral-small-latest", "yes", "yes", "yes", "1,200", "50,000"],
    ]);
    expect((await server.stats()).requests).toBe(3);
  });

  test("asks only the provider that is named, with the model and the server that are", async () => {
    const server = await simulator();
    const env = { ...environment("http://127.0.0.1:9", "openai"), MISTRAL_API_KEY: KEY };
    const args = ["--provider", "openai", "--model", "mine-1", "--base-url", `${server.url}/openai/v1`];
    const ended = await check({ env, args });
    expect(ended.code).toBe(0);
    expect(ended.found).toMatchObject([{ provider: "openai", model: "mine-1", baseURL: `${server.url}/openai/v1` }]);
    expect(ended.found[0]?.latencyMs).toBeGreaterThan(0);
  });

  test("tries each of several keys, and says which one is bad", async () => {
    const server = await simulator({ apiKeys: ["good-key-1", "good-key-3"] });
    const env = { ...environment(server.url, "mistral"), MISTRAL_API_KEY: `good-key-1, ${KEY},good-key-3` };
    const ended = await check({ env });
    expect(ended.code).toBe(3);
    expect(ended.found.map(({ keyNumber, keyOk }) => [keyNumber, keyOk])).toEqual([
      [1, true],
      [2, false],
      [3, true],
    ]);
    expect((await cli(["check"], { cwd: folder(), env })).stdout).toMatch(
      /\n\nmistral key 2: .*Check MISTRAL_API_KEY\./,
    );
  });

  test("tells a bad key, an unknown model, no credit and a limit apart for each provider, with what to do: exit 3", async () => {
    const server = await simulator({ apiKeys: ["another-key"] });
    const env = all(server.url);
    const finds = async (expected: readonly unknown[], words: RegExp) => {
      const ended = await check({ env });
      expect([ended.code, ended.stderr]).toEqual([3, ""]);
      expect(ended.found.map(verdict)).toEqual(VENDOR_NAMES.map((vendor) => [vendor, ...expected]));
      for (const { error } of ended.found) expect(error?.message).toMatch(words);
    };
    await finds([false, null, null], /Check (ANTHROPIC|OPENAI|MISTRAL)_API_KEY/);
    await server.set({ apiKeys: [KEY], credit: 0 });
    await finds([true, null, null], /Add credit/);
    await server.set({ credit: Number.POSITIVE_INFINITY, faults: { rateLimit429: 1 }, retryAfter: 60 });
    await finds([true, null, null], /Check again later/);
    await server.set({ models: ["another"] });
    await finds([true, false, null], /Check the model's name/);
  });

  test("does not blame the model for an address at which nothing is found", async () => {
    const url = await serving(() => [404, { error: { message: "Not here." } }]);
    const ended = await check({ env: environment(url, "openai"), args: ["--base-url", url] });
    expect(ended.found.map(verdict)).toEqual([["openai", null, null, null]]);
    expect(ended.found[0]?.error?.message).toContain(url);
  });

  test("says of an answer that does not fit its schema that key and model are fine, but not structured output", async () => {
    const server = await simulator({ faults: { wrongSchema: 1 }, persistent: true });
    const ended = await check({ env: all(server.url) });
    expect(ended.code).toBe(3);
    expect(ended.found.map(verdict)).toEqual(VENDOR_NAMES.map((name) => [name, true, true, false]));
  });

  test("tries once more after a fault, not after a fault that lasts, and never more than that", async () => {
    const server = await simulator({ seed: 3, faults: { error500: 1 } });
    const env = environment(server.url, "openai");
    const ended = await check({ env });
    expect(ended.found.map(verdict)).toEqual([["openai", null, null, null]]);
    expect(ended.found[0]?.error).toMatchObject({ code: "server_error", status: 500 });
    expect((await server.stats()).requests).toBe(2);
  });

  test("waits as long as a 429 asks when that is short, and not at all when it is long", async () => {
    const server = await simulator({ faults: { rateLimit429: 1 }, retryAfter: 1 });
    const env = environment(server.url, "anthropic");
    await check({ env });
    expect((await server.stats()).requests).toBe(2);
    await server.set({ retryAfter: 60 });
    await check({ env });
    expect((await server.stats()).requests).toBe(3);
  });

  test("a server that is down, one that hangs and one that speaks no HTTP each get their line within the timeout", async () => {
    const hanging = await simulator({ faults: { hang: 1 } });
    const mute = createServer((socket) => socket.on("data", () => socket.end("what?\r\n\r\n")).on("error", () => {}));
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    const { port } = mute.address() as AddressInfo;
    const env = {
      ...environment("http://127.0.0.1:1", "anthropic"),
      ...environment(hanging.url, "openai"),
      ...environment(`http://127.0.0.1:${port}`, "mistral"),
    };
    const startedAt = performance.now();
    const ended = await check({ env, args: ["--timeout", "800ms"] });
    mute.close();
    expect(ended.code).toBe(3);
    expect(ended.found.map(({ error }) => error?.code)).toEqual(["connection_failed", "timeout", expect.any(String)]);
    expect(ended.found[0]?.error?.message).toContain("Nothing listens there");
    expect(ended.found.map(({ latencyMs }) => latencyMs)).toEqual([null, null, null]);
    expect(ended.found[1]?.error?.message).toContain("within 0.8 s");
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test("without a key, with a key that can be none, or with a model that could be for two: exit 2, nothing sent", async () => {
    const server = await simulator();
    const none = await cli(["check"], { cwd: folder() });
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toContain("ANTHROPIC_API_KEY");
    const named = await cli(["check", "--provider", "mistral"], {
      cwd: folder(),
      env: environment(server.url, "openai"),
    });
    expect(named).toMatchObject({ code: 2, stdout: "" });
    expect(named.stderr).toContain("MISTRAL_API_KEY");
    const odd = await check({ env: { ...environment(server.url, "openai"), OPENAI_API_KEY: `${KEY}\n` } });
    expect(odd.code).toBe(2);
    expect(odd.found[0]?.error?.message).toContain("a line break");
    const whose = await cli(["check", "--model", "m"], { cwd: folder(), env: all(server.url) });
    expect(whose).toMatchObject({ code: 2, stdout: "" });
    expect(whose.stderr).toContain("--provider");
    expect((await server.stats()).requests).toBe(0);
  });

  test("asks a server of one's own without a key", async () => {
    const answer = { choices: [{ message: { content: '{"ok":true}' }, finish_reason: "stop" }], usage: USAGE };
    const url = await serving(({ authorization }) => [authorization === undefined ? 200 : 500, answer]);
    const ended = await check({ env: {}, args: ["--provider", "openai", "--base-url", url, "--model", "llama"] });
    expect(ended.found.map(verdict)).toEqual([["openai", true, true, true]]);
    expect(ended.code).toBe(0);
  });

  test("says of a schema that is refused that key and model are fine, but not structured output", async () => {
    const message = "Invalid schema for response_format 'check': it is not supported by this model.";
    const url = await serving(() => [400, { error: { message, type: "invalid_request_error" } }]);
    const ended = await check({ env: environment(url, "mistral"), args: ["--base-url", url] });
    expect(ended.found.map(verdict)).toEqual([["mistral", true, true, false]]);
    expect(ended.found[0]?.error).toMatchObject({ code: "schema_rejected", status: 400 });
    expect(ended.code).toBe(3);
  });

  test("ends at once on Ctrl-C", async () => {
    const server = await simulator({ faults: { hang: 1 } });
    const { child, ended } = startCli(["check"], { cwd: folder(), env: all(server.url), input: "" });
    await expect.poll(async () => (await server.stats()).requests, { timeout: 10_000 }).toBe(3);
    child.kill("SIGINT");
    expect((await ended).signal).toBe("SIGINT");
  });
});

test("the table aligns its columns, marks what is not known, and puts the advice beneath", () => {
  const one: Checked = {
    provider: "openai",
    model: "m",
    baseURL: null,
    keyOk: true,
    modelOk: false,
    structuredOutputOk: null,
    limits: { tokensPerMinute: 1_000_000 },
    latencyMs: null,
    error: { code: "unknown_model", status: 404, message: "No such model." },
  };
  expect(checkedTable([one]).split("\n")).toEqual([
    "provider  model  key ok  model ok  structured output  requests/min  tokens/min  latency",
    "openai    m      yes     NO        ?                  ?             1,000,000   -",
    "",
    "openai: No such model.",
    "",
  ]);
});
