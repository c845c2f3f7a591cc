/** `--serve`: the live page, its metrics and its report, over HTTP. */

import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { address } from "../../src/config/address.ts";
import { analyze, anthropic, type RunReport, read, write } from "../../src/index.ts";
import { startRun } from "../../src/pipeline.ts";
import { Dashboard } from "../../src/telemetry/dashboard.ts";
import { Viewers } from "../../src/telemetry/viewers.ts";
import { articles, baseURL, cli, environment, folder, KEY, simulator, writeLines } from "../support.ts";
import { type Message, messagesOf, metric, publishDeadLetter, serving, standing } from "./support.ts";

/** A run of 60 articles and two broken lines with faults, and its page. */
async function run(options: { latency?: number; faults?: Record<string, number> } = {}) {
  const {
    latency = 20,
    faults = { error500: 0.1, rateLimit429: 0.1, resetMidBody: 0.05, wrongSchema: 0.05, refusal: 0.05 },
  } = options;
  const server = await simulator({ latency, seed: 7, faults });
  const cwd = folder();
  writeLines(join(cwd, "in.ndjson"), ["{broken", ...articles(60, 20), '"no object"']);
  const args = ["analyze", "in.ndjson", "-o", "out.ndjson", "--report", "report.json", "--max-failures", "100%"];
  return { server, cwd, args, options: { cwd, env: environment(server.url, "anthropic") } };
}

/** The status, headers and text that a raw request gets. */
function ask(url: string, options: { host?: string; method?: string; path?: string }) {
  const { hostname, port } = new URL(url);
  const { host = `${hostname}:${port}`, method = "GET", path = "/" } = options;
  return new Promise<{ status: number; text: string; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
    const asked = request({ hostname, port, method, path, headers: { host } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
    });
    asked.on("error", reject).end();
  });
}

describe("a live page", () => {
  test("ends with the numbers of the report, which are those of the metrics and of the simulator's ledger, under faults", async () => {
    const { server, cwd, args, options } = await run();
    const { url, ended } = await serving(args, options);
    let last: Message | undefined;
    for await (const message of messagesOf(url)) last = message;
    const { code, stderr } = await ended;
    expect(code).toBe(0);
    expect(stderr).toContain("Done in");
    expect(last?.event).toBe("end");
    expect(last?.update.state).toBe("done");
    const { exitCode, ...report } = JSON.parse(readFileSync(join(cwd, "report.json"), "utf8"));
    expect(exitCode).toBe(0);
    // The file says also when it was, and of which version.
    expect(report).toMatchObject(last?.update.report ?? { none: true });
    const stats = await server.stats();
    expect(report.read).toBe(62);
    expect(report.written + report.deadLettered).toBe(62);
    expect(report.requests).toBe(stats.requests);
    expect(report.usage.outputTokens).toBeGreaterThan(0);
    const failedAttempts = Object.values<number>(last?.update.errors ?? {}).reduce((sum, times) => sum + times, 0);
    const { answered = 0, wrongSchema = 0, refusal = 0 } = stats.byOutcome;
    expect(failedAttempts).toBe(stats.requests - answered - wrongSchema - refusal);
  });

  test("has at its end one and the same account in metrics, report and page, which is the simulator's, under faults", async () => {
    const faults = {
      error500: 0.1,
      rateLimit429: 0.1,
      resetMidBody: 0.05,
      cutBody: 0.05,
      wrongSchema: 0.1,
      refusal: 0.05,
    };
    const server = await simulator({ latency: 5, seed: 11, faults });
    const dashboard = await Dashboard.open({ host: "127.0.0.1", port: 0 }, { title: "test", tick: 20 });
    const cwd = folder();
    const path = writeLines(join(cwd, "in.ndjson"), ["{broken", ...articles(80, 20), { id: "empty" }]);
    const provider = anthropic({ apiKey: KEY, baseURL: baseURL(server.url, "anthropic") });
    const deadLetters = write(join(cwd, "failed.ndjson"));
    const stages = [read(path), analyze({ provider, retryBaseDelay: 1 }), write(join(cwd, "out.ndjson"))];
    const run = startRun(stages, { deadLetters });
    dashboard.follow(run.report);
    const report = await run.done;
    const metrics = await (await fetch(new URL("metrics", dashboard.url))).text();
    const served = (await (await fetch(new URL("report", dashboard.url))).json()) as RunReport;
    const page = messagesOf(dashboard.url);
    await page.next();
    let last: Message | undefined;
    await Promise.all([
      dashboard.end({ report, error: undefined }),
      (async () => {
        for await (const message of page) last = message;
      })(),
    ]);
    expect(last).toMatchObject({ event: "end", update: { report: JSON.parse(JSON.stringify(report)) } });
    expect({ ...served, elapsedMs: 0 }).toEqual({
      ...JSON.parse(JSON.stringify(report)),
      elapsedMs: 0,
      limits: served.limits,
    });

    const stats = await server.stats();
    const { usage } = report;
    const value = (name: string, labels?: Record<string, string>) => metric(metrics, `millrace_${name}`, labels);
    expect([report.read, report.written + report.deadLettered]).toEqual([82, 82]);
    expect(value("records_read_total")).toBe(report.read);
    expect(value("records_written_total")).toBe(report.written);
    expect(value("records_dead_lettered_total")).toBe(report.deadLettered);
    for (const [code, times] of Object.entries(report.failures)) {
      expect(value("records_dead_lettered_total", { code })).toBe(times);
    }
    expect(value("requests_total")).toBe(stats.requests);
    expect(value("request_duration_seconds_count")).toBe(stats.requests);
    expect(value("in_flight_requests")).toBe(0);
    expect(value("retries_total")).toBe(report.retries);
    const byStatus = (status: string) => stats.byStatus[status] ?? 0;
    expect(value("rate_limited_total")).toBe(byStatus("429"));
    expect(value("request_duration_seconds_count", { outcome: "server_error" })).toBe(byStatus("500"));
    expect(value("tokens_total", { type: "input" })).toBe(usage.inputTokens);
    expect(value("tokens_total", { type: "output" })).toBe(usage.outputTokens);
    // What was cut on its way may have been billed; its tokens are told to nobody.
    const whole = (await server.ledger()).filter(({ outcome }) => !["resetMidBody", "cutBody"].includes(outcome));
    expect(usage.outputTokens).toBe(whole.reduce((sum, { outputTokens }) => sum + outputTokens, 0));
    // What is not known is not 0.
    expect(value("cost_dollars_total")).toBe(report.cost ?? undefined);
  });

  test("agrees with itself in the middle of a run: metrics, report and page", async () => {
    const { args, options } = await run({ latency: 400 });
    const { url, child, ended } = await serving([...args, "-c", "4"], options);
    let seen = 0;
    for await (const { event, update } of messagesOf(url)) {
      if (event === "end" || update.report === null || update.report.requests < 12) continue;
      const text = await (await fetch(new URL("metrics", url))).text();
      const report = (await (await fetch(new URL("report", url))).json()) as typeof update.report;
      expect(metric(text, "millrace_requests_total")).toBeLessThanOrEqual(report.requests);
      expect(metric(text, "millrace_requests_total")).toBeGreaterThanOrEqual(update.report.requests);
      const ended = metric(text, "millrace_request_duration_seconds_count") ?? 0;
      const inFlight = metric(text, "millrace_in_flight_requests") ?? 0;
      expect(ended + inFlight).toBe(metric(text, "millrace_requests_total"));
      expect(await (await fetch(new URL("health", url))).json()).toEqual({ status: "ok", state: "running" });
      if (++seen === 2) break;
    }
    expect(seen).toBe(2);
    child.kill("SIGKILL");
    await ended;
  });

  test("holds neither the key nor a word of an article or an answer, whatever is asked of it", async () => {
    const { args, options } = await run({ latency: 100 });
    const { url, ended } = await serving([...args, "-c", "8"], options);
    const read: string[] = [];
    for await (const { update } of messagesOf(url)) {
      read.push(JSON.stringify(update));
      if (update.state !== "running") continue;
      for (const path of ["metrics", "report", "health", ""]) read.push(await (await fetch(new URL(path, url))).text());
    }
    read.push((await ended).stderr);
    expect(read.length).toBeGreaterThan(4);
    for (const text of read) {
      expect(text).not.toContain(KEY);
      expect(text).not.toContain("several plain words");
      expect(text).not.toContain("[[id:");
    }
  });

  test("says that a run was stopped, and why", async () => {
    const { args, options } = await run({ latency: 5, faults: {} });
    const wrong = { ...options, env: { ...options.env, ANTHROPIC_BASE_URL: "http://127.0.0.1:1/anthropic" } };
    const { url, child, ended } = await serving(args, wrong);
    const messages = messagesOf(url);
    await messages.next();
    child.kill("SIGINT");
    let last: Message | undefined;
    for await (const message of messages) last = message;
    expect(last).toMatchObject({ event: "end", update: { state: "stopped", why: expect.stringContaining("stopped") } });
    expect((await ended).code).toBe(130);
  });

  test("holds up neither the end of the run nor of the process, though a page never takes what it is sent", async () => {
    const { args, options } = await run({ faults: {} });
    const { url, ended } = await serving(args, options);
    const { hostname, port } = new URL(url);
    const deaf = connect(Number(port), hostname, () => deaf.write(`GET /events HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`));
    deaf.on("error", () => {}).pause();
    onTestFinished(() => {
      deaf.destroy();
    });
    const { code, stderr } = await ended;
    expect(code).toBe(0);
    expect(stderr).toContain("Done in");
  });
});

describe("who may read it", () => {
  test("is whoever names this machine; a name that leads here from elsewhere is turned away", async () => {
    const { dashboard, go, run } = await standing(folder());
    const { port } = new URL(dashboard.url);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, "localhost", `[::1]:${port}`]) {
      expect((await ask(dashboard.url, { host })).status).toBe(200);
    }
    for (const host of [
      "evil.example",
      `evil.example:${port}`,
      "127.0.0.1.evil.example",
      "localhost.evil.example",

      "a b",
    ]) {
      for (const path of ["/", "/events", "/report", "/metrics"]) {
        const { status, text } = await ask(dashboard.url, { host, path });
        expect([400, 403], `${host}${path}`).toContain(status);
        expect(text).not.toContain("written");
      }
    }
    go();
    await dashboard.end({ report: await run.done, error: undefined });
  });

  test("can only read, and finds nothing but the page's own files", async () => {
    const { dashboard, go, run } = await standing(folder());
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      expect((await ask(dashboard.url, { method, path: "/report" })).status).toBe(405);
    }
    for (const path of [
      "/../package.json",
      "/..%2fpackage.json",
      "/page/../../../package.json",
      "/tsconfig.json",
      "/dashboard.ts",
    ]) {
      expect((await ask(dashboard.url, { path })).status).toBe(404);
    }
    const { headers, text } = await ask(dashboard.url, {});
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toContain("unsafe");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(text).not.toMatch(/<script(?![^>]* src=)|\son\w+=|style="|https?:/);
    go();
    await dashboard.end({ report: await run.done, error: undefined });
  });
});

describe("a page that looks on", () => {
  test("is one of sixteen at most", async () => {
    const { dashboard, go, run } = await standing(folder());
    const leave = new AbortController();
    const events = () => fetch(new URL("events", dashboard.url), { signal: leave.signal });
    for (let page = 0; page < 16; page++) expect((await events()).status).toBe(200);
    expect((await events()).status).toBe(503);
    leave.abort();
    go();
    await dashboard.end({ report: await run.done, error: undefined });
  });

  test("is let go when it does not take what it is sent, and little is kept for it until then", async () => {
    const sent: number[] = [];
    const message = JSON.stringify("x".repeat(1_000_000));
    const viewers = new Viewers<number>((seen = 0) => ({ message, seen: seen + 1 }), { patience: 200 });
    const server = createServer((_, response) => viewers.add(response, {}));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.close();
    });
    const slow = connect((server.address() as AddressInfo).port, "127.0.0.1", () =>
      slow.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    );
    slow.on("error", () => {}).pause();
    while (viewers.count === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    let before = process.memoryUsage().arrayBuffers;
    for (let tick = 0; tick < 2_000 && viewers.count > 0; tick++) {
      viewers.send();
      sent.push(process.memoryUsage().arrayBuffers - before);
      before = Math.min(before, process.memoryUsage().arrayBuffers);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(viewers.count).toBe(0);
    // The kernel takes some of it, and no more than one message waits behind that: not the thousand that were to be sent.
    expect(Math.max(...sent)).toBeLessThan(50_000_000);
    slow.destroy();
  });

  test("that comes late is sent what came before, but of the letters and lines only the newest", async () => {
    const { dashboard, go, run } = await standing(folder());
    for (let line = 1; line <= 300; line++) {
      const source = { file: `${"long".repeat(1_000)}.ndjson`, line, byteOffset: 0 };
      const message = `Because of ${line} ${"x".repeat(10_000)}`;
      publishDeadLetter(() => ({
        stage: "read",
        code: "invalid_json",
        message,
        status: null,
        attempts: 0,
        source,
        time: 1,
      }));
    }
    for await (const { update } of messagesOf(dashboard.url)) {
      expect(update.letters).toHaveLength(50);
      expect(update.letters.at(-1)?.message).toContain("Because of 300");
      expect(JSON.stringify(update).length).toBeLessThan(100_000);
      break;
    }
    go();
    await dashboard.end({ report: await run.done, error: undefined });
  });
});

describe("--serve", () => {
  test("takes a port, a host and a port, and the address of IPv6", () => {
    expect(address("9464")).toEqual({ host: "127.0.0.1", port: 9464 });
    expect(address("0")).toEqual({ host: "127.0.0.1", port: 0 });
    expect(address("0.0.0.0:80")).toEqual({ host: "0.0.0.0", port: 80 });
    expect(address("[::1]:9464")).toEqual({ host: "::1", port: 9464 });
    for (const wrong of ["", "x", "65536", "-1", "host:", ":80", "http://localhost:80", "::1:80", "1.5"]) {
      expect(() => address(wrong)).toThrow("--serve takes a port");
    }
  });

  test("on a port that is in use, or a host that is not this machine's, is exit 2 with what to do, before anything is sent", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    onTestFinished(() => {
      taken.close();
    });
    const { port } = taken.address() as AddressInfo;
    const { server, args, options } = await run();
    const used = await cli([...args, "--serve", String(port)], options);
    expect(used.code).toBe(2);
    expect(used.stderr).toContain(`port ${port} of 127.0.0.1 is in use. Give another one, or --serve 0`);
    const foreign = await cli([...args, "--serve", "192.0.2.1:0"], options);
    expect(foreign.code).toBe(2);
    expect(foreign.stderr).toContain('this machine has no address "192.0.2.1"');
    expect((await server.stats()).requests).toBe(0);
  });
});
