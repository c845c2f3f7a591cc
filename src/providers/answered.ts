/** A vendor's answer to a request's body: in one piece, or as events put together to the same. */

import type { Answer } from "../http/answer.ts";
import type { CompleteOptions } from "./provider.ts";
import type { Post } from "./sdk-request.ts";
import type { Settings } from "./settings.ts";
import { ACCEPT_EVENTS, type Answered, type Assembly, streamed } from "./stream.ts";

interface Asking {
  readonly settings: Settings;
  readonly post: Post;
  /** Whether the answer is to come as events. */
  readonly streaming: boolean;
  readonly assembly: () => Assembly;
  /** What the body says besides when it asks for events. */
  readonly streamingBody?: object;
}

/**
 * Rejects with a MillraceError as `streamed` does, and with whatever the call rejects with. No promise in here holds the
 * body while the answer is waited for: long texts are young when they are dropped.
 */
export function answered(options: CompleteOptions, body: object, asking: Asking): Promise<Answered> {
  const { settings, post, streaming, assembly, streamingBody } = asking;
  const { signal } = options;
  if (!streaming) return whole(post(body, { signal }));
  const called = post({ ...body, stream: true, ...streamingBody }, { headers: ACCEPT_EVENTS, signal });
  return streamed(options, { settings, assembly: assembly(), called });
}

async function whole(posted: Promise<Answer>): Promise<Answered> {
  const answer = await posted;
  return { data: await answer.json(), headers: answer.headers };
}
