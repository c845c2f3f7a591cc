/** Answers that no honest server gives: each is a dead letter of its record, and of nothing else. */

import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { Readable } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { type AnalyzeOptions, analyze, pipeline, read, write } from "../src/index.ts";
import type { DeadLetter } from "../src/record.ts";
import { KEY, PROTOCOLS, type Protocol, SCHEMA } from "./providers/vendors.ts";
import { TIMED } from "./support.ts";
import { collector } from "./transforms/own-provider.ts";

const SECRET = "the article's own words";
const GIGABYTE = 1024 ** 3;
const BLOCK = Buffer.alloc(64 * 1024, "x");

type Hostile = (socket: Socket, nth: number) => unknown;

const http = (body: string | Buffer, head = "200 OK", headers = ""): string =>
  `HTTP/1.1 ${head}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;

/** Bytes over a bare socket, so that nothing makes an honest answer of them. */
async function rawServer(protocol: Protocol, hostile: Hostile, answer = "fine") {
  const sockets = new Set<Socket>();
  let attacked = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    let received = "";
    socket.setEncoding("utf8").on("data", (text) => {
      received += text;
      const [head = "", body] = received.split("\r\n\r\n", 2);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.POSITIVE_INFINITY);
      if (body === undefined || Buffer.byteLength(body) < length) return;
      received = "";
      if (body.includes("HOSTILE")) hostile(socket, attacked++);
      else socket.write(http(JSON.stringify(protocol.answer(answer))));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, attacks: () => attacked, sockets };
}

interface Ran {
  readonly written: readonly { id: number; text?: string; usage: Record<string, number> }[];
  readonly letters: readonly DeadLetter[];
  readonly attacks: number;
}

/** Six records, of which the fourth is answered so; or `count`, every third. */
async function run(
  protocol: Protocol,
  hostile: Hostile,
  { count = 6, answer = "fine", ...options }: Partial<AnalyzeOptions> & { count?: number; answer?: string } = {},
): Promise<Ran> {
  const server = await rawServer(protocol, hostile, answer);
  const isHostile = (id: number) => (count === 6 ? id === 3 : id % 3 === 2);
  const records = Array.from({ length: count }, (_, id) => ({ id, content: isHostile(id) ? "HOSTILE" : "calm" }));
  const provider = protocol.make(server.url);
  const [out, box] = [collector(), collector()];
  await pipeline(
    read(Readable.from(records)),
    analyze({
      provider,
      prompt: ({ content }) => `${SECRET} ${content}`,
      output: ({ id }, { value, usage }) => ({ id, ...(value as { text?: string }), usage }),
      maxRetries: 1,
      retryBaseDelay: 1,
      timeout: 5_000,
      concurrency: 2,
      ...options,
    }),
    write(out.stream),
    { deadLetters: write(box.stream) },
  );
  await provider.close();
  while (server.sockets.size > 0) await once([...server.sockets][0] as Socket, "close");
  const letters = parsed(box.records) as DeadLetter[];
  const errors = JSON.stringify(letters.map(({ error }) => error));
  for (const secret of [KEY, SECRET, "LEAK"]) expect(errors).not.toContain(secret);
  return { written: parsed(out.records) as Ran["written"], letters, attacks: server.attacks() };
}

/** `write()` gives bytes to a stream that takes bytes, and records to one that takes those. */
const parsed = (given: readonly unknown[]): unknown[] =>
  given.flatMap((each) => {
    if (!(each instanceof Uint8Array) && typeof each !== "string") return [each];
    return String(each)
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  });

const flood = (head: string, prefix = "", suffix = ""): Hostile => {
  return (socket) => {
    socket.write(head);
    let sent = 0;
    const more = () => {
      for (let room = true; room && !socket.destroyed && sent < GIGABYTE; sent += BLOCK.length) {
        room = socket.write(prefix === "" ? BLOCK : Buffer.concat([Buffer.from(prefix), BLOCK, Buffer.from(suffix)]));
      }
    };
    socket.on("drain", more);
    more();
  };
};

const drip = (head: string, piece: string): Hostile => {
  return (socket) => {
    socket.write(head);
    const timer = setInterval(() => socket.write(piece), 20);
    socket.on("close", () => clearInterval(timer));
  };
};

const CHUNK_HEAD = `${BLOCK.length.toString(16)}\r\n`;
const LENGTH = `content-length: ${GIGABYTE}\r\n`;

const FLOODS: readonly [string, Hostile][] = [
  ["a body of 1 GB", flood(`HTTP/1.1 200 OK\r\n${LENGTH}\r\n`)],
  ["chunks without end", flood("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", CHUNK_HEAD, "\r\n")],
  ["an error of 1 GB", flood(`HTTP/1.1 500 Oops\r\n${LENGTH}\r\n`)],
  ["a refusal of 1 GB in chunks", flood("HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\n\r\n", CHUNK_HEAD, "\r\n")],
  ["headers of 1 GB", flood("HTTP/1.1 200 OK\r\nx-flood: ")],
  ["nothing but early hints", flood("", "HTTP/1.1 103 Early Hints\r\nlink: ", "\r\n\r\n")],
];

const ODD: readonly [string, (good: string) => string, "written" | string][] = [
  ["HTTP/1.0 without a length", (good) => `HTTP/1.0 200 OK\r\n\r\n${good}`, "written"],
  ["a thousand early hints", (good) => "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1_000) + http(good), "written"],
  ["bytes that are not UTF-8, in a text", (good) => http(good), "written"],
  ["a body after JSON", (good) => http(`${good}{"LEAK":1}`), "bad_response"],
  ["a length that is too short", (good) => http(good).replace(/length: \d+/, "length: 9"), "bad_response"],
  ["two lengths", (good) => http(good, "200 OK", "content-length: 3\r\n"), "connection_failed"],
  ["a length and chunks", (good) => http(good, "200 OK", "transfer-encoding: chunked\r\n"), "connection_failed"],
  ["a length below zero", (good) => http(good).replace(/length: \d+/, "length: -1"), "bad_response"],
  ["a status of four digits", (good) => http(good, "2000 LEAK"), "bad_response"],
  ["a redirect to itself", () => http("", "307 Again", "location: /v1/messages\r\n"), "bad_response"],
  ["NULs", () => "\0".repeat(10_000), "bad_response"],
];

describe.each(PROTOCOLS)("$title, from a hostile server", (protocol) => {
  const good = JSON.stringify(protocol.answer("good"));

  test.each(FLOODS)("%s is not taken into memory, and costs its own record only", async (_, hostile) => {
    const before = process.memoryUsage.rss();
    let peak = before;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 5);
    const { written, letters } = await run(protocol, hostile, { maxRetries: 0, timeout: 3_000 });
    clearInterval(timer);
    expect(written.map(({ id }) => id)).toEqual([0, 1, 2, 4, 5]);
    expect(letters).toMatchObject([{ record: { id: 3 } }]);
    expect(letters[0]?.error.code).toMatch(/^(bad_response|connection_failed|timeout)$/);
    expect((peak - before) / 1e6).toBeLessThan(150);
  });

  test.each(ODD)("%s", async (_, answer, code) => {
    const { written, letters, attacks } = await run(protocol, (socket) => socket.end(answer(good)));
    expect(written.length + letters.length).toBe(6);
    if (code === "written") expect(written[3]).toMatchObject({ id: 3, text: "good" });
    else {
      expect(letters).toMatchObject([{ record: { id: 3 }, error: { code, attempts: 2 } }]);
      expect(attacks).toBe(2);
    }
  });

  test.each([
    ["the headers", drip("HTTP/1.1 200 OK\r\nx-slow: ", "x")],
    ["the body", drip("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n", " ")],
    ["early hints", drip("", "HTTP/1.1 103 Early Hints\r\n\r\n")],
  ])("that gives %s byte by byte is left at the timeout", TIMED, async (_, hostile) => {
    const startedAt = performance.now();
    const { written, letters } = await run(protocol, hostile, { timeout: 300, maxRetries: 0 });
    expect(written).toHaveLength(5);
    expect(letters).toMatchObject([{ record: { id: 3 }, error: { code: "timeout", attempts: 1 } }]);
    expect(performance.now() - startedAt).toBeLessThan(2_500);
  });

  test("that hangs up after each answer costs no record", async () => {
    const { written } = await run(protocol, (socket) => socket.end(http(good)), { count: 30 });
    expect(written).toHaveLength(30);
  });

  test("that puts any wrong value in any place gives an answer or a dead letter, never more", async () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    const values = ["null", "-1", "1.5", "1e400", '"12"', "[]", "{}", '[[{"text":{}}]]', "true", deep];
    const bodies = placesIn(protocol.answer("good")).flatMap((path) => values.map((value) => put(good, path, value)));
    const { written, letters } = await run(protocol, (socket, nth) => socket.write(http(bodies[nth] ?? "")), {
      count: 3 * bodies.length,
      maxRetries: 0,
      ordered: false,
    });
    expect(written.length + letters.length).toBe(3 * bodies.length);
    for (const { error } of letters) expect(error.code).toMatch(/^(bad_response|refused|truncated_answer)$/);
    for (const { usage } of written) {
      for (const count of Object.values(usage)) expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
    }
  });

  test("that nests its answer's text 100,000 deep fits no schema, and is a text without one", async () => {
    const deep = `{"tone":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    const hostile: Hostile = (socket) => socket.write(http(JSON.stringify(protocol.answer(deep))));
    const schema = await run(protocol, hostile, { schema: SCHEMA, answer: '{"tone":"good"}' });
    expect(schema.letters).toMatchObject([{ record: { id: 3 }, error: { code: "invalid_answer", attempts: 2 } }]);
    const none = await run(protocol, hostile);
    expect(none.written.map(({ text }) => text)).toEqual(["fine", "fine", "fine", deep, "fine", "fine"]);
  });

  test.each(["1e308", "-1", "NaN", "Fri, 31 Dec 9999 23:59:59 GMT", "99999999999999999999"])(
    "that says to come back after %s is not waited for beyond the longest wait",
    TIMED,
    async (after) => {
      const startedAt = performance.now();
      const answer = http("{}", "429 Slow Down", `retry-after: ${after}\r\n`);
      const outcome = run(protocol, (socket) => socket.write(answer), { maxWait: 100 });
      await expect(outcome).rejects.toMatchObject({ code: "max_wait_exceeded" });
      expect(performance.now() - startedAt).toBeLessThan(3_000);
    },
  );
});

/** Every place of a value in a JSON document, outermost first. */
function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => placesIn(inner, [...path, key]))];
}

/** The document with other text in the place: written, since JSON.stringify could not hold it. */
function put(document: string, path: readonly string[], text: string): string {
  if (path.length === 0) return text;
  const root = JSON.parse(document);
  let at = root;
  for (const key of path.slice(0, -1)) at = at[key];
  at[path.at(-1) as string] = "HERE IT GOES";
  return JSON.stringify(root).replace('"HERE IT GOES"', text);
}
