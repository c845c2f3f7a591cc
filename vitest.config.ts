import module from "node:module";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Many tests start processes: what these compile is kept from one to the next, where the command line keeps its own.
const { directory } = module.enableCompileCache(
  fileURLToPath(new URL("node_modules/.cache/millrace", import.meta.url)),
);
if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory;

export default defineConfig({
  resolve: { conditions: ["millrace-source"] },
  ssr: { resolve: { conditions: ["millrace-source"] } },
  // Two even on two cores, where vitest would take one: half of the time a test waits for processes it has started.
  test: { include: ["test/**/*.test.ts"], testTimeout: 60_000, maxWorkers: 2 },
});
