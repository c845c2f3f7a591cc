/** The simulator in a process of its own. */

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { spawnSimulator } from "../../src/simulator/process.ts";
import { askChat, statusOf } from "./support.ts";

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("it answers, can be changed and asked from outside, and is gone once closed", async () => {
  const simulator = await spawnSimulator({ apiKeys: ["key"], knee: Number.POSITIVE_INFINITY });
  onTestFinished(() => simulator.close());
  expect((await askChat(simulator.url, { key: "key", text: "[[id:9]]" })).status).toBe(200);
  await simulator.set({ faults: { error500: 1 } });
  expect((await askChat(simulator.url, { key: "key" })).status).toBe(500);
  await expect.poll(async () => (await simulator.stats()).inFlight).toBe(0);
  expect(await simulator.stats()).toMatchObject({ requests: 2, byStatus: { 200: 1, 500: 1 } });
  expect((await simulator.ledger()).map(({ outcome }) => outcome)).toEqual(["answered", "error500"]);
  expect((await simulator.ledger(2)).length).toBe(1);
  await expect(simulator.set({ faults: { eror500: 1 } } as object)).rejects.toThrow("did you mean");
  await simulator.close();
  expect(isAlive(simulator.pid)).toBe(false);
  expect(await statusOf(askChat(simulator.url, { key: "key" }))).toBe("broken");
  await expect(simulator.stats()).rejects.toThrow("has ended");
});

test("it does not start with options that cannot be", async () => {
  await expect(spawnSimulator({ limits: { burst: -1 } })).rejects.toThrow("burst");
});

test("it ends when its parent is killed", async () => {
  const parent = fork(fileURLToPath(new URL("./parent.ts", import.meta.url)), {
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const [{ url }] = (await once(parent, "message")) as [{ url: string }];
  expect((await askChat(url)).status).toBe(200);
  parent.kill("SIGKILL");
  // Not its process id: where nobody reaps orphans, that outlives the process.
  await expect.poll(() => statusOf(askChat(url)), { timeout: 5000 }).toBe("broken");
});
