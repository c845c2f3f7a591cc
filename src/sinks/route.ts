/** Several sinks behind one: each record goes to the one that a function names. */

import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { inspect } from "node:util";
import { failure, isMillraceError } from "../errors.ts";
import { type Article, drop } from "../record.ts";
import { asStage, prepared, type RunContext, Stage, type StageReport, stageOf } from "../stage.ts";
import { write } from "./write.ts";

/** Made by `route()`. `finish` means that every sink has finished. */
export class Route extends Writable {
  declare readonly report: StageReport;
  readonly #stage = new RouteStage("route");
  readonly #choose: (record: unknown) => unknown;
  readonly #sinks: Readonly<Record<string, Writable>>;

  constructor(choose: (record: unknown) => unknown, sinks: Readonly<Record<string, Writable>>) {
    super({ objectMode: true, highWaterMark: 1 });
    this.#choose = choose;
    // One sink may stand under several names.
    const ours = new Map([...new Set(Object.values(sinks))].map((sink) => [sink, stageOf(sink) ? sink : write(sink)]));
    this.#sinks = Object.fromEntries(Object.entries(sinks).map(([name, sink]) => [name, ours.get(sink) ?? sink]));
    this.#stage.sinks = this.sinks;
    asStage(this, this.#stage);
    for (const sink of this.sinks) sink.on("error", (error) => this.destroy(error));
  }

  /** Opens what can be opened before anything is sent. */
  async prepare(): Promise<void> {
    for (const sink of this.sinks) await prepared(sink);
  }

  get sinks(): readonly Writable[] {
    return [...new Set(Object.values(this.#sinks))];
  }

  override _write(record: unknown, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#stage.report.in++;
    this.#send(record).then(() => callback(), callback);
  }

  async #send(record: unknown): Promise<void> {
    let name: unknown;
    try {
      name = await this.#choose(record);
    } catch (error) {
      const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      const fault = isMillraceError(error)
        ? error
        : failure("stage_failed", `route: the function threw ${why}`, { cause: error });
      return this.#stage.reject(fault, { record });
    }
    if (name === drop) {
      this.#stage.report.dropped++;
      return;
    }
    const sink = typeof name === "string" && Object.hasOwn(this.#sinks, name) ? this.#sinks[name] : undefined;
    if (sink === undefined) {
      const known = Object.keys(this.#sinks).join(", ");
      const fault = failure(
        "stage_failed",
        `route: there is no sink ${inspect(name, { depth: 0, maxStringLength: 40 })}. There are: ${known}.`,
      );
      return this.#stage.reject(fault, { record });
    }
    this.#stage.report.out++;
    await new Promise<void>((resolve, reject) => {
      sink.write(record, (error) => (error ? reject(error) : resolve()));
    });
  }

  override _final(callback: (error?: Error | null) => void): void {
    const ends = this.sinks.map((sink) => {
      const ended = finished(sink);
      sink.end();
      return ended;
    });
    Promise.all(ends).then(() => callback(), callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const ends = this.sinks.map((sink) => finished(sink));
    for (const sink of this.sinks) if (!sink.writableFinished) sink.destroy(error ?? undefined);
    Promise.allSettled(ends).then(() => callback(error));
  }
}

/** The sinks behind join the run with the stage in front of them. */
class RouteStage extends Stage {
  sinks: readonly Writable[] = [];

  override join(context: RunContext): void {
    super.join(context);
    for (const sink of this.sinks) stageOf(sink)?.join(context);
  }

  override get written(): number {
    return this.sinks.reduce((sum, sink) => sum + (stageOf(sink)?.written ?? 0), 0);
  }

  override get reports(): readonly StageReport[] {
    return [this.report, ...this.sinks.flatMap((sink) => stageOf(sink)?.reports ?? [])];
  }
}

/**
 * A sink of several: `choose` names one for each record, or gives `drop`. Another name, or a throw, sends the record to
 * the dead letters.
 */
export function route<Input = Article>(
  choose: (record: Input) => unknown,
  sinks: Readonly<Record<string, Writable>>,
): Route {
  if (Object.keys(sinks ?? {}).length === 0)
    throw failure("invalid_option", "route(): give at least one sink by name.");
  return new Route(choose as (record: unknown) => unknown, sinks);
}
