/** Where encoded text goes: a file that appears whole or not at all, a special file, or a stream. */

import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";

export interface Output {
  /** As messages name it. */
  readonly name: string;
  /** Makes sure that it can be written, before anything is paid for. */
  open(): Promise<void>;
  /** Resolves when the text is handed to the system. */
  write(text: string): Promise<void>;
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

/** The name that a file has until it is complete. */
export const partialOf = (path: string): string => `${path}.partial`;

/** Follows links, so that the file behind one is replaced and not the link. */
async function target(path: string): Promise<{ path: string; special: boolean }> {
  try {
    const real = await realpath(path);
    const found = await stat(real);
    return { path: real, special: !found.isFile() && !found.isDirectory() };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    const link = await readlink(path).catch(() => undefined);
    return link === undefined ? { path, special: false } : target(resolve(dirname(path), link));
  }
}

async function writeAll(file: FileHandle, text: string): Promise<number> {
  const bytes = Buffer.from(text);
  // A short write is no error; the rest is owed.
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
  return bytes.length;
}

/** `<path>.partial` → fsync → rename → fsync of the directory: whoever sees `path` sees all of it, after a power cut too. */
export class FileOutput implements Output {
  readonly name: string;
  #file: FileHandle | undefined;
  #path: string;
  #special = false;
  /** Bytes of whole lines. */
  #whole = 0;

  constructor(path: string) {
    this.name = path;
    this.#path = path;
  }

  async open(): Promise<void> {
    if (this.#file !== undefined) return;
    const found = await target(this.name);
    this.#path = found.path;
    this.#special = found.special;
    if (this.#special) {
      this.#file = await open(this.#path, "w");
      return;
    }
    await mkdir(dirname(this.#path), { recursive: true });
    const exists = await stat(this.#path).catch(() => undefined);
    if (exists?.isDirectory()) throw Object.assign(new Error(`${this.name} is a directory`), { code: "EISDIR" });
    this.#file = await open(partialOf(this.#path), "w");
  }

  async write(text: string): Promise<void> {
    await this.open();
    this.#whole += await writeAll(this.#file as FileHandle, text);
  }

  async commit(): Promise<void> {
    await this.open();
    if (this.#special) return this.#close();
    await this.#file?.sync();
    await this.#close();
    await rename(partialOf(this.#path), this.#path);
    await this.#syncDirectory();
  }

  async abandon(rest: () => Promise<void>): Promise<void> {
    await rest().catch(() => {});
    if (this.#file === undefined) return;
    if (!this.#special) {
      // A write that failed may have left part of a line.
      await this.#file.truncate(this.#whole).catch(() => {});
      await this.#file.sync().catch(() => {});
    }
    await this.#close();
    if (!this.#special && this.#whole === 0) await rm(partialOf(this.#path), { force: true });
  }

  async omit(): Promise<void> {
    const { path, special } = await target(this.name);
    await this.#close();
    if (special) return;
    await rm(path, { force: true });
    await rm(partialOf(path), { force: true });
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #syncDirectory(): Promise<void> {
    const directory = await open(dirname(this.#path), "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

/** stdout, or a stream of the user's own. */
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

  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      // A stream that is destroyed while it writes need not call back.
      const gone = () => reject(this.#stream.errored ?? new Error("it was closed"));
      this.#stream.once("close", gone);
      this.#stream.write(text, (error) => {
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
