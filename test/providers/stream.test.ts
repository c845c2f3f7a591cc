import { describe, expect, test } from "vitest";
import { openai } from "../../src/providers/openai.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { faultServer, rejection, reply } from "../http/server.ts";
import { TIMED } from "../support.ts";
import { begin, left, listener, STREAMED, stream } from "./events.ts";
import { ASK, KEY, patient, SCHEMA } from "./vendors.ts";

const PIECES = ["Grüße", " aus 東京", " 🗼", "."];
const TEXT = PIECES.join("");

/** A call that streams. */
const ask = (provider: Provider, signal?: AbortSignal) => provider.complete(ASK, listener(signal).options);

describe.each(STREAMED)("$title, streamed", (protocol) => {
  test("asks for a stream in one POST, and without being told to for none", async () => {
    await using server = await faultServer((res, _seen, nth) =>
      nth === 0 ? stream(res, protocol.events(PIECES)) : reply(res, 200, protocol.answer("ok")),
    );
    const provider = protocol.make(server.url);
    await ask(provider);
    await provider.complete(ASK, patient());
    const [first, second] = server.seen;
    expect(server.seen).toHaveLength(2);
    expect([first?.method, first?.url, first?.headers.accept]).toEqual(["POST", protocol.path, "text/event-stream"]);
    expect(first?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(JSON.parse(first?.body ?? "")).toMatchObject({ stream: true });
    expect(JSON.parse(second?.body ?? "")).not.toHaveProperty("stream");
    await provider.close();
  });

  test("gives the same completion as an answer in one piece, and its text in pieces on the way", async () => {
    const headers = { [protocol.idHeader]: "req_9", "x-ratelimit-limit-tokens": "100", "retry-after": "2" };
    await using server = await faultServer((res, _seen, nth) =>
      nth === 0 ? reply(res, 200, protocol.answer(TEXT), headers) : stream(res, protocol.events(PIECES), headers),
    );
    const provider = protocol.make(server.url);
    const whole = await provider.complete(ASK, patient());
    const { heard, options } = listener();
    expect(await provider.complete(ASK, options)).toEqual(whole);
    expect(whole).toMatchObject({ text: TEXT, requestId: "req_9", usage: protocol.usage });
    expect(heard.deltas).toEqual(PIECES);
    expect(heard.signs).toBeGreaterThan(1);
    await provider.close();
  });

  test.each([
    "end_turn",
    "stop",
    "completed",
    "max_tokens",
    "length",
    "max_output_tokens",
    "content_filter",
    "refusal",
  ])("%s ends it as it ends an answer in one piece", async (finish) => {
    await using server = await faultServer((res, _seen, nth) =>
      nth === 0 ? reply(res, 200, protocol.answer(TEXT, { finish })) : stream(res, protocol.events(PIECES, { finish })),
    );
    const provider = protocol.make(server.url);
    expect(await provider.complete(ASK, patient())).toEqual(await ask(provider));
    await provider.close();
  });

  test("a schema goes out as ever, and its answer comes back whole", async () => {
    await using server = await faultServer((res) => stream(res, protocol.events(['{"to', 'ne":"good"}'])));
    const provider = protocol.make(server.url);
    const { text } = await provider.complete({ ...ASK, schema: SCHEMA }, listener().options);
    expect(text).toBe('{"tone":"good"}');
    expect(server.seen[0]?.body).toContain('"tone"');
    await provider.close();
  });

  test("an end in good order before the end marker is a bad response, wherever it comes", async () => {
    const events = protocol.events(PIECES);
    await using server = await faultServer((res, _seen, nth) => stream(res, events.slice(0, nth)));
    const provider = protocol.make(server.url);
    for (let count = 0; count < events.length; count++) {
      expect(await rejection(ask(provider)), `after ${count}`).toMatchObject({ code: "bad_response", scope: "retry" });
    }
    expect((await ask(provider)).text).toBe(TEXT);
    await provider.close();
  });

  test("a connection that breaks in the middle is a lost connection", async () => {
    await using server = await faultServer((res) => {
      begin(res);
      res.write(protocol.events(PIECES).slice(0, 3).join(""), () => res.socket?.resetAndDestroy());
    });
    const provider = protocol.make(server.url);
    expect(await rejection(ask(provider))).toMatchObject({ code: "connection_failed" });
    await provider.close();
  });

  test.each([
    ["overloaded_error", "Overloaded", 529, "overloaded"],
    ["rate_limit_exceeded", "Rate limit reached, please try again in 2s", 429, "rate_limited"],
    ["insufficient_quota", "You exceeded your current quota", 429, "no_credit"],
    ["authentication_error", "invalid key", 401, "authentication_failed"],
    ["server_error", "The server had an error", 500, "server_error"],
    ["something_new", "Something new", 500, "server_error"],
    ["invalid_request_error", "The output was blocked by our content policy", 400, "content_filtered"],
  ])("the error %s in its middle means what it means instead of an answer", async (type, message, status, code) => {
    const headers = { "x-ratelimit-limit-tokens": "100" };
    await using server = await faultServer((res) =>
      stream(res, [...protocol.events(PIECES).slice(0, 3), protocol.fault({ type, message, status })], headers),
    );
    const provider = protocol.make(server.url);
    const error = (await rejection(ask(provider))) as Error;
    expect(error).toMatchObject({ code, status: 200, limits: headers });
    expect(error.message).toContain(message);
    expect(error.message).toContain("in the middle of a streamed answer");
    await provider.close();
  });

  test("refusals that come instead of a stream are what they always are", async () => {
    await using server = await faultServer((res) =>
      reply(res, 429, protocol.error("rate_limit_error", "slow down"), { "retry-after": "3" }),
    );
    const provider = protocol.make(server.url);
    for (let call = 0; call < 20; call++) {
      expect(await rejection(ask(provider))).toMatchObject({ code: "rate_limited", retryAfter: 3_000, status: 429 });
    }
    expect(server.sockets).toHaveLength(1);
    await provider.close();
  });

  test.each(["before the headers", "in the body"])(
    "an abort %s rejects with the reason within 50 ms and closes the socket",
    TIMED,
    async (when) => {
      const stop = new AbortController();
      const reason = { why: "enough" };
      let aborted = 0;
      await using server = await faultServer((res) => {
        if (when === "in the body") {
          begin(res);
          res.write(protocol.events(PIECES).slice(0, 3).join(""));
        }
        // Two turns, so that what was written has arrived.
        setImmediate(() =>
          setImmediate(() => {
            aborted = performance.now();
            stop.abort(reason);
          }),
        );
      });
      const provider = protocol.make(server.url);
      expect(await rejection(ask(provider, stop.signal))).toBe(reason);
      expect(performance.now() - aborted).toBeLessThan(50);
      await server.drained();
      await provider.close();
    },
  );

  test("a hundred streams one after the other use one socket and leave no listener on their signal", async () => {
    await using server = await faultServer((res) => stream(res, protocol.events(PIECES)));
    const provider = protocol.make(server.url);
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    const { options } = listener();
    for (let call = 0; call < 100; call++) await provider.complete(ASK, options);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", note);
    expect(warnings).toEqual([]);
    expect(server.sockets).toHaveLength(1);
    await provider.close();
  });

  test("an answer is whole at its end marker, though the server keeps the line open or breaks it", async () => {
    await using server = await faultServer((res, _seen, nth) => {
      begin(res);
      const all = protocol.events(PIECES).join("");
      if (nth === 0) res.write(all);
      else res.write(all, () => res.socket?.resetAndDestroy());
    });
    const provider = protocol.make(server.url);
    for (let call = 0; call < 2; call++) expect((await ask(provider)).text).toBe(TEXT);
    await server.drained();
    await provider.close();
  });

  test("a listener that throws hears no more, and ends the call and its socket", async () => {
    let gone: Promise<unknown> = Promise.resolve();
    await using server = await faultServer((res) => {
      gone = left(res);
      begin(res);
      res.write(protocol.events(PIECES).slice(0, -1).join(""));
    });
    const provider = protocol.make(server.url);
    const heard: string[] = [];
    const onDelta = (text: string) => {
      heard.push(text);
      throw Object.assign(new Error("mine"), { code: "ECONNRESET" });
    };
    const error = await rejection(provider.complete(ASK, { ...listener().options, onDelta }));
    expect(error).toBeInstanceOf(Error);
    expect(heard).toEqual(PIECES.slice(0, 1));
    await gone;
    await provider.close();
  });

  test("a server that knows no streams is read as ever, and a page is none", async () => {
    await using server = await faultServer((res, _seen, nth) =>
      nth === 0
        ? reply(res, 200, protocol.answer(TEXT))
        : reply(res, 200, "<!doctype html><p>Welcome", { "content-type": "text/html" }),
    );
    const provider = protocol.make(server.url);
    const { heard, options } = listener();
    expect((await provider.complete(ASK, options)).text).toBe(TEXT);
    expect(heard.deltas).toEqual([]);
    expect(await rejection(ask(provider))).toMatchObject({ code: "bad_response" });
    await provider.close();
  });

  test("an event that is not JSON is a bad response that does not quote it", async () => {
    await using server = await faultServer((res) =>
      stream(res, [protocol.events(PIECES)[0]!, "data: the article\n\n"]),
    );
    const provider = protocol.make(server.url);
    const error = (await rejection(ask(provider))) as Error;
    expect(error).toMatchObject({ code: "bad_response" });
    expect(error.message).not.toContain("the article");
    await provider.close();
  });

  test("close aborts the streams in flight", async () => {
    let arrived = () => {};
    const called = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await using server = await faultServer((res) => {
      begin(res);
      res.write(protocol.events(PIECES)[0]!, () => arrived());
    });
    const provider = protocol.make(server.url);
    const call = rejection(ask(provider));
    await called;
    await provider.close();
    expect(await call).toMatchObject({ code: "aborted" });
    await server.drained();
  });
});

test.each([
  ["openai chat", [{ choices: [{ delta: { refusal: "I can" } }] }, { choices: [{ delta: { refusal: "not." } }] }]],
])("%s: a refusal that is told apart from the text is a refusal", async (title, chunks) => {
  const protocol = STREAMED.find((one) => one.title === title)!;
  const told = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
  await using server = await faultServer((res) => stream(res, [...told, ...protocol.events([]).slice(1)]));
  const provider = protocol.make(server.url);
  const { heard, options } = listener();
  expect(await provider.complete(ASK, options)).toMatchObject({ text: "", finishReason: "refusal" });
  expect(heard.deltas).toEqual([]);
  await provider.close();
});

test("anthropic: an output limit that its SDK would refuse in one piece is streamed without being asked", async () => {
  const protocol = STREAMED.find((one) => one.title === "anthropic")!;
  await using server = await faultServer((res, { body }) =>
    JSON.parse(body).stream ? stream(res, protocol.events(PIECES)) : reply(res, 200, protocol.answer("in one piece")),
  );
  const provider = protocol.make(server.url);
  const at = async (maxOutputTokens: number) => (await provider.complete({ ...ASK, maxOutputTokens }, patient())).text;
  expect(await at(21_333)).toBe("in one piece");
  expect(await at(21_334)).toBe(TEXT);
  await provider.close();
});

describe("a compatible server", () => {
  const chat = STREAMED.find((one) => one.title === "openai chat")!;
  const withoutUsage = chat.events(PIECES).filter((event) => !event.includes("prompt_tokens"));

  test("that refuses stream_options is asked without them, from then on, and tells no usage", async () => {
    await using server = await faultServer((res, { body }) =>
      JSON.parse(body).stream_options
        ? reply(res, 400, { error: { message: "Unrecognized request argument supplied: stream_options" } })
        : stream(res, withoutUsage),
    );
    const provider = openai({ apiKey: KEY, baseURL: `${server.url}/v1` });
    for (let call = 0; call < 3; call++) {
      expect(await ask(provider)).toMatchObject({ text: TEXT, usage: { inputTokens: 0, outputTokens: 0 } });
    }
    expect(server.seen).toHaveLength(4);
    await provider.close();
  });

  test("that refuses both stream_options and schemas is asked without either", async () => {
    await using server = await faultServer((res, { body }) => {
      const sent = JSON.parse(body);
      if (sent.response_format) return reply(res, 400, { error: { message: "response_format is not supported" } });
      if (sent.stream_options) return reply(res, 422, { detail: [{ loc: ["body", "stream_options"], msg: "extra" }] });
      return stream(res, chat.events(["Sure: ", '{"tone":', '"good"}']));
    });
    const provider = openai({ apiKey: KEY, baseURL: `${server.url}/v1` });
    const completion = await provider.complete({ ...ASK, schema: SCHEMA }, listener().options);
    expect(completion).toMatchObject({ text: '{"tone":"good"}', usage: chat.usage });
    expect(server.seen).toHaveLength(3);
    await provider.close();
  });

  test("that repeats the usage in every chunk, or ends without an empty line, is understood", async () => {
    const running = chat
      .events(PIECES)
      .map((event, index) => event.replace('"usage":null', `"usage":{"prompt_tokens":${index}}`));
    const bare = [...running.slice(0, -1), "data: [DONE]"];
    await using server = await faultServer((res) => stream(res, bare, { "content-type": "text/plain" }));
    const provider = openai({ apiKey: KEY, baseURL: `${server.url}/v1` });
    expect(await ask(provider)).toMatchObject({ text: TEXT, usage: chat.usage });
    await provider.close();
  });

  test.each([
    ["an answer without end", (piece: string) => `data: {"choices":[{"delta":{"content":"${piece}"}}]}\n\n`],
    ["an event without end", (piece: string) => `data: "${piece}"\n`],
    ["a line without end", (piece: string) => piece.replaceAll("x", "data: ")],
  ])("that sends %s is cut off at the bound", async (what, form) => {
    const part = form("x".repeat(1024 * 1024));
    await using server = await faultServer(async (res) => {
      begin(res);
      if (what === "a line without end") res.write("data: ");
      const gone = left(res);
      let open = true;
      void gone.then(() => {
        open = false;
      });
      while (open)
        if (!res.write(part)) await Promise.race([gone, new Promise((resolve) => res.once("drain", resolve))]);
    });
    const provider = openai({ apiKey: KEY, baseURL: `${server.url}/v1` });
    const error = (await rejection(provider.complete(ASK, { ...patient(), streaming: true }))) as Error;
    expect(error).toMatchObject({ code: "bad_response" });
    expect(error.message).toMatch(/longer than any completion/);
    await server.drained();
    await provider.close();
  });
});
