/**
 * A server that speaks the wire protocols of Anthropic, OpenAI and Mistral, keeps limits as they do and fails as they
 * do. It is what millrace is tested against, so it knows nothing of millrace.
 *
 * - Addresses: `<url>/anthropic`, `<url>/openai/v1`, `<url>/mistral` are the vendors' base URLs; `<url>` and `<url>/v1`
 *   serve as well, where chat completions count as Mistral's by the model's name.
 * - Answers: a pure function of the request. Each string in them starts with `sim-` and the hash of the first user
 *   message, followed by what was planted there as `[[id:XYZ]]` or `"id": "XYZ"`.
 * - Faults: a pure function of seed, first user message, and how often that message has got past the limits.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type Call, type Decision, decide, isKnownModel, keyProblem, type World } from "./decide.ts";
import { after, deliver, type Reply } from "./deliver.ts";
import { Ledger, type LedgerEntry, type Stats } from "./ledger.ts";
import { type SimulatorOptions, settle } from "./options.ts";
import type { Problem } from "./problem.ts";
import { sendingOf } from "./reply.ts";
import { type Route, route } from "./routes.ts";
import { Texts } from "./traffic/texts.ts";
import type { Stamp } from "./vendors/vendor.ts";

export type { LedgerEntry, Outcome, Stats } from "./ledger.ts";
export { type Latency, type Limits, SIMULATOR_DEFAULTS, type SimulatorOptions } from "./options.ts";
export { FAULT_NAMES, type FaultName } from "./traffic/faults.ts";

export interface Simulator {
  /** `http://127.0.0.1:4567`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Copies of the entries kept, in order of arrival; from a sequence number on. */
  ledger(from?: number): LedgerEntry[];
  stats(): Stats;
  /** Changes options while it runs; what is not named stays. Buckets keep what is left in them. */
  set(options: SimulatorOptions): void;
  /** Closes every connection, calls under way too. */
  close(): Promise<void>;
}

/** Options that are settled once it listens. */
const FIXED = new Set(["port", "host", "ledgerSize", "keepAliveTimeout"]);

/** Milliseconds since 1970, finer than Date.now and never going back. */
const clock = (): number => performance.timeOrigin + performance.now();

export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const settings = settle(options);
  const { port, host, ledgerSize, keepAliveTimeout } = settings;
  const ledger = new Ledger(ledgerSize);
  const world: World = { settings, ledger, texts: new Texts(Math.max(1, ledgerSize)), quotas: new Map(), working: 0 };
  const server = createServer({ keepAliveTimeout, requestTimeout: 0, headersTimeout: 0 }, (request, response) =>
    receive(world, request, response),
  );
  server.on("connection", (socket: Socket) => {
    ledger.socketOpened();
    socket.once("close", () => ledger.socketClosed());
  });
  await listen(server, port, host);
  const address = server.address() as AddressInfo;
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${name}:${address.port}`,
    port: address.port,
    ledger: (from) => ledger.list(from),
    stats: () => ledger.stats(world.texts.distinct),
    set: (changes) => tune(world, changes),
    close: () => close(server),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    // A run opens its connections at once: the usual backlog of 511 would turn some of them away.
    server.listen({ port, host, backlog: 4096 }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function tune(world: World, changes: SimulatorOptions): void {
  const changeable = Object.fromEntries(Object.entries(changes).filter(([name]) => !FIXED.has(name)));
  world.settings = settle(changeable, world.settings);
  const now = clock();
  if (changes.limits) for (const quota of world.quotas.values()) quota.tune(changes.limits, now);
}

let stamps = 0;

/** Ids are the process's own count, so two simulators in it never give the same one. */
const stampOf = (now: number): Stamp => ({
  id: (++stamps).toString(16).padStart(24, "0"),
  created: Math.floor(now / 1000),
});

function receive(world: World, request: IncomingMessage, response: ServerResponse): void {
  const arrivedAt = clock();
  const found = route(request.method ?? "", request.url ?? "", request.headers);
  const key = found.face.key(request.headers);
  // A client that resets its connection is no fault of the server's.
  request.on("error", () => {});
  response.on("error", () => {});
  if (!found.endpoint) {
    request.once("end", () => sideAnswer(world, response, { found, key }));
    request.resume();
    return;
  }
  const facts = { vendor: found.face.vendor, endpoint: found.name, key: (key ?? "").slice(-4), arrivedAt };
  const entry = world.ledger.open(facts);
  response.once("close", () => end(world, response, entry));
  readBody(request, world.settings.maxBodyBytes, (body) => {
    entry.startedAt = clock();
    answer(world, response, { route: found, headers: request.headers, key, body, entry });
  });
}

/** Reads to the end in any case, so that the client can hear of it; undefined when there was too much. */
function readBody(request: IncomingMessage, limit: number, done: (body: string | undefined) => void): void {
  let chunks: Buffer[] = [];
  let length = 0;
  request.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= limit) chunks.push(chunk);
    else chunks = [];
  });
  request.once("end", () => {
    if (length > limit) done(undefined);
    else done((chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString("utf8"));
  });
}

function answer(world: World, response: ServerResponse, call: Call): void {
  const decision = decided(world, call);
  const { entry } = call;
  // A hanging call says what it is before it ends; a call that is only waited for is pending until it is sent.
  if (decision.fault === "hang") entry.outcome = "hang";
  if (decision.answer || decision.fault) {
    world.working++;
    response.once("close", () => world.working--);
  }
  after(response, decision.wait, () => {
    const now = clock();
    const { reply, pace, billed } = sendingOf(decision, stampOf(now), world.settings, now);
    entry.outcome = decision.outcome;
    if (pace.manner !== "never" && pace.manner !== "resetFirst") entry.status = reply.status;
    if (billed && decision.answer) world.ledger.bill(entry, decision.answer.usage);
    response.once("finish", () => {
      entry.delivered = true;
    });
    deliver(response, reply, pace);
  });
}

/** A request that trips the simulator itself must not end it: the caller sees a 500 that says so. */
function decided(world: World, call: Call): Decision {
  try {
    return decide(world, call, clock());
  } catch (error) {
    const message = `The simulator failed: ${error instanceof Error ? error.message : error}`;
    return {
      route: call.route,
      outcome: "server_error",
      problem: { kind: "server_error", message },
      quota: undefined,
      wait: 0,
    };
  }
}

function end(world: World, response: ServerResponse, entry: LedgerEntry): void {
  const broken =
    entry.outcome === "resetBeforeHeaders" || entry.outcome === "resetMidBody" || entry.outcome === "cutBody";
  entry.aborted = !response.writableFinished && !broken;
  world.ledger.close(entry, clock());
}

/** Models, and addresses that lead nowhere: neither is a call. */
function sideAnswer(
  world: World,
  response: ServerResponse,
  { found, key }: { readonly found: Route; readonly key: string | undefined },
): void {
  const { face, name } = found;
  const stamp = stampOf(clock());
  const model = name.startsWith("models/") ? decodeURIComponent(name.slice("models/".length)) : undefined;
  const fail = (problem: Problem): Reply => {
    const { status, body } = face.problem(problem, stamp);
    return { status, headers: headers(status), body: JSON.stringify(body) };
  };
  const headers = (status: number) => ({
    "content-type": "application/json",
    ...face.idHeaders(stamp),
    ...face.statusHeaders(status),
  });
  const succeed = (body: object): Reply => ({ status: 200, headers: headers(200), body: JSON.stringify(body) });
  const badKey = keyProblem(key, world.settings);
  const reply = () => {
    if (name === "") return fail({ kind: "not_found" });
    if (badKey) return fail(badKey);
    if (model === undefined) return succeed(face.models(world.settings.models ?? face.defaultModels));
    return isKnownModel(model, world.settings) ? succeed(face.model(model)) : fail({ kind: "unknown_model", model });
  };
  deliver(response, reply(), { manner: "whole", interval: 0 });
}
