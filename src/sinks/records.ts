/** A sink that hands the records themselves to a stream of the user's own. */

import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { failure } from "../errors.ts";
import { asStage, Stage, type StageReport } from "../stage.ts";
import { reason } from "./reason.ts";

/** Counts what it hands on; finishes when the stream behind it has. */
export class RecordsInto extends Writable {
  declare readonly report: StageReport;
  readonly #stage = new Stage("write");
  readonly #behind: Writable;

  constructor(behind: Writable) {
    super({ objectMode: true, highWaterMark: 1 });
    this.#behind = behind;
    behind.on("error", (error) => this.destroy(fault(error)));
    // One that is destroyed while it writes need not call back.
    behind.on("close", () => behind.writableFinished || this.destroy(fault(new Error("it was closed"))));
    asStage(this, this.#stage);
  }

  override _write(record: unknown, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#stage.report.in++;
    this.#behind.write(record, (error) => {
      if (!error) this.#stage.report.out++;
      callback(error ? fault(error) : null);
    });
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.#stage.cutShort !== undefined) {
      callback(this.#stage.cutShort);
      return;
    }
    finished(this.#behind).then(
      () => callback(),
      (error: Error) => callback(fault(error)),
    );
    this.#behind.end();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.#behind.writableFinished) this.#behind.destroy(error ?? undefined);
    callback(error);
  }
}

const fault = (error: Error) =>
  failure("sink_failed", `Writing to the stream failed: ${reason(error)}`, { cause: error });
