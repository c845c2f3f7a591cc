/** Refusals that are easily mistaken for others: what each means for the record or for the run. */

import { describe, expect, test } from "vitest";
import { readRefusal } from "../../src/providers/refusal.ts";
import { verdict } from "../../src/providers/verdict.ts";

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
});
