/** `node run.js <peer> <job>`: runs one peer in this process and says what it took, its start included. */

import { peakMB } from "../loads/peak.js";

const [name, job] = process.argv.slice(2);
const { run } = await import(`./${name}.js`);
await run(JSON.parse(job));
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ cpuMs: (user + system) / 1_000, rssMB: peakMB(), totalMs: process.uptime() * 1_000 }));
// What keeps connections alive would keep the process as well.
process.exit(0);
