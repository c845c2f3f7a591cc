/** Packages that only some runs need, loaded at once when one does. */

import { createRequire } from "node:module";

/**
 * `import()` would do it later, in the middle of the first calls, where loading an SDK (some 0.1 s) is time that every
 * record in flight waits. Whoever makes a provider is about to use it.
 */
export const load = createRequire(import.meta.url) as (name: string) => unknown;

/** SQLite, without the warning by which Node 22 calls it experimental: nothing that a user could act on. */
export function loadSqlite(): typeof import("node:sqlite") {
  const warn = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: never[]) => {
    if (!String(warning).includes("SQLite")) warn.call(process, warning, ...rest);
  }) as typeof process.emitWarning;
  try {
    return load("node:sqlite") as typeof import("node:sqlite");
  } finally {
    process.emitWarning = warn;
  }
}
