/** A sink that hands the records themselves to a stream of the user's own. */

import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { failure } from "../errors.ts";
import { asStage, Stage, type StageReport } from "../stage.ts";

/** Counts what it hands on; finishes when the stream behind it has. */
export class RecordsInto extends Writable {
  declare readonly report: StageReport;
  readonly #stage = new Stage("write");
  readonly #behind: Writable;

  constructor(behind: Writable) {
    super({ objectMode: true, highWaterMark: 1 });
    this.#behind = behind;
    behind.on("error", (error) => this.destroy(error));
    asStage(this, this.#stage);
  }

  override _write(record: unknown, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#stage.report.in++;
    this.#behind.write(record, (error) => {
      if (!error) this.#stage.report.out++;
      callback(error);
    });
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.#stage.stopped) {
      callback(failure("aborted", "The run was stopped before its end."));
      return;
    }
    finished(this.#behind).then(() => callback(), callback);
    this.#behind.end();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#behind.writableFinished) this.#behind.destroy(error ?? undefined);
    callback(error);
  }
}
