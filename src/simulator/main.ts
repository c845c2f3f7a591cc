/** The simulator as a process: told what to do over IPC by `process.ts`, gone when its parent is. */

import { type Simulator, type SimulatorOptions, startSimulator } from "./simulator.ts";

/** A request of the parent. `id` comes back with the result. */
export type Order =
  | { readonly id: number; readonly order: "start" | "set"; readonly options: SimulatorOptions }
  | { readonly id: number; readonly order: "ledger"; readonly from: number }
  | { readonly id: number; readonly order: "stats" | "close" };

export type Result = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };

let simulator: Simulator | undefined;

async function obey(order: Order): Promise<unknown> {
  if (order.order === "start") {
    simulator = await startSimulator(order.options);
    return { url: simulator.url, port: simulator.port };
  }
  if (!simulator) throw new Error("The simulator has not been started.");
  switch (order.order) {
    case "set":
      return simulator.set(order.options);
    case "ledger":
      return simulator.ledger(order.from);
    case "stats":
      return simulator.stats();
    case "close":
      return simulator.close();
  }
}

process.on("message", async (order: Order) => {
  let result: Result;
  try {
    result = { id: order.id, value: await obey(order) };
  } catch (error) {
    result = { id: order.id, error: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(result, () => {
    if (order.order === "close") process.disconnect();
  });
});
// Whatever became of the parent, kill -9 included, the channel closes with it.
process.on("disconnect", () => process.exit(0));
// The terminal sends Ctrl-C to both; the parent decides when this one ends.
process.on("SIGINT", () => {});
