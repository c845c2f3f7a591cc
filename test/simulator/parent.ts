/** A process that starts a simulator and then waits to be killed, see `process.test.ts`. */

import { spawnSimulator } from "../../src/simulator/process.ts";

const { url } = await spawnSimulator();
process.send?.({ url });
setInterval(() => {}, 60_000);
