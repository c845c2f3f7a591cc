/** A real server on port 0 that does to each request what the test says, and keeps what it saw. */

import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Behaviour = (res: ServerResponse, seen: Seen, nth: number) => unknown;

export interface FaultServer extends AsyncDisposable {
  readonly url: string;
  readonly seen: Seen[];
  /** Every socket that was ever opened. */
  readonly sockets: Socket[];
  open(): number;
  /** Resolves when no more than `count` sockets are open. */
  drained(count?: number): Promise<void>;
}

export async function faultServer(
  behaviour: Behaviour,
  options: { keepAliveTimeout?: number } = {},
): Promise<FaultServer> {
  const seen: Seen[] = [];
  const sockets: Socket[] = [];
  const server = createServer(options, async (req, res) => {
    const nth = seen.length;
    const entry = { method: req.method ?? "", url: req.url ?? "", headers: req.headers, body: await text(req) };
    seen.push(entry);
    await behaviour(res, entry, nth);
  });
  server.on("connection", (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const open = () => sockets.filter((socket) => !socket.destroyed).length;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    sockets,
    open,
    async drained(count = 0) {
      while (open() > count) {
        const alive = sockets.filter((socket) => !socket.destroyed);
        await Promise.race(alive.map((socket) => once(socket, "close").catch(() => {})));
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function text(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

export function reply(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string | string[]> = {},
): void {
  res.writeHead(status, { "content-type": "application/json", ...headers });
  res.end(typeof body === "string" ? body : JSON.stringify(body));
}

/** What `promise` rejects with; fails when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("error" in outcome) return outcome.error;
  throw new Error(`It resolved with ${JSON.stringify(outcome.value)}.`);
}
