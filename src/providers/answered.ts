/** A vendor's answer to a request's body: in one piece, or as events put together to the same. */

import type { CompleteOptions } from "./provider.ts";
import type { Post } from "./sdk-request.ts";
import type { Settings } from "./settings.ts";
import { ACCEPT_EVENTS, type Answered, type Assembly, streamed } from "./stream.ts";

interface Asking {
  readonly settings: Settings;
  readonly post: Post;
  readonly body: object;
  /** Whether the answer is to come as events. */
  readonly streaming: boolean;
  readonly assembly: () => Assembly;
  /** What the body says besides when it asks for events. */
  readonly streamingBody?: object;
}

/** @throws MillraceError as `streamed` does, and whatever the call throws */
export async function answered(options: CompleteOptions, asking: Asking): Promise<Answered> {
  const { settings, post, body, streaming, assembly, streamingBody } = asking;
  const { signal } = options;
  if (streaming) {
    const ask = () => post({ ...body, stream: true, ...streamingBody }, { headers: ACCEPT_EVENTS, signal });
    return streamed(options, { settings, assembly: assembly(), ask });
  }
  const response = await post(body, { signal });
  return { data: await response.json(), headers: response.headers };
}
