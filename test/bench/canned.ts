/**
 * A server that answers every POST with the same bytes after the same time, and does next to nothing besides: so that what
 * is measured is the client. `node canned.ts <latency ms> <answer bytes>` prints its URL.
 */

import { createServer, type Socket } from "node:net";

const [latency = 0, size = 0] = process.argv.slice(2).map(Number);

const SENTENCE = "The river rose in the night and the market by the old bridge stayed shut until the water had gone. ";
const analysis = {
  title: "The river",
  summary: SENTENCE.repeat(3).trim(),
  keyPoints: [SENTENCE.trim(), SENTENCE.trim(), SENTENCE.repeat(Math.ceil(size / SENTENCE.length)).trim()],
  topics: ["river", "market", "flood"],
  entities: [{ name: "Old Bridge", type: "place" }],
  sentiment: "neutral",
  language: "en",
};

/** Answers as each of the three protocols gives them. */
const body = Buffer.from(
  JSON.stringify({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "bench",
    content: [{ type: "text", text: JSON.stringify(analysis) }],
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: JSON.stringify(analysis) } }],
    stop_reason: "end_turn",
    usage: {
      input_tokens: 3_000,
      output_tokens: 300,
      prompt_tokens: 3_000,
      completion_tokens: 300,
      total_tokens: 3_300,
    },
  }),
);

/** As many headers as the vendors send. */
const head = [
  "HTTP/1.1 200 OK",
  "date: Sat, 28 Nov 2026 12:00:00 GMT",
  "content-type: application/json",
  `content-length: ${body.length}`,
  "connection: keep-alive",
  "request-id: req_011CTxyzabcdefghijkl",
  "anthropic-organization-id: 00000000-0000-0000-0000-000000000000",
  "strict-transport-security: max-age=31536000; includeSubDomains; preload",
  "via: 1.1 google",
  "cf-cache-status: DYNAMIC",
  "x-robots-tag: none",
  "server: cloudflare",
  "cf-ray: 8a0000000000-FRA",
];
const answer = Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]);

/** What is due, in order: one timer serves all. */
const due: { at: number; socket: Socket }[] = [];
let waiting = false;

function wait(ms: number): void {
  waiting = true;
  setTimeout(serve, ms);
}

function serve(): void {
  waiting = false;
  const now = performance.now();
  let served = 0;
  while (served < due.length && (due[served]?.at ?? 0) <= now + 0.5) due[served++]?.socket.write(answer);
  due.splice(0, served);
  if (due.length > 0) wait((due[0]?.at ?? 0) - now);
}

function reply(socket: Socket): void {
  if (latency === 0) return void socket.write(answer);
  due.push({ at: performance.now() + latency, socket });
  if (!waiting) wait(latency);
}

const server = createServer({ noDelay: true }, (socket) => {
  let left = 0;
  let pending: Buffer | undefined;
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    let data = pending === undefined ? chunk : Buffer.concat([pending, chunk]);
    pending = undefined;
    while (data.length > 0) {
      if (left > 0) {
        const taken = Math.min(left, data.length);
        left -= taken;
        data = data.subarray(taken);
        if (left === 0) reply(socket);
        continue;
      }
      const end = data.indexOf("\r\n\r\n");
      if (end < 0) {
        pending = data;
        return;
      }
      left = Number(/content-length: *(\d+)/i.exec(data.toString("latin1", 0, end))?.[1] ?? 0);
      data = data.subarray(end + 4);
      if (left === 0) reply(socket);
    }
  });
});

server.listen({ port: 0, host: "127.0.0.1", backlog: 2_048 }, () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) console.log(`http://127.0.0.1:${address.port}`);
});
process.stdin.on("end", () => process.exit()).resume();
