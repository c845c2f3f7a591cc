/** Tells UTF-16 by its byte order mark: read as UTF-8, each of its lines would be a fault of its own. */

import { failure } from "../errors.ts";

const NOTHING: Buffer = Buffer.alloc(0);
/** The first byte of either mark; no UTF-8 holds it. */
const MAY_BEGIN = [0xff, 0xfe];

/** Passes chunks on. One byte is held back at most, where it may be the first of a mark. */
export class FirstBytes {
  #held = NOTHING;
  #passed = false;

  /** @throws `invalid_option` for UTF-16, with what to do */
  pass(chunk: Buffer, name: string): Buffer {
    if (this.#passed || chunk.length === 0) return chunk;
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    if (bytes.length === 1 && MAY_BEGIN.includes(bytes[0] as number)) {
      this.#held = bytes;
      return NOTHING;
    }
    this.#passed = true;
    this.#held = NOTHING;
    const mark = bytes.readUInt8(0) * 256 + (bytes[1] ?? 0);
    if (mark === 0xfffe || mark === 0xfeff) {
      throw failure(
        "invalid_option",
        `${name} is UTF-16 (${mark === 0xfffe ? "little" : "big"}-endian): only UTF-8 is read. ` +
          "Convert it first: iconv -f UTF-16 -t UTF-8 old > new",
      );
    }
    return bytes;
  }

  /** What is still held at the end. */
  get rest(): Buffer {
    return this.#held;
  }
}
