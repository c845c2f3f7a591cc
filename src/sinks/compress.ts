/** Text on its way to an output, compressed. */

import { finished } from "node:stream/promises";
import { constants, createGzip, createZstdCompress } from "node:zlib";
import type { Compression } from "../formats.ts";
import type { Output } from "./output.ts";

const COMPRESSORS = {
  gzip: createGzip,
  // With a checksum, as the zstd command makes it: else a damaged file may be read as another text.
  zstd: () => createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
} as const;

type Compressor = ReturnType<(typeof COMPRESSORS)[Compression]>;

/**
 * Compresses what goes to another output. Both compressors give the same bytes however the text is cut up and whenever it
 * comes, so that a run done again writes the same file.
 */
export class CompressedOutput implements Output {
  readonly name: string;
  readonly #behind: Output;
  readonly #how: Compression;
  /** Made with the first text, so that an output that is never written holds no memory of the library's. */
  #compressor: Compressor | undefined;
  #made: Buffer[] = [];
  #ending: Promise<void> | undefined;
  #left = false;

  constructor(behind: Output, how: Compression) {
    this.name = behind.name;
    this.#behind = behind;
    this.#how = how;
  }

  open(): Promise<void> {
    return this.#behind.open();
  }

  reserve(): Promise<void> {
    return this.#behind.reserve();
  }

  /** Resolves when the text is taken and what came of it is handed to the system: one text's worth is held at most. */
  async write(text: string | Uint8Array): Promise<void> {
    const compressor = this.#begin();
    await new Promise<void>((resolve, reject) => {
      compressor.write(text, (error) => (error ? reject(error) : resolve()));
    });
    await this.#handOn();
  }

  #begin(): Compressor {
    if (this.#compressor !== undefined) return this.#compressor;
    this.#compressor = COMPRESSORS[this.#how]();
    this.#compressor.on("data", (bytes: Buffer) => this.#made.push(bytes));
    // Heard at the write or the end that met it; unheard it would end the process.
    this.#compressor.on("error", () => {});
    return this.#compressor;
  }

  async #handOn(): Promise<void> {
    if (this.#made.length === 0) return;
    const bytes = Buffer.concat(this.#made);
    this.#made = [];
    await this.#behind.write(bytes);
  }

  /** Writes the archive's last bytes, once: without them it is cut short. */
  #end(): Promise<void> {
    this.#ending ??= this.#finish();
    return this.#ending;
  }

  async #finish(): Promise<void> {
    const compressor = this.#begin();
    const ended = finished(compressor);
    compressor.end();
    await ended;
    await this.#handOn();
  }

  async commit(): Promise<void> {
    await this.#end();
    // Given up on meanwhile: it must not appear after all.
    if (this.#left) throw new Error("it was closed");
    await this.#behind.commit();
  }

  async abandon(rest: () => Promise<void>): Promise<void> {
    const restAndEnd = async () => {
      await rest();
      // After a write that failed there is no whole archive to be had.
      if (this.#compressor !== undefined) await this.#end();
    };
    this.#left = true;
    try {
      await this.#behind.abandon(restAndEnd);
    } finally {
      this.#compressor?.destroy();
    }
  }

  omit(): Promise<void> {
    return this.#behind.omit();
  }
}
