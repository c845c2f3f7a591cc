import { describe, expect, test } from "vitest";
import { faultServer, rejection, reply } from "../http/server.ts";
import { TIMED } from "../support.ts";
import { ASK, KEY, PROTOCOLS, patient, SCHEMA } from "./vendors.ts";

describe.each(PROTOCOLS)("$title", (protocol) => {
  test("one request is one POST with the key, the model and the words, and nothing that was not asked for", async () => {
    await using server = await faultServer((res) => reply(res, 200, protocol.answer("ok")));
    const provider = protocol.make(server.url, { model: "m-1", maxOutputTokens: 77, headers: { "x-team": "news" } });
    await provider.complete(ASK, patient());
    expect(server.seen).toHaveLength(1);
    const [{ method, url, headers, body }] = server.seen as [(typeof server.seen)[0]];
    expect([method, url]).toEqual(["POST", protocol.path]);
    expect(headers).toMatchObject({
      authorization: `Bearer ${KEY}`,
      "content-type": "application/json",
      "x-team": "news",
    });
    const sent = JSON.parse(body);
    expect(sent).toMatchObject({ model: "m-1" });
    expect(JSON.stringify(sent.messages ?? sent.input)).toContain('"Hi"');
    expect(sent.max_tokens ?? sent.max_output_tokens).toBe(77);
    for (const word of ["temperature", "response_format", "output_config", "text", "system", "instructions"]) {
      expect(sent).not.toHaveProperty(word);
    }
    await provider.close();
  });

  test("system, temperature, a smaller limit and both roles are sent as given", async () => {
    await using server = await faultServer((res) => reply(res, 200, protocol.answer("ok")));
    const provider = protocol.make(server.url);
    await provider.complete(
      {
        system: "Be brief.",
        messages: [
          { role: "user", content: "1" },
          { role: "assistant", content: "2" },
          { role: "user", content: "3" },
        ],
        temperature: 0,
        maxOutputTokens: 9,
      },
      patient(),
    );
    const sent = JSON.parse(server.seen[0]?.body ?? "");
    expect(sent.temperature).toBe(0);
    expect(sent.max_tokens ?? sent.max_output_tokens).toBe(9);
    const messages = sent.messages ?? sent.input;
    expect(messages.slice(-3)).toMatchObject([
      { role: "user", content: "1" },
      { role: "assistant", content: "2" },
      { role: "user", content: "3" },
    ]);
    const system = sent.system ?? sent.instructions ?? messages[0].content;
    expect(system).toBe("Be brief.");
    await provider.close();
  });

  test("a schema goes out in the vendor's own place", async () => {
    await using server = await faultServer((res) => reply(res, 200, protocol.answer('{"tone":"good"}')));
    const provider = protocol.make(server.url);
    const { text } = await provider.complete({ ...ASK, schema: SCHEMA, schemaName: "verdict" }, patient());
    expect(text).toBe('{"tone":"good"}');
    const sent = JSON.parse(server.seen[0]?.body ?? "");
    const named = { name: "verdict", strict: true, schema: SCHEMA };
    const places: Record<string, unknown> = {
      anthropic: { output_config: { format: { type: "json_schema", schema: SCHEMA } } },
      "openai chat": { response_format: { type: "json_schema", json_schema: named } },
      "openai responses": { text: { format: { type: "json_schema", ...named } } },
      mistral: { response_format: { type: "json_schema", json_schema: named } },
    };
    expect(sent).toMatchObject(places[protocol.title] as object);
    await provider.close();
  });

  test("the answer comes with usage, model, id and every limit header", async () => {
    const limits = {
      "anthropic-ratelimit-requests-remaining": "9",
      "x-ratelimit-limit-tokens": "100",
      "x-ratelimitbysize-remaining-minute": "3",
      "ratelimitbysize-reset": "20",
      "retry-after": "2",
    };
    await using server = await faultServer((res) =>
      reply(res, 200, protocol.answer("ok"), { ...limits, [protocol.idHeader]: "req_9", "x-other": "1" }),
    );
    const provider = protocol.make(server.url);
    const completion = await provider.complete(ASK, patient());
    expect(completion).toEqual({
      text: "ok",
      finishReason: "stop",
      usage: protocol.usage,
      model: expect.stringMatching(/-x$/),
      requestId: "req_9",
      limits,
    });
    await provider.close();
  });

  test("without an id header the answer's own id stands", async () => {
    await using server = await faultServer((res) => reply(res, 200, protocol.answer("ok")));
    const provider = protocol.make(server.url);
    expect((await provider.complete(ASK, patient())).requestId).toMatch(/1$/);
    await provider.close();
  });

  test.each(["before the headers", "in the body"])(
    "an abort %s rejects with the reason within 50 ms and closes the socket",
    TIMED,
    async (when) => {
      const stop = new AbortController();
      const reason = { why: "timeout of the attempt" };
      let aborted = 0;
      await using server = await faultServer((res) => {
        if (when === "in the body") {
          res.writeHead(200, { "content-type": "application/json", "content-length": 1_000 });
          res.write('{"id":');
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
      expect(await rejection(provider.complete(ASK, { signal: stop.signal }))).toBe(reason);
      expect(performance.now() - aborted).toBeLessThan(50);
      await server.drained();
      await provider.close();
    },
  );

  test("a signal that is aborted already sends nothing", async () => {
    await using server = await faultServer((res) => reply(res, 200, protocol.answer("ok")));
    const provider = protocol.make(server.url);
    expect(await rejection(provider.complete(ASK, { signal: AbortSignal.abort("no") }))).toBe("no");
    expect(server.seen).toHaveLength(0);
  });

  test("a signal shared by many calls keeps no listener of theirs", async () => {
    await using server = await faultServer((res) => reply(res, 200, protocol.answer("ok")));
    const provider = protocol.make(server.url);
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    const options = patient();
    for (let call = 0; call < 50; call++) await provider.complete(ASK, options);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", note);
    expect(warnings).toEqual([]);
    await provider.close();
  });

  test("n calls at once use n sockets, round after round", async () => {
    const waiting: (() => void)[] = [];
    await using server = await faultServer((res) => {
      waiting.push(() => reply(res, 200, protocol.answer("ok")));
      if (waiting.length === 10) for (const answer of waiting.splice(0)) answer();
    });
    const provider = protocol.make(server.url);
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 10 }, () => provider.complete(ASK, patient())));
    }
    expect(server.sockets).toHaveLength(10);
    await provider.close();
  });

  test("a hundred refusals with bodies leave one socket, and the provider usable", async () => {
    await using server = await faultServer((res, _seen, nth) =>
      nth < 100
        ? reply(res, 429, protocol.error("rate_limit_error", "slow ".repeat(2_000)))
        : reply(res, 200, protocol.answer("ok")),
    );
    const provider = protocol.make(server.url);
    for (let call = 0; call < 100; call++) {
      expect(await rejection(provider.complete(ASK, patient()))).toMatchObject({ code: "rate_limited" });
    }
    expect((await provider.complete(ASK, patient())).text).toBe("ok");
    expect(server.seen).toHaveLength(101);
    expect(server.sockets).toHaveLength(1);
    await provider.close();
  });

  test("close aborts the calls in flight and refuses later ones", async () => {
    let arrived = () => {};
    const called = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await using server = await faultServer(() => arrived());
    const provider = protocol.make(server.url);
    const call = rejection(provider.complete(ASK, patient()));
    await called;
    await provider.close();
    expect(await call).toMatchObject({ code: "aborted" });
    expect(await rejection(provider.complete(ASK, patient()))).toMatchObject({ code: "aborted" });
    await server.drained();
  });
});

const FINISHES: Record<string, readonly [string, string][]> = {
  anthropic: [
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["refusal", "refusal"],
    ["pause_turn", "other"],
  ],
  "openai chat": [
    ["stop", "stop"],
    ["length", "length"],
    ["content_filter", "filter"],
    ["tool_calls", "other"],
  ],
  "openai responses": [
    ["completed", "stop"],
    ["max_output_tokens", "length"],
    ["content_filter", "filter"],
    ["new_reason", "other"],
  ],
  mistral: [
    ["stop", "stop"],
    ["length", "length"],
    ["model_length", "length"],
    ["content_filter", "filter"],
    ["tool_calls", "other"],
  ],
};

describe.each(PROTOCOLS)("$title", (protocol) => {
  test.each(FINISHES[protocol.title] ?? [])("the vendor's %s means %s", async (finish, reason) => {
    await using server = await faultServer((res) => reply(res, 200, protocol.answer("ok", { finish })));
    const provider = protocol.make(server.url);
    expect((await provider.complete(ASK, patient())).finishReason).toBe(reason);
    await provider.close();
  });
});

test.each([
  [
    "openai chat",
    { choices: [{ message: { content: null, refusal: "I cannot." }, finish_reason: "stop" }], usage: {} },
  ],
  [
    "openai responses",
    {
      status: "completed",
      output: [{ type: "message", content: [{ type: "refusal", refusal: "I cannot." }] }],
      usage: { input_tokens: 1, output_tokens: 1 },
    },
  ],
])("%s: a refusal that is told apart from the text is a refusal", async (title, answer) => {
  const protocol = PROTOCOLS.find((one) => one.title === title)!;
  await using server = await faultServer((res) => reply(res, 200, answer));
  const provider = protocol.make(server.url);
  expect(await provider.complete(ASK, patient())).toMatchObject({ text: "", finishReason: "refusal" });
  await provider.close();
});
