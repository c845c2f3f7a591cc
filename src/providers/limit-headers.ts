/** The response headers that tell limits: handed on as they are, to be read by `limits/`. */
import type { AnswerHeaders } from "../http/answer.ts";

const LIMIT_HEADER = /^(?:anthropic-ratelimit|x-ratelimit|ratelimit|retry-after)/;

export function limitHeaders(headers: AnswerHeaders): Readonly<Record<string, string>> {
  const limits: Record<string, string> = {};
  headers.forEach((value, name) => {
    if (LIMIT_HEADER.test(name)) limits[name] = value;
  });
  return limits;
}

/** Anthropic's, OpenAI's and Mistral's name for the call. */
export function requestIdOf(headers: AnswerHeaders): string | undefined {
  return headers.get("request-id") ?? headers.get("x-request-id") ?? headers.get("mistral-correlation-id") ?? undefined;
}
