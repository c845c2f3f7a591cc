/** What is stored: how one request ended, where the same request would end the same way again. */

import type { ErrorCode } from "../errors.ts";
import type { Usage } from "../usage.ts";

/** Of an answer: what came with its text. Of a verdict: the error. Neither holds a prompt or a key. */
export type Facts =
  | {
      readonly finishReason: string;
      readonly usage: Usage;
      readonly model: string;
      readonly requestId?: string | undefined;
    }
  | { readonly error: { readonly code: ErrorCode; readonly message: string; readonly status?: number | undefined } };

export interface Outcome {
  readonly facts: Facts;
  /** The answer as it came; empty for a verdict. */
  readonly text: string;
  /** The output limit at which the answer was cut; null: it was not. */
  readonly cut: number | null;
}

/** SQLite holds text as UTF-8, where half a surrogate pair would become another character: such a text is kept as UTF-16. */
export const packed = (text: string): string | Uint8Array =>
  text.isWellFormed() ? text : Buffer.from(text, "utf16le");

export const unpacked = (kept: string | Uint8Array): string =>
  typeof kept === "string" ? kept : Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength).toString("utf16le");
