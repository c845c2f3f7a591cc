/** What `map`, `filter` and function stages share: one record in, what a function makes of it out, failures isolated. */

import type { Writable } from "node:stream";
import { Transform, type TransformCallback } from "node:stream";
import { failure, isMillraceError } from "../errors.ts";
import { carrySource, drop } from "../record.ts";
import { asStage, Stage, type StageReport } from "../stage.ts";
import { isPromise } from "./functions.ts";

/** Records that a stage's buffers hold on either side: enough to keep going, few enough that large ones fit. */
const BUFFERED = 2;

/** Gives `drop`, the record that goes on, or several of them as an `Outputs`. */
export type Step = (record: unknown) => unknown;

/** Several records made of one. */
export class Outputs {
  readonly records: Iterable<unknown>;

  constructor(records: Iterable<unknown>) {
    this.records = records;
  }
}

export class Each extends Transform {
  declare readonly report: StageReport;
  readonly #stage: Stage;
  readonly #step: Step;

  constructor(name: string, step: Step, deadLetters?: Writable) {
    super({ objectMode: true, highWaterMark: BUFFERED });
    this.#stage = new Stage(name, { deadLetters });
    this.#step = step;
    asStage(this, this.#stage);
  }

  override _transform(record: unknown, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#stage.report.in++;
    const settle = (made: unknown) => this.#settle(record, made, callback);
    const fail = (error: unknown) => this.#fail(record, error, callback);
    let made: unknown;
    try {
      made = this.#step(record);
    } catch (error) {
      fail(error);
      return;
    }
    if (isPromise(made)) made.then(settle, fail);
    else settle(made);
  }

  #settle(record: unknown, made: unknown, callback: TransformCallback): void {
    if (made instanceof Outputs) {
      this.#stage.reshapes = true;
      for (const each of made.records) this.#give(record, each);
    } else this.#give(record, made);
    callback();
  }

  #give(record: unknown, made: unknown): void {
    if (made === drop) {
      this.#stage.report.dropped++;
      return;
    }
    carrySource(record, made);
    this.#stage.report.out++;
    this.push(made);
  }

  #fail(record: unknown, error: unknown, callback: TransformCallback): void {
    const fault = isMillraceError(error) ? error : failure("stage_failed", String(error), { cause: error });
    if (fault.scope === "run") callback(fault);
    else this.#stage.reject(fault, { record }).then(() => callback(), callback);
  }
}
