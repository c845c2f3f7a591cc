import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { createFetch, EVENT_STREAM } from "../../src/http/fetch.ts";
import { createPool } from "../../src/http/pool.ts";
import { type Behaviour, faultServer, rejection, reply } from "./server.ts";

async function setUp(behaviour: Behaviour, maxBodyBytes?: number) {
  const server = await faultServer(behaviour);
  const pool = createPool(maxBodyBytes === undefined ? {} : { maxBodyBytes });
  return {
    server,
    pool,
    fetch: createFetch(pool.dispatcher),
    async [Symbol.asyncDispose]() {
      await pool.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

test("a text goes out and comes back with status and headers, repeated ones joined", async () => {
  await using at = await setUp((res, { body }) =>
    reply(res, 201, `{"echo":${body}}`, { "x-many": ["a", "b"], "x-one": "é" }),
  );
  const response = await at.fetch(`${at.server.url}/v1/x?y=1`, {
    method: "POST",
    body: '"ü"',
    headers: { "x-mine": "1" },
  });
  expect(response.status).toBe(201);
  expect(response.headers.get("x-many")).toBe("a, b");
  expect(await response.json()).toEqual({ echo: "ü" });
  expect(at.server.seen[0]).toMatchObject({ method: "POST", url: "/v1/x?y=1", body: '"ü"' });
  expect(at.server.seen[0]?.headers).toMatchObject({
    "x-mine": "1",
    "content-length": "4",
    "accept-encoding": "identity",
  });
});

test("bytes are taken as well", async () => {
  await using at = await setUp((res, { body }) => reply(res, 200, body));
  const bytes = await at.fetch(at.server.url, { method: "POST", body: new TextEncoder().encode("bytes") });
  expect(await bytes.text()).toBe("bytes");
});

test.each([204, 205, 304])("a %i has no body and no error", async (status) => {
  await using at = await setUp((res) => res.writeHead(status).end());
  const response = await at.fetch(at.server.url);
  expect([response.status, response.body]).toEqual([status, null]);
});

test("a redirect is returned, not followed", async () => {
  await using at = await setUp((res) => res.writeHead(302, { location: "/elsewhere" }).end());
  expect((await at.fetch(at.server.url)).status).toBe(302);
  expect(at.server.seen).toHaveLength(1);
});

test.each(["with a length", "chunked"])(
  "a body above the cap, %s, fails its call, closes its socket and leaves the pool usable",
  async (how) => {
    await using at = await setUp((res, _seen, nth) => {
      if (nth > 0) return reply(res, 200, "ok");
      const body = Buffer.alloc(300_000, "x");
      res.writeHead(200, how === "chunked" ? {} : { "content-length": body.length });
      return res.end(body);
    }, 100_000);
    expect(await rejection(at.fetch(at.server.url))).toMatchObject({ code: "UND_ERR_RES_EXCEEDED_MAX_SIZE" });
    await at.server.drained();
    expect(await (await at.fetch(at.server.url)).text()).toBe("ok");
  },
);

test("a body just at the cap is taken", async () => {
  await using at = await setUp((res) => res.end(Buffer.alloc(100_000, "x")), 100_000);
  expect(await (await at.fetch(at.server.url)).text()).toHaveLength(100_000);
});

test("a hundred error answers leave one socket, used again and again", async () => {
  await using at = await setUp((res) => reply(res, 500, "e".repeat(50_000)));
  for (let call = 0; call < 100; call++) expect((await at.fetch(at.server.url)).status).toBe(500);
  expect(at.server.sockets).toHaveLength(1);
});

test("n calls at once use n sockets, and later ones use them again", async () => {
  const waiting: (() => void)[] = [];
  await using at = await setUp((res) => {
    waiting.push(() => reply(res, 200, "ok"));
    if (waiting.length === 20) for (const answer of waiting.splice(0)) answer();
  });
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array.from({ length: 20 }, () => at.fetch(at.server.url)));
  }
  expect(at.server.seen).toHaveLength(60);
  expect(at.server.sockets).toHaveLength(20);
});

test.each(["before the headers", "in the body"])(
  "an abort %s rejects with the reason at once and closes that socket only",
  async (when) => {
    const reason = new Error("enough");
    const stop = new AbortController();
    await using at = await setUp((res, { url }) => {
      if (url === "/other") return reply(res, 200, "ok");
      if (when === "in the body") {
        res.writeHead(200, { "content-length": 100 });
        res.write("half");
      }
      return setImmediate(() => stop.abort(reason));
    });
    await at.fetch(`${at.server.url}/other`);
    const [stopped, other] = [at.fetch(at.server.url, { signal: stop.signal }), at.fetch(`${at.server.url}/other`)];
    expect(await rejection(stopped)).toBe(reason);
    expect((await other).status).toBe(200);
    await at.server.drained(1);
    expect(at.server.open()).toBe(1);
  },
);

test("an abort while the connection is still being made rejects at once, and leaves the pool usable", async () => {
  await using at = await setUp((res) => reply(res, 200, "ok"));
  const stop = new AbortController();
  const reason = new Error("enough");
  const call = rejection(at.fetch(at.server.url, { signal: stop.signal }));
  stop.abort(reason);
  expect(await Promise.race([call, new Promise((resolve) => setImmediate(resolve, "late"))])).toBe(reason);
  expect((await at.fetch(at.server.url)).status).toBe(200);
  expect(at.server.seen).toHaveLength(1);
});

test("a signal that is aborted already sends nothing", async () => {
  await using at = await setUp((res) => reply(res, 200, "ok"));
  expect(await rejection(at.fetch(at.server.url, { signal: AbortSignal.abort("no") }))).toBe("no");
  expect(at.server.seen).toHaveLength(0);
});

test("a body cut short rejects, with a length and without", async () => {
  await using at = await setUp((res, _seen, nth) => {
    res.writeHead(200, nth === 0 ? { "content-length": 100 } : {});
    res.write("half", () => res.socket?.destroy());
  });
  for (let call = 0; call < 2; call++)
    expect(await rejection(at.fetch(at.server.url))).toMatchObject({ code: "UND_ERR_SOCKET" });
});

test("an encoding that nobody asked for is a bad response, and its socket is used again", async () => {
  await using at = await setUp((res) => reply(res, 200, "\u001f\u008b", { "content-encoding": "gzip" }));
  for (let call = 0; call < 2; call++)
    expect(await rejection(at.fetch(at.server.url))).toMatchObject({ code: "bad_response" });
  expect(at.server.sockets).toHaveLength(1);
});

describe("a call that accepts events", () => {
  const streaming = { headers: { accept: EVENT_STREAM } };

  test("gets an answer of them as it comes, and its socket back when it was read to its end", async () => {
    let more = () => {};
    await using at = await setUp((res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write("first");
      more = () => res.end("last");
    });
    for (let call = 0; call < 3; call++) {
      const response = await at.fetch(at.server.url, streaming);
      const reader = response.body!.getReader();
      const decoder = new TextDecoder();
      expect(decoder.decode((await reader.read()).value)).toBe("first");
      more();
      expect(decoder.decode((await reader.read()).value)).toBe("last");
      expect((await reader.read()).done).toBe(true);
    }
    expect(at.server.sockets).toHaveLength(1);
  });

  test.each([
    [200, "application/json"],
    [200, "text/html; charset=utf-8"],
    [429, "text/event-stream"],
    [500, "text/plain"],
  ])("gets a %i of %s whole, so that its socket is free", async (status, type) => {
    await using at = await setUp((res) => reply(res, status, "e".repeat(50_000), { "content-type": type }));
    for (let call = 0; call < 10; call++) expect((await at.fetch(at.server.url, streaming)).status).toBe(status);
    expect(at.server.sockets).toHaveLength(1);
  });

  test("is refused one in an encoding that nobody asked for, and its socket is used again", async () => {
    await using at = await setUp((res) =>
      reply(res, 200, "\u001f\u008b".repeat(50_000), { "content-type": EVENT_STREAM, "content-encoding": "gzip" }),
    );
    for (let call = 0; call < 3; call++) {
      expect(await rejection(at.fetch(at.server.url, streaming))).toMatchObject({ code: "bad_response" });
    }
    expect(at.server.sockets).toHaveLength(1);
  });

  test.each(["aborted", "cancelled", "never read when its connection breaks"])(
    "and leaves nothing open or unheard when it is %s",
    async (how) => {
      const stop = new AbortController();
      let broken: Promise<unknown> = Promise.resolve();
      await using at = await setUp((res) => {
        res.writeHead(200, { "content-type": "text/event-stream" });
        res.write("half");
        broken = once(res, "close");
        if (how.startsWith("never")) setImmediate(() => res.socket?.resetAndDestroy());
      });
      const response = await at.fetch(at.server.url, { ...streaming, signal: stop.signal });
      const reason = new Error("enough");
      if (how === "aborted") {
        const reader = response.body!.getReader();
        await reader.read();
        const next = rejection(reader.read());
        stop.abort(reason);
        expect(await next).toBe(reason);
      }
      if (how === "cancelled") await response.body?.cancel();
      await broken;
      await at.server.drained();
    },
  );

  test("is cut off above eight times the cap of a whole body", async () => {
    await using at = await setUp((res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.end(Buffer.alloc(900_000, "x"));
    }, 100_000);
    const response = await at.fetch(at.server.url, streaming);
    expect(await rejection(response.text())).toMatchObject({ code: "UND_ERR_RES_EXCEEDED_MAX_SIZE" });
    await at.server.drained();
  });
});

test("a pool that was never used closes, and once closed opens no more", async () => {
  const pool = createPool();
  await pool.close();
  expect(() => pool.dispatcher()).toThrow("is closed");
});

test("closing the pool fails the calls in flight and closes their sockets", async () => {
  let arrived = () => {};
  const called = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  await using at = await setUp(() => arrived());
  const call = rejection(at.fetch(at.server.url));
  await called;
  await at.pool.close();
  expect(await call).toBeInstanceOf(Error);
  await at.server.drained();
});

test("a server that changes to another protocol, unasked, fails its call and loses its socket", async () => {
  await using at = await setUp((res) => {
    res.socket?.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
  });
  expect(await rejection(at.fetch(at.server.url))).toBeInstanceOf(Error);
  await at.server.drained();
});

test("hints that come before an answer are no answer", async () => {
  await using at = await setUp((res) => {
    res.writeEarlyHints({ link: "</style.css>; rel=preload" });
    reply(res, 200, "ok");
  });
  expect(await (await at.fetch(at.server.url)).text()).toBe("ok");
});

test("an answer that is aborted while its connection is still being made leaves nothing behind", async () => {
  await using at = await setUp((res) => reply(res, 200, "ok"));
  const stop = new AbortController();
  const stopped = rejection(at.fetch(at.server.url, { signal: stop.signal }));
  stop.abort("enough");
  expect(await stopped).toBe("enough");
  expect(await (await at.fetch(at.server.url)).text()).toBe("ok");
  expect(at.server.seen).toHaveLength(1);
});
