/** Where encoded text, or its compressed bytes, go: a stream, or what a path stands for (a file, a device, a pipe). */

import { createWriteStream, type Stats } from "node:fs";
import { readlink, realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { FileOutput } from "./file.ts";
import { openPipe } from "./pipe.ts";

export interface Output {
  /** As messages name it. */
  readonly name: string;
  /** Makes sure that it can be written, before anything is paid for. */
  open(): Promise<void>;
  /** Keeps other runs from it, and makes nothing of it yet: whether there will be anything to write is not known. */
  reserve(): Promise<void>;
  /** Resolves when the content is handed to the system. */
  write(content: string | Uint8Array): Promise<void>;
  /** Complete: durable, and visible under its name. */
  commit(): Promise<void>;
  /**
   * Incomplete: what was written stays, under its partial name where it has one; of nothing, nothing stays. `rest` writes
   * what is still held: called only where that cannot wait for a reader.
   */
  abandon(rest: () => Promise<void>): Promise<void>;
  /** Complete with nothing in it, and wanted only if there is something: an older one goes. */
  omit(): Promise<void>;
}

/** What a path stands for is known when it is opened: a file, or something that is written directly. */
export class PathOutput implements Output {
  readonly name: string;
  #behind: Promise<Output> | undefined;
  #left = false;

  constructor(path: string) {
    this.name = path;
  }

  #found(): Promise<Output> {
    this.#behind ??= this.#find();
    return this.#behind;
  }

  async #find(): Promise<Output> {
    const found = await stat(this.name).catch(() => undefined);
    if (found === undefined || found.isFile() || found.isDirectory()) {
      return new FileOutput(this.name, await realPath(this.name));
    }
    return new StreamOutput(this.name, await this.#special(found), true);
  }

  async #special(found: Stats): Promise<Writable> {
    return found.isFIFO() ? openPipe(this.name, () => this.#left) : createWriteStream(this.name);
  }

  async open(): Promise<void> {
    await (await this.#found()).open();
  }

  async reserve(): Promise<void> {
    const found = await stat(this.name).catch(() => undefined);
    // To look for a pipe's reader is for when there is something to write.
    if (found === undefined || found.isFile()) await (await this.#found()).reserve();
  }

  async write(content: string | Uint8Array): Promise<void> {
    await (await this.#found()).write(content);
  }

  async commit(): Promise<void> {
    await (await this.#found()).commit();
  }

  async abandon(rest: () => Promise<void>): Promise<void> {
    this.#left = true;
    // One that was never opened, or could not be, has nothing to keep.
    const behind = await this.#behind?.catch(() => undefined);
    await behind?.abandon(rest);
  }

  async omit(): Promise<void> {
    const found = await stat(this.name).catch(() => undefined);
    if (found?.isFile() === false) return;
    await (await this.#found()).omit();
  }
}

/** Follows links, one that leads nowhere too, so that the file behind it is written and not the link replaced. */
export async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    const link = await readlink(path).catch((fault: NodeJS.ErrnoException) => {
      // Taken for no link, one that cannot be read would be replaced by the file.
      if (fault.code === "EINVAL" || fault.code === "ENOENT") return undefined;
      throw fault;
    });
    return link === undefined ? resolve(path) : realPath(resolve(dirname(path), link));
  }
}

/** stdout, a device, a pipe, or a stream of the user's own. */
export class StreamOutput implements Output {
  readonly name: string;
  readonly #stream: Writable;
  readonly #ours: boolean;

  /** `ours`: the stream is ended with the output; stdout is not. */
  constructor(name: string, stream: Writable, ours: boolean) {
    this.name = name;
    this.#stream = stream;
    this.#ours = ours;
    // Heard at the write that met it; unheard it would end the process.
    stream.on("error", () => {});
  }

  async open(): Promise<void> {}

  async reserve(): Promise<void> {}

  write(content: string | Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      // A stream that is destroyed while it writes need not call back.
      const gone = () => reject(this.#stream.errored ?? new Error("it was closed"));
      this.#stream.once("close", gone);
      this.#stream.write(content, (error) => {
        this.#stream.off("close", gone);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  async commit(): Promise<void> {
    if (!this.#ours) return;
    const ended = finished(this.#stream);
    this.#stream.end();
    await ended;
  }

  async abandon(): Promise<void> {
    if (this.#ours) this.#stream.destroy();
  }

  omit(): Promise<void> {
    return this.commit();
  }
}
