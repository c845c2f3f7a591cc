/** A provider of the tests' own, the few lines that a user's would be, and a sink that keeps what it gets. */

import { Writable } from "node:stream";
import type { MillraceError } from "../../src/errors.ts";
import type { Completion, ModelRequest, Provider } from "../../src/providers/provider.ts";

export type Reply = Partial<Completion> & { readonly text: string };

export const usage = { inputTokens: 10, outputTokens: 2 };

export function ownProvider(
  answer: (request: ModelRequest, signal: AbortSignal) => Reply | Promise<Reply>,
): Provider & { readonly requests: ModelRequest[] } {
  const requests: ModelRequest[] = [];
  return {
    name: "own",
    model: "m1",
    maxOutputTokens: 100,
    baseURL: undefined,
    requests,
    async complete(request, { signal }) {
      requests.push(request);
      return {
        finishReason: "stop",
        usage,
        model: "m1",
        requestId: undefined,
        limits: {},
        ...(await answer(request, signal)),
      };
    },
    async close() {},
  };
}

export function collector() {
  const records: unknown[] = [];
  const stream = new Writable({
    objectMode: true,
    write(record, _encoding, callback) {
      records.push(record);
      callback();
    },
  });
  return { records, stream };
}

/** The last user message of a request. */
export const asked = (request: ModelRequest | undefined): string => request?.messages.at(-1)?.content ?? "";

export const numbered = (count: number) => Array.from({ length: count }, (_, id) => ({ id }));

export const caught = (run: Promise<unknown>): Promise<MillraceError> =>
  run.then(
    () => Promise.reject(new Error("it did not fail")),
    (error) => error,
  );
