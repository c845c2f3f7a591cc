import { expect, test } from "vitest";
import { checkKeys, nearest } from "../src/options.ts";

const KNOWN = ["model", "apiKey", "baseURL", "maxOutputTokens"];

test.each([
  ["modle", "model"],
  ["Model", "model"],
  ["APIKEY", "apiKey"],
  ["base-url", "baseURL"],
  ["max_output_token", "maxOutputTokens"],
])("%s is near %s", (given, known) => {
  expect(nearest(given, KNOWN)).toBe(known);
});

test.each(["temperature", "x", "", "mall"])("'%s' is near none of the names", (given) => {
  expect(nearest(given, KNOWN)).toBeUndefined();
});

test("known keys pass, whatever they hold", () => {
  expect(() => checkKeys({ model: undefined, apiKey: 1 }, KNOWN, "f()")).not.toThrow();
});

test.each([null, [], "text", 7])("%j is no object of options", (options) => {
  expect(() => checkKeys(options as unknown as object, KNOWN, "f()")).toThrow(/f\(\) takes an object of options/);
});
