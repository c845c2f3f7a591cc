import { createServer } from "node:net";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { type MillraceError, scopeOf } from "../../src/errors.ts";
import { broken } from "../../src/providers/failure.ts";
import { VENDORS } from "../../src/providers/models.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { PROVIDER_KEYS, readSettings } from "../../src/providers/settings.ts";
import { type Behaviour, faultServer, rejection, reply } from "../http/server.ts";
import { ASK, KEY, PROTOCOLS, patient, SCHEMA } from "./vendors.ts";

/** Everything that could ever be printed of an error. */
const everything = (error: Error): string =>
  [
    error.message,
    error.stack,
    inspect(error, { depth: Infinity, showHidden: true, getters: true }),
    JSON.stringify(error),
    error.cause instanceof Error ? everything(error.cause) : String(error.cause),
  ].join("\n");

async function failed(provider: Provider, ask = ASK): Promise<MillraceError> {
  const error = (await rejection(provider.complete(ask, patient()))) as MillraceError;
  await provider.close();
  expect(everything(error)).not.toContain(KEY);
  expect(everything(error)).not.toContain("MARKER");
  expect(error.message).not.toMatch(/[\r\n]/);
  return error;
}

/** status, vendor's type, vendor's message, headers, expected code. */
const REFUSALS: readonly [number, string, string, Record<string, string>, string][] = [
  [400, "invalid_request_error", "messages: at least one message is required", {}, "invalid_request"],
  [400, "content_filter", "The response was filtered by our content management policy", {}, "content_filtered"],
  [400, "invalid_request_error", "Output blocked by content filtering policy", {}, "content_filtered"],
  [400, "invalid_request_error", "prompt is too long: 345320 tokens > 199999 maximum", {}, "request_too_large"],
  [400, "context_length_exceeded", "This model's maximum context length is 4097 tokens.", {}, "request_too_large"],
  [
    400,
    "invalid_request_error",
    "Prompt contains 66385 tokens, too large for model with 32768 maximum context length",
    {},
    "request_too_large",
  ],
  [400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.", {}, "no_credit"],
  [
    400,
    "invalid_request_error",
    "You have reached your specified API usage limits. You will regain access on 2026-12-01.",
    {},
    "no_credit",
  ],
  [
    400,
    "invalid_request_error",
    "output_config.format.schema: For 'integer' type, property 'minimum' is not supported",
    {},
    "schema_rejected",
  ],
  [400, "invalid_request_error", "Invalid schema for response_format 'answer'", {}, "schema_rejected"],
  [400, "invalid_model", "Invalid model: mistral-huge", {}, "unknown_model"],
  [401, "authentication_error", `invalid x-api-key ${KEY}`, {}, "authentication_failed"],
  [402, "billing_error", "Payment required", {}, "no_credit"],
  [403, "permission_error", "Your key may not use this model", {}, "permission_denied"],
  [403, "moderation", "Your input was flagged", {}, "content_filtered"],
  [404, "not_found_error", "model: claude-9", {}, "unknown_model"],
  [408, "timeout", "took too long", {}, "timeout"],
  [409, "conflict", "try again", {}, "conflict"],
  [413, "request_too_large", "Request exceeds the maximum size", {}, "request_too_large"],
  [422, "invalid_request_error", "temperature: must be at most 1", {}, "invalid_request"],
  [422, "invalid_request_error", "body.response_format.json_schema: not a valid schema", {}, "schema_rejected"],
  [
    429,
    "rate_limit_error",
    "This request would exceed your organization's rate limit of 50,000 input tokens per minute",
    {},
    "rate_limited",
  ],
  [429, "rate_limit_error", "Number of requests has exceeded your spend limit", { "retry-after": "3" }, "rate_limited"],
  [429, "rate_limit_error", "You have reached your monthly spend limit", {}, "no_credit"],
  [
    429,
    "insufficient_quota",
    "You exceeded your current quota, please check your plan and billing details.",
    {},
    "no_credit",
  ],
  [429, "insufficient_quota", "You exceeded your current quota", { "retry-after": "3" }, "no_credit"],
  [429, "RESOURCE_EXHAUSTED", "You exceeded your current quota. Please retry in 12.5s.", {}, "rate_limited"],
  [
    429,
    "tokens",
    "Request too large for gpt-x on tokens per min (TPM): Limit 30000, Requested 50000.",
    {},
    "request_too_large",
  ],
  [500, "api_error", "Internal server error", {}, "server_error"],
  [502, "bad_gateway", "upstream", {}, "server_error"],
  [503, "service_unavailable", "down", {}, "server_error"],
  [503, "service_unavailable", "down", { "retry-after": "5" }, "overloaded"],
  [503, "overloaded_error", "Overloaded", {}, "overloaded"],
  [504, "timeout_error", "Request timed out", {}, "server_error"],
  [529, "overloaded_error", "Overloaded", {}, "overloaded"],
];

describe.each(PROTOCOLS)("$title", (protocol) => {
  test.each(REFUSALS.map(([status, type, message, headers, code]) => ({ status, type, message, headers, code })))(
    '$status $type, "$message", is $code',
    async ({ status, type, message, headers, code }) => {
      await using server = await faultServer((res) => reply(res, status, protocol.error(type, message), headers));
      // Without falling back: what a compatible server may do is tested elsewhere.
      const extra = protocol.title.startsWith("openai") ? { structuredOutput: "json_schema" as const } : {};
      const error = await failed(protocol.make(server.url, extra));
      expect(error).toMatchObject({ code, status, scope: scopeOf(error.code) });
      expect(error.message).toContain(`${status} ${type} from `);
      expect(server.seen).toHaveLength(1);
    },
  );

  test("retry-after, x-should-retry, the call's id and the limit headers travel with the error", async () => {
    await using server = await faultServer((res) =>
      reply(res, 429, protocol.error("rate_limit_error", "slow down"), {
        "retry-after": "1.5",
        "x-should-retry": "true",
        "x-ratelimit-remaining-tokens": "0",
        [protocol.idHeader]: "req_7",
      }),
    );
    expect(await failed(protocol.make(server.url))).toMatchObject({
      code: "rate_limited",
      retryAfter: 1_500,
      shouldRetry: true,
      requestId: "req_7",
      limits: { "retry-after": "1.5", "x-ratelimit-remaining-tokens": "0" },
    });
  });

  test.each([
    ["a page", 502, "<html><style>b{}</style><h1>Bad&nbsp;Gateway</h1></html>", "server_error"],
    ["nothing", 500, "", "server_error"],
    ["a list", 400, '[{"error":{"message":"odd"}}]', "invalid_request"],
    ["a bare text", 429, '"slow"', "rate_limited"],
    ["FastAPI's detail", 401, '{"detail":"Unauthorized"}', "authentication_failed"],
    [
      "an old vLLM's error",
      400,
      '{"object":"error","message":"maximum context length is 9","code":400}',
      "request_too_large",
    ],
  ])("a refusal whose body is %s is read all the same", async (_what, status, body, code) => {
    await using server = await faultServer((res) => reply(res, status, body));
    expect(await failed(protocol.make(server.url))).toMatchObject({ code, status });
  });

  test("the list of what is wrong with a request quotes none of it", async () => {
    const detail = [{ type: "missing", loc: ["body", "messages", 0], msg: "Field required", input: "ARTICLE TEXT" }];
    await using server = await faultServer((res) => reply(res, 422, { detail }));
    const error = await failed(protocol.make(server.url));
    expect(error).toMatchObject({ code: "invalid_request" });
    expect(error.message).toContain("body.messages.0: Field required");
    expect(everything(error)).not.toContain("ARTICLE");
  });

  test("a long message is cut, on one line and without control characters", async () => {
    await using server = await faultServer((res) =>
      reply(res, 400, protocol.error("t", `\u001b[31ma\nb ${"x".repeat(5_000)}`)),
    );
    const { message } = await failed(protocol.make(server.url));
    expect(message.length).toBeLessThan(400);
    expect(message).toContain("[31ma b xxx");
  });

  test("a redirect is not followed with the key, and says so", async () => {
    await using server = await faultServer((res) => res.writeHead(308, { location: "https://example.invalid/" }).end());
    expect(await failed(protocol.make(server.url))).toMatchObject({ code: "bad_response", status: 308 });
    expect(server.seen).toHaveLength(1);
  });

  const FAULTS: readonly [string, Behaviour, string][] = [
    ["a reset before the headers", (res) => res.socket?.resetAndDestroy(), "connection_failed"],
    ["a hang-up before the headers", (res) => res.socket?.end(), "connection_failed"],
    [
      "a reset in the headers",
      (res) => res.socket?.write("HTTP/1.1 200 OK\r\ncontent-", () => res.socket?.resetAndDestroy()),
      "connection_failed",
    ],
    ["a body cut short of its length", (res) => cut(res, { "content-length": "500" }), "connection_failed"],
    ["a chunked body cut short", (res) => cut(res, {}), "connection_failed"],
    ["an error body cut short", (res) => cut(res, {}, 500), "connection_failed"],
    ["what is no HTTP", (res) => res.socket?.end(`SSH-2.0-${KEY}\r\n`), "bad_response"],
    [
      "a page with a 200",
      (res) => reply(res, 200, "<html>hello</html>", { "content-type": "text/html" }),
      "bad_response",
    ],
    ["a page that calls itself JSON", (res) => reply(res, 200, `<html>${KEY}</html>`), "bad_response"],
    ["JSON cut in two", (res) => reply(res, 200, '{"id":"1","choices":['), "bad_response"],
    ["an empty 200", (res) => reply(res, 200, ""), "bad_response"],
    ["a 204", (res) => res.writeHead(204).end(), "bad_response"],
    ["null", (res) => reply(res, 200, "null"), "bad_response"],
    ["a list", (res) => reply(res, 200, "[]"), "bad_response"],
    ["a number", (res) => reply(res, 200, "7"), "bad_response"],
    ["another object", (res) => reply(res, 200, { hello: KEY }), "bad_response"],
    [
      "no choices",
      (res) =>
        reply(res, 200, {
          id: "1",
          object: "o",
          model: "m",
          created: 1,
          choices: [],
          content: null,
          output: null,
          usage: {},
        }),
      "bad_response",
    ],
    [
      "negative tokens",
      (res) => reply(res, 200, JSON.stringify(protocol.answer("x")).replace('_tokens":5', '_tokens":-5')),
      "bad_response",
    ],
    ["an error inside a 200", (res) => reply(res, 200, { error: { code: 502, message: KEY } }), "bad_response"],
    ["a gzip nobody asked for", (res) => reply(res, 200, "x", { "content-encoding": "gzip" }), "bad_response"],
  ];

  test.each(FAULTS.map(([what, behaviour, code]) => ({ what, behaviour, code })))(
    "$what is $code",
    async ({ behaviour, code }) => {
      await using server = await faultServer(behaviour);
      expect(await failed(protocol.make(server.url))).toMatchObject({ code, scope: "retry" });
    },
  );

  test("a refused connection is a lost one, and says where", async () => {
    const port = await freePort();
    const error = await failed(protocol.make(`http://127.0.0.1:${port}`));
    expect(error).toMatchObject({ code: "connection_failed", scope: "retry" });
    expect(error.message).toMatch(
      new RegExp(`^The connection to the server at 127.0.0.1:${port} failed: .*ECONNREFUSED.*check the base URL`),
    );
    expect(error.cause).toMatchObject({ code: "ECONNREFUSED" });
  });

  test("a name that does not exist is a lost connection", async () => {
    const error = await failed(protocol.make("https://millrace.invalid/with/a/path"));
    expect(error.code).toBe("connection_failed");
    // With the port, which the address leaves out, and without the path, which some gateways have a key in.
    expect(error.message).toContain("The connection to the server at millrace.invalid:443 failed");
    expect(error.message).not.toContain("a/path");
  });

  test("no error that was seen holds an article's text as long as the vendor does not quote it", async () => {
    await using server = await faultServer((res) =>
      reply(res, 422, { detail: [{ loc: ["body"], msg: "no", input: "SECRET ARTICLE" }] }),
    );
    const ask = { messages: [{ role: "user" as const, content: "SECRET ARTICLE" }], schema: SCHEMA };
    expect(everything(await failed(protocol.make(server.url), ask))).not.toContain("SECRET");
  });
});

function cut(res: Parameters<Behaviour>[0], headers: Record<string, string>, status = 200): void {
  res.writeHead(status, { "content-type": "application/json", ...headers });
  res.write('{"id":', () => res.socket?.destroy());
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("fatal errors say what to do next", async () => {
  const said = async (status: number, type: string, message: string) => {
    const [protocol] = PROTOCOLS;
    await using server = await faultServer((res) => reply(res, status, protocol!.error(type, message)));
    const told = (await failed(protocol!.make(server.url, { model: "claude-9" }))).message;
    return told.replace(new URL(server.url).host, "<host>");
  };
  expect(await said(401, "authentication_error", "invalid x-api-key")).toBe(
    "401 authentication_error from the server at <host>: invalid x-api-key. Check ANTHROPIC_API_KEY.",
  );
  expect(await said(404, "not_found_error", "model: claude-9")).toMatch(
    /^404 not_found_error from the server at <host>: model: claude-9\. Check the model's name \("claude-9"\) and the base URL \(http:/,
  );
  expect(await said(403, "permission_error", "no")).toMatch(
    /Check that the key's project and region may use "claude-9"\.$/,
  );
  expect(await said(402, "billing_error", "no")).toMatch(/Add credit .* run the same command again\.$/);
});

test("a lost connection to the vendor itself names it, and where it was looked for", () => {
  const vendor = VENDORS.anthropic;
  const own = { apiKey: "k", baseURL: vendor.baseURL };
  const settings = readSettings(vendor, own, { known: PROVIDER_KEYS, compatible: false });
  const reset = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  expect(broken(reset, settings).message).toBe(
    "The connection to Anthropic at api.anthropic.com:443 failed: read ECONNRESET.",
  );
});

test("the values of headers are kept out of errors like the key", async () => {
  const [protocol] = PROTOCOLS;
  await using server = await faultServer((res) => reply(res, 401, protocol!.error("e", "no such token: tok-12345678")));
  const provider = protocol!.make(server.url, { headers: { "x-gateway": "tok-12345678" } });
  expect((await failed(provider)).message).toContain("no such token: [redacted]");
});

test("a provider shows its key to nobody", async () => {
  for (const protocol of PROTOCOLS) {
    await using server = await faultServer((res) => reply(res, 200, protocol.answer("ok")));
    const provider = protocol.make(server.url);
    await provider.complete(ASK, patient());
    expect(inspect(provider, { depth: Infinity, showHidden: true }) + JSON.stringify(provider)).not.toContain("MARKER");
    await provider.close();
  }
});
