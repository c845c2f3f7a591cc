import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { MillraceError } from "../../src/errors.ts";
import { anthropic } from "../../src/providers/anthropic.ts";
import { mistral } from "../../src/providers/mistral.ts";
import { type OpenAIOptions, openai } from "../../src/providers/openai.ts";
import type { Provider } from "../../src/providers/provider.ts";

const MAKERS: readonly [string, (options?: OpenAIOptions) => Provider, string, string][] = [
  ["ANTHROPIC", anthropic, "claude-haiku-4-5", "https://api.anthropic.com"],
  ["OPENAI", openai, "gpt-6-luna", "https://api.openai.com/v1"],
  ["MISTRAL", mistral, "mistral-small-latest", "https://api.mistral.ai"],
];

beforeEach(() => {
  for (const [name] of MAKERS) {
    vi.stubEnv(`${name}_API_KEY`, undefined);
    vi.stubEnv(`${name}_BASE_URL`, undefined);
  }
});
afterEach(() => vi.unstubAllEnvs());

const thrown = (make: () => unknown): MillraceError => {
  try {
    make();
  } catch (error) {
    return error as MillraceError;
  }
  throw new Error("It threw nothing.");
};

describe.each(MAKERS)("%s", (name, make, model, baseURL) => {
  test("the key comes from the environment, all else has a default", () => {
    vi.stubEnv(`${name}_API_KEY`, "k-123456");
    expect(make()).toMatchObject({ name: name.toLowerCase(), model, baseURL, maxOutputTokens: expect.any(Number) });
  });

  test("what is given goes before the environment", () => {
    vi.stubEnv(`${name}_API_KEY`, "bad\nkey");
    vi.stubEnv(`${name}_BASE_URL`, "https://env.example/");
    const given = make({ apiKey: "k-123456", model: "m", maxOutputTokens: 7 });
    expect(given).toMatchObject({ model: "m", maxOutputTokens: 7, baseURL: "https://env.example" });
    expect(make({ apiKey: "k-123456", baseURL: "https://given.example/v1//" }).baseURL).toBe(
      "https://given.example/v1",
    );
  });

  test.each(["unset", "empty"])("a key that is %s is missing, and the error says where to put it", (how) => {
    if (how === "empty") vi.stubEnv(`${name}_API_KEY`, "");
    const error = thrown(() => make());
    expect(error).toMatchObject({ code: "missing_key", kind: "configuration" });
    expect(error.message).toContain(`Set ${name}_API_KEY`);
  });

  test.each([
    ["a line break", "sk-MARKER\n"],
    ["a line break", "sk-MAR\r\nKER"],
    ["white space", " sk-MARKER"],
    ["a character outside printable ASCII", "sk-MARKER\u200b"],
    ["a character outside printable ASCII", "sk-MARK\u0000ER"],
    ["white space", "sk-MARKER1,sk-MAR KER2"],
  ])("a key with %s is refused and never quoted", (what, key) => {
    vi.stubEnv(`${name}_API_KEY`, key);
    // An environment variable ends at a NUL.
    const ways = key.includes("\0") ? [{ apiKey: key }] : [{}, { apiKey: key }];
    for (const error of ways.map((options) => thrown(() => make(options)))) {
      expect(error.code).toBe("invalid_option");
      expect(error.message).toContain(what);
      expect(error.message).not.toContain("MAR");
    }
  });

  test("several keys, separated by commas, give a lane for each; one that stands twice counts once", () => {
    const several = make({ apiKey: "sk-MARKER1, sk-MARKER2,sk-MARKER1," });
    expect(several.members).toMatchObject({ kind: "lanes", providers: [{ model: several.model }, {}] });
    expect(make({ apiKey: "sk-MARKER1," }).members).toBeUndefined();
  });

  test.each([
    [{ modle: "m" }, /has no option "modle"\. Did you mean "model"\?/],
    [{ api_key: "k" }, /Did you mean "apiKey"\?/],
    [{ base_url: "k" }, /Did you mean "baseURL"\?/],
    [{ temperature: 1 }, /has no option "temperature"\. It knows model, apiKey/],
    [{ baseURL: "api.example" }, /http or https/],
    [{ baseURL: "ftp://api.example" }, /http or https/],
    [{ baseURL: "https://user:MARKER@api.example" }, /no user, password/],
    [{ baseURL: "https://api.example/?key=MARKER" }, /no user, password/],
    [{ model: " " }, /must be a model's name/],
    [{ maxOutputTokens: 0 }, /whole number of at least 1/],
    [{ maxOutputTokens: 1.5 }, /whole number of at least 1/],
    [{ headers: { "x y": "1" } }, /name that no header may have/],
    [{ headers: { x: "MARKER\n" } }, /the header "x" must be printable/],
  ])("%j is refused", (options, message) => {
    const error = thrown(() => make({ apiKey: "k-123456", ...options } as OpenAIOptions));
    expect(error.code).toBe("invalid_option");
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("MARKER");
  });

  test("what is no object of options is refused", () => {
    expect(thrown(() => make("claude" as unknown as OpenAIOptions)).message).toMatch(/takes an object of options/);
  });
});
