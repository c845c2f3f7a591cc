/** Refusals that are easily mistaken for others: what each means for the record or for the run. */

import { describe, expect, test } from "vitest";
import { readRefusal } from "../../src/providers/refusal.ts";
import { limitOf, verdict } from "../../src/providers/verdict.ts";

const body = (error: object): string => JSON.stringify({ error });

describe("a refusal", () => {
  test.each([
    [429, { message: "Resource has been exhausted (e.g. check quota)." }, "rate_limited"],
    [429, { message: "You exceeded your current quota, please check your plan and billing details." }, "no_credit"],
    [
      429,
      { message: "Requests have exceeded call rate limit of your pricing tier. Visit the quota page." },
      "rate_limited",
    ],
    [404, { code: "model_not_found", message: "The model `omni-moderation-9` does not exist" }, "unknown_model"],
    [403, { code: "model_not_found", message: "Project has no access to model `x`" }, "unknown_model"],
    [404, { message: "Your organization must be verified to use the model" }, "permission_denied"],
    [400, { param: "messages[1].content", message: "Invalid text: 'the grammar of the schema'" }, "invalid_request"],
    [400, { param: "response_format", message: "Invalid schema for response_format" }, "schema_rejected"],
    [425, { message: "Too early" }, "conflict"],
    [498, { message: "Flex tier capacity exceeded" }, "overloaded"],
  ] as const)("%i %o is %s", (status, error, code) => {
    expect(verdict(readRefusal(status, new Headers(), body(error)))).toBe(code);
  });

  const advice = "Please reduce the prompt length or the maximum tokens requested, or try again later.";
  test.each([
    [`This request would exceed the rate limit of 3,000 requests per minute. ${advice}`, "requests"],
    [`This request would exceed the rate limit of 80,000 output tokens per minute. ${advice}`, "output"],
    [`This request would exceed the rate limit of 80,000 input tokens per minute. ${advice}`, "input"],
    ["Rate limit reached for m on requests per min (RPM): Limit 3, Used 3, Requested 1.", "requests"],
    ["Rate limit reached for m on tokens per min (TPM): Limit 3, Used 3, Requested 1.", "tokens"],
    ["Requests rate limit exceeded", "requests"],
    [advice, "tokens"],
    ["Slow down.", undefined],
  ] as const)("that says %j names the limit it is for", (message, limit) => {
    expect(limitOf(readRefusal(429, new Headers(), body({ message })))).toBe(limit);
  });
});
