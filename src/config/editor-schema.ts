/** The JSON Schema of millrace.yaml, by which editors complete and check it. Made from the declaration of the options. */

import { LEGACY, LEGACY_SCHEMA } from "./legacy.ts";
import { SETTINGS, type Setting } from "./settings.ts";

/** Draft 7 is what the YAML extensions of editors know. */
const DRAFT = "http://json-schema.org/draft-07/schema#";

/** Accepts what the reader accepts, but for what a schema cannot say: that a time is no longer than 24 days. */
export function editorSchema(): object {
  return {
    $schema: DRAFT,
    title: "millrace.yaml",
    description: "The configuration of millrace. Flags and MILLRACE_ variables go before it.",
    type: "object",
    properties: {
      ...Object.fromEntries(
        SETTINGS.map((setting) => [setting.key, { description: described(setting), ...setting.schema }]),
      ),
      api: LEGACY_SCHEMA,
    },
    additionalProperties: false,
    allOf: Object.entries(LEGACY).map(([name, { key }]) => ({ not: both(key, name) })),
  };
}

const described = ({ spec }: Setting): string =>
  spec.fallback === undefined ? spec.help : `${spec.help}\n\nDefault: ${spec.fallback}`;

/** A setting under its new and its old name. */
const both = (key: string, name: string): object => ({
  required: [key, "api"],
  properties: { api: { type: "object", required: [name] } },
});
