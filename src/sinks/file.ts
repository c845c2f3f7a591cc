/** A file that appears whole or not at all. */

import { existsSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolder } from "../folder.ts";
import { claim } from "./claim.ts";
import type { Output } from "./output.ts";

/** The name that a file has until it is complete. */
export const partialOf = (path: string): string => `${path}.partial`;

/** `<path>.partial` → fsync → rename → fsync of the directory: whoever sees `path` sees all of it, after a power cut too. */
export class FileOutput implements Output {
  readonly name: string;
  readonly #path: string;
  #file: FileHandle | undefined;
  #release: (() => Promise<void>) | undefined;
  /** Bytes of whole writes. */
  #whole = 0;
  #begun = false;

  /** `path` is where it really lies; `name` as the user said it. */
  constructor(name: string, path: string) {
    this.name = name;
    this.#path = path;
  }

  async open(): Promise<void> {
    if (this.#file !== undefined) return;
    await makeFolder(dirname(this.#path));
    const older = await stat(this.#path).catch(() => undefined);
    if (older?.isDirectory()) throw Object.assign(new Error("it is a directory"), { code: "EISDIR" });
    this.#release ??= await claim(this.#path);
    // Not cut yet: until there is something to write, what an earlier run has left may be all there is.
    this.#file = await open(partialOf(this.#path), "a", older === undefined ? 0o666 : older.mode & 0o777);
  }

  /** In a folder that is not there yet, nobody else is at work. */
  async reserve(): Promise<void> {
    if (existsSync(dirname(this.#path))) this.#release ??= await claim(this.#path);
  }

  async write(content: string | Uint8Array): Promise<void> {
    const file = await this.#begin();
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    // A short write is no error; the rest is owed.
    for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
    this.#whole += bytes.length;
  }

  async #begin(): Promise<FileHandle> {
    await this.open();
    const file = this.#file as FileHandle;
    if (!this.#begun) await file.truncate(0);
    this.#begun = true;
    return file;
  }

  async commit(): Promise<void> {
    const file = await this.#begin();
    await file.sync();
    await this.#file?.close();
    this.#file = undefined;
    await rename(partialOf(this.#path), this.#path);
    await this.#syncDirectory();
    await this.#close();
  }

  async abandon(rest: () => Promise<void>): Promise<void> {
    await rest().catch(() => {});
    try {
      if (this.#file === undefined) return;
      // A write that failed may have left part of a line.
      if (this.#begun) await this.#file.truncate(this.#whole).catch(() => {});
      await this.#file.sync().catch(() => {});
      const { size } = await this.#file.stat();
      if (size === 0) await rm(partialOf(this.#path), { force: true });
    } finally {
      await this.#close();
    }
  }

  async omit(): Promise<void> {
    await rm(this.#path, { force: true });
    await rm(partialOf(this.#path), { force: true });
    await this.#close();
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      await file?.close();
    } finally {
      await this.#release?.();
      this.#release = undefined;
    }
  }

  /** The rename has happened, and is seen by all; until this is done a power cut may undo it. */
  async #syncDirectory(): Promise<void> {
    try {
      const directory = await open(dirname(this.#path), "r");
      await directory.sync().finally(() => directory.close().catch(() => {}));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw Object.assign(new Error(`it is complete, but its folder cannot be made durable: ${why}`), { cause });
    }
  }
}
