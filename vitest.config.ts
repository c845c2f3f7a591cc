import module from "node:module";
import { defineConfig } from "vitest/config";

// Many tests start processes: what these compile (and vitest itself, in each file's process) is kept from one to the next.
const { directory } = module.enableCompileCache();
if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;

export default defineConfig({
  resolve: { conditions: ["millrace-source"] },
  ssr: { resolve: { conditions: ["millrace-source"] } },
  // Two even on two cores, where vitest would take one: half of the time a test waits for processes it has started.
  test: { include: ["test/**/*.test.ts"], testTimeout: 60_000, maxWorkers: 2 },
});
