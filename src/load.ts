/** Packages that only some runs need, loaded at once when one does. */

import { createRequire } from "node:module";

/**
 * `import()` would do it later, in the middle of the first calls, where loading an SDK (some 0.1 s) is time that every
 * record in flight waits. Whoever makes a provider is about to use it.
 */
export const load = createRequire(import.meta.url) as (name: string) => unknown;
