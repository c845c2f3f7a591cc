/** An answer that comes as server-sent events: read to its end, and put together as it would have come in one piece. */

import type * as EventSource from "eventsource-parser";
import { failure } from "../errors.ts";
import type { Answer, AnswerHeaders } from "../http/answer.ts";
import { EVENT_STREAM } from "../http/fetch.ts";
import { load } from "../load.ts";
import { requestIdOf } from "./limit-headers.ts";
import type { CompleteOptions } from "./provider.ts";
import type { Settings } from "./settings.ts";
import { type Fields, isFields, misshapen } from "./shape.ts";
import { interruption } from "./stream-fault.ts";

/**
 * A vendor's stream, put together again. What comes out has the shape of the same vendor's whole body, so that one reader
 * serves both ways and a completion is the same whichever way it came.
 */
export interface Assembly {
  /** Takes the data of one event; the piece of the answer's text that it brought, "" for none. */
  take(data: Fields): string;
  /** The vendor's last word, where that is no JSON: `[DONE]`. */
  close?(): void;
  /** The whole body once the end marker has come; undefined before. */
  readonly whole: Fields | undefined;
}

export interface Answered {
  readonly data: unknown;
  readonly headers: AnswerHeaders;
}

interface Streaming {
  readonly settings: Settings;
  readonly assembly: Assembly;
  /** The call; resolves when the headers are there. */
  readonly called: Promise<Answer>;
}

/** For the SDKs: their own header says JSON, and the fetch they are given goes by this one. */
export const ACCEPT_EVENTS = { accept: EVENT_STREAM };

/** Characters kept of one answer, and of one event: as many as a whole body may have bytes. */
const MOST_KEPT = 32 * 1024 * 1024;

/** After the end marker the body should end too: so long is waited for that, in ms, to have the socket back. */
const LAST_GRACE = 100;

/** @throws MillraceError `bad_response` for a stream without its end, or what an error in it means; what `onDelta` throws. */
export async function streamed(options: CompleteOptions, { settings, assembly, called }: Streaming): Promise<Answered> {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    const response = await called;
    options.onActivity?.();
    const { headers } = response;
    // A server that knows no streams answers as ever.
    if (response.body === null) return { data: await response.json(), headers };
    reader = response.body.getReader();
    options.signal.throwIfAborted();
    await readAll(reader, { settings, assembly, headers, options });
    if (assembly.whole === undefined) {
      throw misshapen(settings.label, "no end: the stream broke off", requestIdOf(headers));
    }
    return { data: assembly.whole, headers };
  } finally {
    cancel(reader);
  }
}

/** Nothing that has ended is harmed by it. */
function cancel(reader: ReadableStreamDefaultReader<Uint8Array> | undefined): void {
  reader?.cancel().catch(() => {});
}

interface Reading {
  readonly settings: Settings;
  readonly assembly: Assembly;
  readonly headers: AnswerHeaders;
  readonly options: CompleteOptions;
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>, reading: Reading): Promise<void> {
  const { assembly, options } = reading;
  const decoder = new TextDecoder();
  const parser = eventParser(reading);
  while (assembly.whole === undefined) {
    const { done, value } = await reader.read();
    options.signal.throwIfAborted();
    if (done) {
      // Whoever ends the body right after its last line leaves out the line break behind it.
      parser.feed(`${decoder.decode()}\n\n`);
      return;
    }
    options.onActivity?.();
    parser.feed(decoder.decode(value, { stream: true }));
  }
  await lastBytes(reader);
  options.signal.throwIfAborted();
}

/**
 * One decoder for all vendors, so that they cannot differ in what they make of a cut character, a comment or a ping. The
 * SDKs' own would be three: OpenAI's ends in good order when the stream does, Mistral's comes with 90 ms of schemas, and
 * Anthropic's hides the pings that the idle limit has to hear of.
 */
function eventParser({ settings, assembly, headers, options }: Reading): { feed(text: string): void } {
  let kept = 0;
  const tooLong = () => failure("bad_response", `The answer from ${settings.label} is longer than any completion.`);
  const { createParser } = load("eventsource-parser") as typeof EventSource;
  return createParser({
    maxBufferSize: MOST_KEPT,
    onError(error) {
      // Fields that are not known are skipped, as the standard says.
      if (error.type === "max-buffer-size-exceeded") throw tooLong();
    },
    onEvent(event) {
      if (assembly.whole !== undefined) return;
      options.signal.throwIfAborted();
      if (event.data.trim() === "[DONE]") return assembly.close?.();
      if (event.data === "") return;
      const data = parsed(event, headers, settings);
      const text = assembly.take(data);
      if (text === "") return;
      kept += text.length;
      if (kept > MOST_KEPT) throw tooLong();
      options.onDelta?.(text);
    },
  });
}

/** @throws MillraceError what the server says that went wrong, or `bad_response` */
function parsed(event: EventSource.EventSourceMessage, headers: AnswerHeaders, settings: Settings): Fields {
  const data = json(event.data);
  const fault = interruption({ name: event.event, data, text: event.data }, headers, settings);
  if (fault !== undefined) throw fault;
  if (isFields(data)) return data;
  throw misshapen(settings.label, "an event that is not JSON", requestIdOf(headers));
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The end of the body, if it comes soon: then the socket is used again. The answer is whole, whatever still happens. */
async function lastBytes(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const timer = setTimeout(cancel, LAST_GRACE, reader);
  try {
    while (!(await reader.read()).done);
  } catch {
    // It broke after its last word.
  } finally {
    clearTimeout(timer);
  }
}
