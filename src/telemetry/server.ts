/** The live page of a run and what belongs to it: read-only, on this machine unless told otherwise. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { failure } from "../errors.ts";
import { isOurs } from "./guard.ts";
import { type PageFile, pageFiles } from "./page-files.ts";
import type { Viewers } from "./viewers.ts";

/** Where to listen. */
export interface Address {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** What is served. */
export interface Served {
  readonly viewers: Pick<Viewers<unknown>, "add" | "full">;
  report(): unknown;
  health(): unknown;
  metrics(): Promise<{ readonly type: string; readonly body: string }>;
}

/** Nothing comes from elsewhere, nothing runs that is not a file of ours, nobody frames it. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "cache-control": "no-store",
} as const;

/** Connections at once at most: browsers open six a page. */
const MOST_CONNECTIONS = 200;

/** How long a request may take to be sent, ms. */
const REQUEST_TIMEOUT = 10_000;

export interface RunningServer {
  readonly url: string;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** @throws ConfigurationError when it cannot listen there */
export async function startServer(address: Address, served: Served): Promise<RunningServer> {
  const app = appOf(served, { named: address.host, files: await pageFiles() });
  const server = createAdaptorServer({
    fetch: app.fetch,
    // The SDKs are to keep the Request and Response that they know.
    overrideGlobalObjects: false,
    createServer,
    serverOptions: { requestTimeout: REQUEST_TIMEOUT, headersTimeout: REQUEST_TIMEOUT },
  }) as Server;
  server.maxConnections = MOST_CONNECTIONS;
  // Neither the server nor whoever looks holds up the end of the process.
  server.on("connection", (socket) => socket.unref());
  const port = await listening(server, address);
  server.unref();
  return { url: urlOf({ ...address, port }), close: () => closed(server) };
}

function appOf(served: Served, { named, files }: { named: string; files: ReadonlyMap<string, PageFile> }) {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
    if (!isOurs(c.env.incoming.headers.host, named)) {
      return c.text("This address is not one of this page's. Open the one that millrace printed.\n", 403);
    }
    if (c.req.method !== "GET" && c.req.method !== "HEAD") {
      return c.text("This page is only to be read.\n", 405, { allow: "GET, HEAD" });
    }
    await next();
  });
  app.get("/health", (c) => c.json(served.health()));
  app.get("/report", (c) => c.json(served.report()));
  app.get("/metrics", async (c) => {
    const { type, body } = await served.metrics();
    return c.body(body, 200, { "content-type": type });
  });
  app.get("/events", (c) => {
    if (served.viewers.full) return c.text("Too many pages are open. Close one of them.\n", 503);
    served.viewers.add(c.env.outgoing, HEADERS);
    return RESPONSE_ALREADY_SENT;
  });
  for (const [path, { type, body }] of files) app.get(path, (c) => c.body(body, 200, { "content-type": type }));
  app.notFound((c) => c.text("There is no such page. The run is at /, its numbers at /report and /metrics.\n", 404));
  app.onError((_, c) => c.text("This could not be shown.\n", 500));
  return app;
}

function listening(server: Server, { host, port }: Address): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(refusal(error, { host, port })));
    server.listen({ host, port }, () => {
      server.removeAllListeners("error");
      // A fault of one connection is no reason to end a run.
      server.on("error", () => {});
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function refusal(cause: NodeJS.ErrnoException, { host, port }: Address) {
  return failure("invalid_option", `--serve: ${why(cause, { host, port })}`, { cause });
}

function why({ code, message }: NodeJS.ErrnoException, { host, port }: Address): string {
  switch (code) {
    case "EADDRINUSE":
      return `port ${port} of ${host} is in use. Give another one, or --serve 0 for any that is free.`;
    case "EACCES":
      return `you may not listen on port ${port} of ${host}. Give one from 1024 up.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `this machine has no address "${host}". Leave the host out for this machine alone, or give 0.0.0.0 for all its addresses.`;
    default:
      return `the page cannot be served on ${host}, port ${port}: ${message}`;
  }
}

function urlOf({ host, port }: Address): string {
  // What stands for all addresses is none that a browser takes.
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}/`;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
