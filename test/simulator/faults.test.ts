/** Faults: that each is what it says, that they come at their rate, and that a seed replays them whatever the timing. */

import { describe, expect, test } from "vitest";
import type { Simulator } from "../../src/simulator/simulator.ts";
import { drawFault, FAULT_NAMES, type FaultName } from "../../src/simulator/traffic/faults.ts";
import { askAnthropic, askChat, askMistral, eventsOf, type Reply, simulate, statusOf, VERDICT } from "./support.ts";

const always = (fault: FaultName) => simulate({ faults: { [fault]: 1 } });

/** The code at the end of a failed fetch's chain of causes. */
async function failure(call: Promise<Reply>): Promise<string> {
  try {
    const { status, text } = await call;
    return `answered ${status}: ${text.slice(0, 80)}`;
  } catch (error) {
    let last = error;
    while (last instanceof Error && last.cause) last = last.cause;
    return String((last as { code?: unknown }).code);
  }
}

describe("each fault", () => {
  test("of status comes with the vendor's body", async () => {
    const expected = {
      error500: [500, 500, 500],
      error503: [503, 503, 503],
      overloaded529: [529, 503, 503],
      rateLimit429: [429, 429, 429],
      timeout408: [408, 408, 408],
    } as const;
    for (const [fault, statuses] of Object.entries(expected)) {
      const { url } = await always(fault as FaultName);
      const replies = [await askAnthropic(url), await askChat(url), await askMistral(url)];
      expect(replies.map(({ status }) => status)).toEqual(statuses);
      expect(replies[0]?.json.error.type).toBeTypeOf("string");
      expect(replies[1]?.json.error.message).toBeTypeOf("string");
      expect(replies[2]?.json.object).toBe("error");
    }
  });

  test("of the connection breaks it, before or in the middle of the answer", async () => {
    for (const stream of [false, true]) {
      expect(await failure(askChat((await always("resetBeforeHeaders")).url, { stream }))).toMatch(
        /ECONNRESET|UND_ERR_SOCKET/,
      );
      expect(await failure(askChat((await always("resetMidBody")).url, { stream }))).toMatch(
        /ECONNRESET|UND_ERR_SOCKET/,
      );
      expect(await failure(askChat((await always("cutBody")).url, { stream }))).toMatch(
        /UND_ERR_SOCKET|HPE_INVALID_EOF/,
      );
    }
  });

  test("in mid-body lets headers and a part of the body through", async () => {
    for (const fault of ["resetMidBody", "cutBody"] as const) {
      const { url } = await always(fault);
      const response = await fetch(`${url}/openai/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: "Bearer k" },
        body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "x" }] }),
      });
      expect(response.status).toBe(200);
      const reader = response.body?.getReader();
      expect((await reader?.read())?.value?.length).toBeGreaterThan(50);
      await expect(reader?.read()).rejects.toThrow();
    }
  });

  test("of the body comes with status 200", async () => {
    const html = await askChat((await always("htmlBody")).url);
    expect([html.status, html.headers.get("content-type"), html.json]).toEqual([
      200,
      "text/html; charset=utf-8",
      undefined,
    ]);
    const broken = await askChat((await always("invalidJsonBody")).url);
    expect([broken.status, broken.headers.get("content-type"), broken.json]).toEqual([
      200,
      "application/json",
      undefined,
    ]);
    const stream = await askChat((await always("invalidJsonBody")).url, { stream: true });
    expect(() => eventsOf(stream.text)).toThrow(SyntaxError);
  });

  test("of the content is a whole answer that cannot be used", async () => {
    const wrong = await askAnthropic((await always("wrongSchema")).url, { schema: VERDICT });
    const value = JSON.parse(wrong.json.content[0].text);
    expect(Object.keys(value).toSorted()).not.toEqual(["tone", "topic", "weight"]);
    expect(JSON.stringify(value)).toContain("sim-");
    const cut = await askAnthropic((await always("maxTokensCut")).url, { schema: VERDICT });
    expect(cut.json.stop_reason).toBe("max_tokens");
    expect(() => JSON.parse(cut.json.content[0].text)).toThrow();
    expect((await askAnthropic((await always("refusal")).url)).json.stop_reason).toBe("refusal");
  });

  test("slowDrip brings the whole answer, slowly", async () => {
    const { url } = await simulate({ faults: { slowDrip: 1 }, dripInterval: 10 });
    const start = performance.now();
    const { json } = await askChat(url);
    expect(json.choices[0].finish_reason).toBe("stop");
    expect(performance.now() - start).toBeGreaterThan(150);
  });

  test("streamError turns a stream into an error, and leaves other calls alone", async () => {
    const { url } = await always("streamError");
    const events = eventsOf((await askAnthropic(url, { stream: true })).text);
    expect(events[0].type).toBe("message_start");
    expect(events.at(-1)).toMatchObject({ type: "error", error: { type: "overloaded_error" } });
    expect((await askAnthropic(url)).json.stop_reason).toBe("end_turn");
  });

  test("stallMidBody sends half of an answer and then nothing until the client leaves", async () => {
    for (const stream of [false, true]) {
      const simulator = await always("stallMidBody");
      const leave = new AbortController();
      const response = await fetch(`${simulator.url}/openai/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: "Bearer k" },
        body: JSON.stringify({ model: "gpt-5", stream, messages: [{ role: "user", content: "x" }] }),
        signal: leave.signal,
      });
      const reader = response.body!.getReader();
      expect((await reader.read()).value?.length).toBeGreaterThan(0);
      leave.abort();
      const rest = async () => {
        while (!(await reader.read()).done);
      };
      await expect(rest()).rejects.toThrow();
      await expect.poll(() => simulator.ledger()[0]).toMatchObject({ aborted: true, delivered: false, status: 200 });
    }
  });

  test("hang holds the call until the client leaves", async () => {
    const simulator = await always("hang");
    const leave = new AbortController();
    const call = statusOf(askChat(simulator.url, { signal: leave.signal }));
    await expect.poll(() => simulator.ledger()[0]?.outcome).toBe("hang");
    leave.abort();
    expect(await call).toBe("broken");
    await expect.poll(() => simulator.ledger()[0]).toMatchObject({ aborted: true, delivered: false, status: null });
  });
});

describe("draws", () => {
  test("come at about their rate, and together as their sum", () => {
    const rates = Object.fromEntries(FAULT_NAMES.map((name, i) => [name, (i + 1) / 1000]));
    const counts = new Map<string | undefined, number>();
    const draws = 40_000;
    for (let i = 0; i < draws; i++) {
      const fault = drawFault(rates, 7, { text: `text ${i % 10_000}`, draw: 1 + Math.floor(i / 10_000) });
      counts.set(fault, (counts.get(fault) ?? 0) + 1);
    }
    for (const [name, rate] of Object.entries(rates)) {
      const spread = Math.sqrt(draws * rate * (1 - rate));
      expect(Math.abs((counts.get(name) ?? 0) - draws * rate)).toBeLessThan(5 * spread);
    }
  });

  const faults = { error500: 0.1, rateLimit429: 0.1, resetBeforeHeaders: 0.1, wrongSchema: 0.2, maxTokensCut: 0.1 };
  const texts = Array.from({ length: 120 }, (_, i) => `article ${i} [[id:${i}]]`);

  /** Asks each text three times; what happened, by text, leaving out what the knee turned away. */
  async function run(
    simulator: Simulator,
    order: readonly string[],
    atOnce: number,
  ): Promise<Record<string, string[]>> {
    const left = [...order];
    const worker = async () => {
      for (let text = left.shift(); text !== undefined; text = left.shift()) {
        for (let i = 0; i < 3; i++) await statusOf(askChat(simulator.url, { text, schema: VERDICT }));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    const outcomes: Record<string, string[]> = {};
    const sent = simulator.ledger().filter((entry) => !["rate_limited", "overloaded"].includes(entry.outcome));
    for (const { id, outcome } of sent) outcomes[id ?? ""] = [...(outcomes[id ?? ""] ?? []), outcome];
    return outcomes;
  }

  test("replay by seed in another order, at another pace and behind a knee, and differ by seed", async () => {
    const first = await run(await simulate({ faults, seed: 5 }), texts, 1);
    const again = await run(await simulate({ faults, seed: 5, latency: { min: 0, max: 4 } }), texts.toReversed(), 16);
    const other = await run(await simulate({ faults, seed: 6 }), texts, 16);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    const behind = await simulate({ faults, seed: 5, knee: 2, latency: 1 });
    const some = await run(behind, texts, 8);
    expect(behind.stats().byOutcome.overloaded).toBeGreaterThan(0);
    for (const [id, outcomes] of Object.entries(some)) expect(first[id]?.slice(0, outcomes.length)).toEqual(outcomes);
  });

  test("give a text one content fault at most, so that asking again heals it", async () => {
    const simulator = await simulate({ faults: { wrongSchema: 0.5, maxTokensCut: 0.5 } });
    const question = { role: "user", content: "heal me" };
    const bad = await askChat(simulator.url, { messages: [question], schema: VERDICT });
    const messages = [question, { role: "assistant", content: "bad" }, { role: "user", content: "again, please" }];
    const good = await askChat(simulator.url, { messages, schema: VERDICT });
    expect(["wrongSchema", "maxTokensCut"]).toContain(simulator.ledger()[0]?.outcome);
    expect(simulator.ledger()[1]).toMatchObject({ outcome: "answered", attempt: 2, text: simulator.ledger()[0]?.text });
    expect(good.json.choices[0].message.content).not.toBe(bad.json.choices[0].message.content);
    expect(Object.keys(JSON.parse(good.json.choices[0].message.content))).toEqual(["topic", "tone", "weight"]);
    simulator.set({ persistent: true });
    for (let i = 0; i < 3; i++) await askChat(simulator.url, { messages, schema: VERDICT });
    expect(simulator.ledger(3).every(({ outcome }) => outcome !== "answered")).toBe(true);
  });

  test("end when the faults are lifted", async () => {
    const simulator = await simulate({ faults: { error500: 1 } });
    const before = await askChat(simulator.url);
    simulator.set({ faults: {} });
    expect([before.status, (await askChat(simulator.url)).status]).toEqual([500, 200]);
  });
});
