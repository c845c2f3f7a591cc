import { expect, test } from "vitest";
import { broken } from "../../src/providers/failure.ts";
import { VENDORS } from "../../src/providers/models.ts";
import { readSettings } from "../../src/providers/settings.ts";

const settings = readSettings(VENDORS.anthropic, { apiKey: "k-123456" }, { known: ["apiKey"], compatible: false });
const coded = (code: string, message = "") => Object.assign(new Error(message), { code });

test.each([
  ["UND_ERR_CONNECT_TIMEOUT", "connection_failed", /did not accept a connection in time/],
  ["UND_ERR_HEADERS_TIMEOUT", "timeout", /UND_ERR_HEADERS_TIMEOUT/],
  ["UND_ERR_BODY_TIMEOUT", "timeout", /UND_ERR_BODY_TIMEOUT/],
  ["ENOTFOUND", "connection_failed", /name is not known/],
  ["EAI_AGAIN", "connection_failed", /EAI_AGAIN/],
  ["ETIMEDOUT", "connection_failed", /ETIMEDOUT/],
  ["EPIPE", "connection_failed", /EPIPE/],
  ["CERT_HAS_EXPIRED", "connection_failed", /CERT_HAS_EXPIRED/],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "connection_failed", /ERR_TLS/],
])("%s is %s, however deep it lies", (code, expected, message) => {
  const error = broken(new Error("outer", { cause: new TypeError("fetch failed", { cause: coded(code) }) }), settings);
  expect(error).toMatchObject({ code: expected, cause: { code } });
  expect(error.message).toMatch(message);
});

test.each([
  ["an error with a programmer's code", coded("ERR_INVALID_ARG_TYPE", "the article")],
  ["an error whose cause is itself", Object.assign(new Error("the article"), { cause: undefined as unknown })],
  ["a text", "the article"],
  ["nothing", undefined],
])("%s is an answer that could not be read, its words untold", (_what, thrown) => {
  if (thrown instanceof Error && "cause" in thrown) thrown.cause = thrown;
  const error = broken(thrown, settings);
  expect(error.code).toBe("bad_response");
  expect(`${error.message}${String(error.cause)}`).not.toContain("article");
});

test("the key is taken out of what the system says", () => {
  expect(broken(coded("ECONNRESET", "sent k-123456"), settings).message).toContain("sent [redacted]");
});
