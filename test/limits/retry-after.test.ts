import { expect, test } from "vitest";
import { retryAfterMs } from "../../src/limits/retry-after.ts";

const NOW = Date.parse("Sun, 22 Nov 2026 12:00:00 GMT");
const read = (headers: Record<string, string>) => retryAfterMs(new Headers(headers), NOW);

test.each([
  ["0", 0],
  ["1", 1_000],
  ["1.5", 1_500],
  [" 7 ", 7_000],
  ["0.0001", 1],
  ["86400", 86_400_000],
  ["9".repeat(400), Number.MAX_SAFE_INTEGER],
])("retry-after: %s is read in seconds, however long", (value, ms) => {
  expect(read({ "retry-after": value })).toBe(ms);
});

test.each([["Sun, 22 Nov 2026 12:01:30 GMT"], ["Sunday, 22-Nov-26 12:01:30 GMT"], ["Sun Nov 22 12:01:30 2026"]])(
  "retry-after: %s is read as a date",
  (value) => {
    expect(read({ "retry-after": value })).toBe(90_000);
  },
);

test("a date in the past is no wait, never a negative one", () => {
  expect(read({ "retry-after": "Sun, 22 Nov 2026 11:00:00 GMT" })).toBe(0);
});

test("a date is measured against the server's own clock where it tells that", () => {
  const headers = { "retry-after": "Sun, 22 Nov 2026 09:00:10 GMT", date: "Sun, 22 Nov 2026 09:00:00 GMT" };
  expect(read(headers)).toBe(10_000);
});

test("retry-after-ms goes before retry-after", () => {
  expect(read({ "retry-after-ms": "120.2", "retry-after": "9" })).toBe(121);
});

test("retry-after counts where retry-after-ms is not understood", () => {
  expect(read({ "retry-after-ms": "soon", "retry-after": "9" })).toBe(9_000);
});

test.each([
  "",
  "soon",
  "-1",
  "+1",
  "1e3",
  "0x10",
  "1.",
  ".5",
  "5, 5",
  "Infinity",
  "NaN",
  "1 s",
  "2026-11-22",
  "Sun, 99 Nov 2026 12:00:00 GMT",
])("retry-after: '%s' is not understood, so it is undefined", (value) => {
  expect(read({ "retry-after": value })).toBeUndefined();
});

test("without either header there is no wait to tell", () => {
  expect(read({})).toBeUndefined();
});
