/** The options of `estimate`: those of a run that it heeds, and its own. */

import { type OptionSpec, RUN_OPTIONS } from "./options.ts";

/** What it heeds, by the names. */
const OF_ESTIMATE: ReadonlySet<string> = new Set(
  "from path map prompt schema limit skip provider model base-url rpm itpm otpm tpm max-output-tokens temperature store fresh config print-config".split(
    " ",
  ),
);

const OWN_OF_ESTIMATE: readonly OptionSpec[] = [
  { flags: "--full", help: "count the tokens of every record, not of a sample" },
  { flags: "--json", help: "as one JSON object" },
];

const nameOf = ({ flags }: OptionSpec): string => /--(?:no-)?([a-z-]+)/.exec(flags)?.[1] ?? flags;

/** The rest is taken too, so that the command line of a run can be estimated by changing its first word; it means nothing here. */
export const ESTIMATE_OPTIONS: readonly (OptionSpec & { readonly idle?: boolean })[] = [
  ...RUN_OPTIONS.filter((spec) => !OWN_OF_ESTIMATE.some((own) => nameOf(own) === nameOf(spec))).map((spec) => ({
    ...spec,
    idle: !OF_ESTIMATE.has(nameOf(spec)),
  })),
  ...OWN_OF_ESTIMATE,
];
