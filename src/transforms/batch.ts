/** Gathers records into arrays. */

import { Transform, type TransformCallback } from "node:stream";
import { checkWhole } from "../options.ts";
import { asStage, Stage, type StageReport } from "../stage.ts";

/** Holds one batch at a time. */
export class Batch extends Transform {
  declare readonly report: StageReport;
  readonly #stage = new Stage("batch");
  readonly #size: number;
  #held: unknown[] = [];

  constructor(size: number) {
    super({ objectMode: true, highWaterMark: 1 });
    this.#size = size;
    this.#stage.reshapes = true;
    asStage(this, this.#stage);
  }

  override _transform(record: unknown, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#stage.report.in++;
    this.#held.push(record);
    if (this.#held.length === this.#size) this.#give();
    callback();
  }

  override _flush(callback: TransformCallback): void {
    if (this.#held.length > 0) this.#give();
    callback();
  }

  #give(): void {
    this.#stage.report.out++;
    this.push(this.#held);
    this.#held = [];
  }
}

/** Arrays of `size` records, the last one shorter where they do not come out even. */
export function batch(size: number): Batch {
  checkWhole("batch(): the size", size, { least: 1 });
  return new Batch(size);
}
