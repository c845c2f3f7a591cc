import { expect, test } from "vitest";
import { answerOf } from "../../src/http/answer.ts";
import { rejection } from "./server.ts";

const answer = (status = 200, text = '{"a":"ü"}') =>
  answerOf({ status, headers: { "content-type": "text/plain", "x-many": ["a", "b"] }, body: Buffer.from(text) });

test("an answer reads as a Response of the same bytes would, whichever way it is read", async () => {
  const real = () => new Response('{"a":"ü"}');
  expect(answer()).toBeInstanceOf(Response);
  expect(answer().headers).toBeInstanceOf(Headers);
  expect(await answer().json()).toEqual(await real().json());
  expect(await answer().text()).toBe(await real().text());
  expect(await answer().bytes()).toEqual(await real().bytes());
  expect(await answer().arrayBuffer()).toEqual(await real().arrayBuffer());
  expect(await (await answer().blob()).text()).toBe(await real().text());
  expect(await answerOf({ status: 200, headers: {}, body: Buffer.from("\ufeff{}") }).json()).toEqual({});
});

test("it is read once, but its clone once more", async () => {
  const read = answer();
  await read.text();
  expect(read.bodyUsed).toBe(true);
  expect(await rejection(read.json())).toBeInstanceOf(TypeError);
  const cloned = answer();
  expect([await cloned.clone().text(), await cloned.json()]).toEqual(['{"a":"ü"}', { a: "ü" }]);
});

test.each([
  [199, false],
  [200, true],
  [299, true],
  [300, false],
  [500, false],
])("a %i is ok: %s", (status, ok) => {
  expect(answer(status).ok).toBe(ok);
});

test("its headers are found in any case, joined, and can be changed", () => {
  const { headers } = answer();
  expect([headers.get("X-Many"), headers.get("none"), headers.has("Content-Type")]).toEqual(["a, b", null, true]);
  expect(headers.get("constructor")).toBeNull();
  headers.set("Content-Type", "application/json");
  headers.append("X-Many", "c");
  headers.append("new", "1");
  expect(Object.fromEntries(headers)).toEqual({ "content-type": "application/json", "x-many": "a, b, c", new: "1" });
  headers.delete("x-many");
  const seen: string[] = [];
  headers.forEach((value, name) => {
    seen.push(`${name}=${value}`);
  });
  expect(seen).toEqual(["content-type=application/json", "new=1"]);
  expect([[...headers.keys()], [...headers.values()]]).toEqual([
    ["content-type", "new"],
    ["application/json", "1"],
  ]);
});
