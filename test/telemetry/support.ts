/** What the tests of the live page share. */

import { join } from "node:path";
import { onTestFinished } from "vitest";
import { publishDeadLetter } from "../../src/events.ts";
import { write } from "../../src/index.ts";
import { type Run, startRun } from "../../src/pipeline.ts";
import { Dashboard, type Update } from "../../src/telemetry/dashboard.ts";
import { articles, startCli } from "../support.ts";

export { publishDeadLetter };

/** A command with a live page, and where that is. */
export async function serving(args: readonly string[], options: Parameters<typeof startCli>[1]) {
  const started = startCli([...args, "--serve", "0"], { input: "", ...options });
  const { child, ended } = started;
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on("data", (text: string) => {
      said += text;
      const [, found] = /live page on (http:\S+)/.exec(said) ?? [];
      if (found !== undefined) resolve(found);
    });
    ended.then(({ stderr }) => reject(new Error(`It ended before it served: ${stderr}`)));
  });
  return { ...started, url };
}

/** One message of the stream of events. */
export interface Message {
  readonly event: string;
  readonly update: Update;
}

/** The messages of a page, as they come, until the server ends them. */
export async function* messagesOf(url: string): AsyncGenerator<Message> {
  const { body } = await fetch(new URL("events", url));
  if (body === null) throw new Error("There is no stream.");
  let held = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    held += text;
    const whole = held.split("\n\n");
    held = whole.pop() ?? "";
    for (const message of whole) {
      const [, event = "", data] = /^event: (\w+)\ndata: (.*)$/.exec(message) ?? [];
      if (data !== undefined) yield { event, update: JSON.parse(data) as Update };
    }
  }
}

/** A value of `/metrics`, the sum of all that have these labels. */
export function metric(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const found = text
    .split("\n")
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .filter((line) => Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)))
    .map((line) => Number(line.slice(line.lastIndexOf(" "))));
  return found.length === 0 ? undefined : found.reduce((sum, value) => sum + value, 0);
}

/** A dashboard in this process with a run that stands still until it is let go. */
export async function standing(folder: string, port = 0): Promise<{ dashboard: Dashboard; run: Run; go: () => void }> {
  const dashboard = await Dashboard.open({ host: "127.0.0.1", port }, { title: "test", tick: 20 });
  let go = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const slow = async (record: object) => {
    await gate;
    return record;
  };
  const run = startRun([articles(5), slow, write(join(folder, "out.ndjson"))]);
  dashboard.follow(run.report);
  onTestFinished(async () => {
    go();
    await dashboard.end({ report: run.report(), error: undefined });
  });
  return { dashboard, run, go };
}
