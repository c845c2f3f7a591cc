/** Where in zstd's bytes a frame ends, and how much it says that it holds (RFC 8878, section 3.1). */

const MAGIC = 0xfd2fb528;
/** The low half byte of a skippable frame's is its own. */
const SKIPPABLE = 0x184d2a50;

const DICTIONARY_BYTES = [0, 1, 2, 4] as const;
const SIZE_BYTES = [0, 2, 4, 8] as const;
const CHECKSUM_BYTES = 4;
const REPEATED = 1;
const PACKED = 2;
const RESERVED = 3;

/** `tail`: after the last block, or all that is to be skipped. */
type Part = "magic" | "descriptor" | "header" | "skippable" | "block" | "body" | "tail" | "end" | "unknown";

/**
 * Walks over one frame in whatever pieces it comes. Node does not tell where a frame ends, nor does libzstd compare a frame
 * that ends with an empty block with what its header says: so a damaged one would pass for an empty one.
 */
export class ZstdFrame {
  #part: Part = "magic";
  /** Of the part that is read: its bytes so far, or how many are still to be passed over. */
  #bytes: number[] = [];
  #wanted = 4;
  #left = 0;
  #descriptor = 0;
  #last = false;
  /** Bytes that it says it holds. */
  content: number | undefined;

  get ended(): boolean {
    return this.#part === "end";
  }

  /** The index after the frame's end; -1 when that is still to come, or when it is no frame. */
  push(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#part !== "unknown") {
      if (this.#left > 0) {
        const passed = Math.min(this.#left, bytes.length - at);
        this.#left -= passed;
        at += passed;
      } else {
        this.#bytes.push(bytes[at++] as number);
        if (this.#bytes.length === this.#wanted) this.#read(this.#bytes.splice(0));
      }
      if (this.#left === 0 && (this.#part === "body" || this.#part === "tail")) this.#afterBlock();
      if (this.#part === "end") return at;
    }
    return -1;
  }

  #expect(part: Part, wanted: number): void {
    this.#part = part;
    this.#wanted = wanted;
  }

  #read(bytes: readonly number[]): void {
    switch (this.#part) {
      case "magic": {
        const magic = numberOf(bytes);
        if (magic === MAGIC) this.#expect("descriptor", 1);
        else if (magic - (magic % 16) === SKIPPABLE) this.#expect("skippable", 4);
        else this.#part = "unknown";
        return;
      }
      case "skippable":
        this.#pass("tail", numberOf(bytes));
        return;
      case "descriptor": {
        this.#descriptor = bytes[0] as number;
        const wanted = this.#windowBytes + this.#dictionaryBytes + this.#sizeBytes;
        this.#expect("header", wanted);
        return;
      }
      case "header": {
        const size = bytes.slice(bytes.length - this.#sizeBytes);
        // The two-byte form begins where the one-byte form ends.
        if (size.length > 0) this.content = numberOf(size) + (size.length === 2 ? 256 : 0);
        this.#expect("block", 3);
        return;
      }
      case "block":
        this.#block(numberOf(bytes));
    }
  }

  #block(header: number): void {
    this.#last = header % 2 === 1;
    const kind = (header >> 1) & 3;
    const size = header >> 3;
    // A packed block has at least the header of its literals; given one without, byte by byte, libzstd says nothing.
    if (kind === RESERVED || (kind === PACKED && size === 0)) this.#part = "unknown";
    else this.#pass("body", kind === REPEATED ? 1 : size);
  }

  #pass(part: Part, bytes: number): void {
    this.#part = part;
    this.#left = bytes;
  }

  #afterBlock(): void {
    if (this.#part === "tail") this.#part = "end";
    else if (!this.#last) this.#expect("block", 3);
    else this.#pass(this.#hasChecksum ? "tail" : "end", this.#hasChecksum ? CHECKSUM_BYTES : 0);
  }

  get #single(): boolean {
    return (this.#descriptor & 0x20) !== 0;
  }

  get #hasChecksum(): boolean {
    return (this.#descriptor & 0x04) !== 0;
  }

  get #windowBytes(): number {
    return this.#single ? 0 : 1;
  }

  get #dictionaryBytes(): number {
    return DICTIONARY_BYTES[this.#descriptor & 3] as number;
  }

  get #sizeBytes(): number {
    const bytes = SIZE_BYTES[this.#descriptor >> 6] as number;
    return bytes === 0 && this.#single ? 1 : bytes;
  }
}

/** Little-endian. */
const numberOf = (bytes: readonly number[]): number => bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
