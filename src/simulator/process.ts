/** A simulator in a process of its own, so that it neither takes time from what is measured nor dies with it. */

import { fork } from "node:child_process";
import { once } from "node:events";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { LedgerEntry, Stats } from "./ledger.ts";
import type { Order, Result } from "./main.ts";
import type { SimulatorOptions } from "./options.ts";

export interface SimulatorProcess {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  ledger(from?: number): Promise<LedgerEntry[]>;
  stats(): Promise<Stats>;
  set(options: SimulatorOptions): Promise<void>;
  /** Ends the process; resolves when it is gone. */
  close(): Promise<void>;
}

/** An order without its id; distributes over the kinds of orders. */
type Wish = Order extends infer O ? (O extends Order ? Omit<O, "id"> : never) : never;

interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Starts it and waits until it listens. It ends with this process at the latest. */
export async function spawnSimulator(options: SimulatorOptions = {}): Promise<SimulatorProcess> {
  // Sources run as they are, built files beside each other: the neighbour has this file's ending.
  const main = fileURLToPath(new URL(`./main${extname(fileURLToPath(import.meta.url))}`, import.meta.url));
  const child = fork(main, {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    // Infinity and undefined survive it, unlike JSON.
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const waiters = new Map<number, Waiter>();
  let orders = 0;
  const ask = (wish: Wish): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++orders;
      if (!child.connected) return reject(new Error("The simulator's process has ended."));
      waiters.set(id, { resolve, reject });
      child.send({ ...wish, id });
    });
  child.on("message", (result: Result) => {
    const waiter = waiters.get(result.id);
    waiters.delete(result.id);
    if ("error" in result) waiter?.reject(new Error(result.error));
    else waiter?.resolve(result.value);
  });
  child.once("exit", (code, signal) => {
    for (const { reject } of waiters.values()) reject(new Error(`The simulator's process ended (${signal ?? code}).`));
    waiters.clear();
  });
  const gone = once(child, "exit");
  const close = async (): Promise<void> => {
    if (child.connected) await ask({ order: "close" }).catch(() => {});
    await gone;
  };
  let listening: { url: string; port: number };
  try {
    listening = (await ask({ order: "start", options })) as typeof listening;
  } catch (error) {
    if (child.connected) child.disconnect();
    await gone;
    throw error;
  }
  return {
    ...listening,
    pid: child.pid ?? 0,
    ledger: (from = 1) => ask({ order: "ledger", from }) as Promise<LedgerEntry[]>,
    stats: () => ask({ order: "stats" }) as Promise<Stats>,
    set: async (changes) => void (await ask({ order: "set", options: changes })),
    close,
  };
}
