/** How the command line's options have the input read. */

import type { RunFlags } from "../config/options.ts";
import type { ReadOptions } from "../index.ts";

export const reading = ({ from, path, skip, limit }: RunFlags): ReadOptions => ({
  ...(from === undefined ? {} : { format: from }),
  ...(path === undefined ? {} : { path }),
  ...(skip === undefined ? {} : { skip }),
  ...(limit === undefined ? {} : { limit }),
});
