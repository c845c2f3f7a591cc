/** Leaves records out on purpose. */

import { checkKeys } from "../options.ts";
import { type Article, drop } from "../record.ts";
import { Each } from "./each.ts";
import { called, isPromise } from "./functions.ts";
import type { FunctionStageOptions } from "./map.ts";

/**
 * Records for which `keep` gives a truthy value go on; the others are counted as dropped. One for which it throws goes
 * to the dead letters.
 */
export function filter<Input = Article>(keep: (record: Input) => unknown, options: FunctionStageOptions = {}): Each {
  checkKeys(options, ["deadLetters"], "filter()");
  const judged = (record: Input) => {
    const kept = keep(record);
    return isPromise(kept) ? kept.then(Boolean) : Boolean(kept);
  };
  const step = (record: unknown) => {
    const kept = called("filter", judged, record as Input);
    return isPromise(kept) ? kept.then((yes) => (yes ? record : drop)) : kept ? record : drop;
  };
  return new Each("filter", step, options.deadLetters);
}
