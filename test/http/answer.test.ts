import { expect, test } from "vitest";
import { answerOf } from "../../src/http/answer.ts";

const answer = (status = 200, text = '{"a":"ü"}') =>
  answerOf({ status, headers: { "content-type": "text/plain", "x-many": ["a", "b"] }, body: Buffer.from(text) });

test("an answer reads as a Response of the same bytes would", async () => {
  const real = new Response('{"a":"ü"}');
  expect(await answer().json()).toEqual({ a: "ü" });
  expect(await answer().text()).toBe(await real.text());
  expect(await answer(200, "\ufeff{}").json()).toEqual({});
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

test("its headers are found, those that were repeated as one, and nothing that is none", () => {
  const { headers } = answer();
  expect([headers.get("x-many"), headers.get("none"), headers.has("content-type")]).toEqual(["a, b", null, true]);
  expect(headers.get("constructor")).toBeNull();
});
