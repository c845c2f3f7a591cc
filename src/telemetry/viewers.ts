/** The pages that look on: each is sent what it has not seen yet, and whoever is too slow is let go. */

import type { ServerResponse } from "node:http";

/** Pages at once at most: they are one person's, or a team's. */
const MOST_VIEWERS = 16;

/** A page that has not taken what it was sent for so long is gone or too slow, ms. */
const PATIENCE = 10_000;

/** How long the last message may take to reach the pages when a run ends, ms. */
const LAST_PATIENCE = 1_000;

/** Between two attempts of a page to come back, ms. */
const COME_BACK = 2_000;

export interface ViewersOptions {
  /** ms */
  readonly patience?: number;
  readonly most?: number;
}

/** What a page was not sent yet: given what it has seen, the message and what it will have seen then. */
export type Unseen<Seen> = (seen: Seen | undefined) => { readonly message: string; readonly seen: Seen };

interface Viewer<Seen> {
  readonly response: ServerResponse;
  seen: Seen | undefined;
  /** Since when it has not taken all that it was sent, ms; undefined: it has. */
  behind: number | undefined;
}

export class Viewers<Seen> {
  readonly #unseen: Unseen<Seen>;
  readonly #viewers = new Set<Viewer<Seen>>();
  readonly #patience: number;
  readonly #most: number;

  constructor(unseen: Unseen<Seen>, { patience = PATIENCE, most = MOST_VIEWERS }: ViewersOptions = {}) {
    this.#unseen = unseen;
    this.#patience = patience;
    this.#most = most;
  }

  get count(): number {
    return this.#viewers.size;
  }

  get full(): boolean {
    return this.#viewers.size >= this.#most;
  }

  /** Takes the response over: it is a stream of server-sent events from now on. */
  add(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
    const viewer: Viewer<Seen> = { response, seen: undefined, behind: undefined };
    response.writeHead(200, { ...headers, "content-type": "text/event-stream", "cache-control": "no-store" });
    response.write(`retry: ${COME_BACK}\n\n`);
    response.on("drain", () => {
      viewer.behind = undefined;
    });
    response.on("close", () => this.#viewers.delete(viewer));
    response.on("error", () => this.#viewers.delete(viewer));
    this.#viewers.add(viewer);
    this.#send(viewer, "state");
  }

  /** To all. One that has not taken the last message is sent the next ones together, so that nothing piles up. */
  send(): void {
    const now = performance.now();
    for (const viewer of this.#viewers) {
      if (viewer.behind === undefined) this.#send(viewer, "state");
      else if (now - viewer.behind > this.#patience) viewer.response.destroy();
    }
  }

  /** The last message to all. Resolves when they have it, or after a second without those that are too slow. */
  async end(): Promise<void> {
    const gone = [...this.#viewers].map((viewer) => {
      this.#send(viewer, "end");
      return new Promise<void>((resolve) => {
        viewer.response.once("close", resolve);
        viewer.response.end();
      });
    });
    if (gone.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_PATIENCE);
    });
    await Promise.race([Promise.all(gone), patience]);
    clearTimeout(timer);
    for (const { response } of this.#viewers) response.destroy();
  }

  #send(viewer: Viewer<Seen>, event: "state" | "end"): void {
    const { message, seen } = this.#unseen(viewer.seen);
    viewer.seen = seen;
    // JSON without indentation holds no line break.
    if (!viewer.response.write(`event: ${event}\ndata: ${message}\n\n`)) viewer.behind ??= performance.now();
  }
}
