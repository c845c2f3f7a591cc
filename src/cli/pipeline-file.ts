/** A pipeline file, loaded so that its `import "millrace"` means the millrace that runs it. */

import { existsSync } from "node:fs";
import { registerHooks } from "node:module";
import { relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { failure, isMillraceError } from "../errors.ts";
import type { PipelineDefinition } from "../pipeline.ts";

/** Beside this file's folder, as it is written or as it is built. */
const own = new URL(import.meta.url.endsWith(".ts") ? "../index.ts" : "../index.js", import.meta.url).href;

/**
 * One instance only: a second copy, found by the file's own folder, would not know this one's streams; and a file
 * outside any project would find none at all. And whatever the nearest package.json says of `.js` files, TypeScript that
 * imports millrace is a module.
 */
function hook(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === "millrace") return { url: own, shortCircuit: true };
      const found = next(specifier, context);
      const typescript = found.url.endsWith(".ts") && !found.url.includes("/node_modules/");
      return typescript ? { ...found, format: "module-typescript" } : found;
    },
  });
}

/** What a file of the user's own threw, and in which line: `TypeError: … (mine.ts:12)`. */
export function thrown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [, file, line] = /(?:^|file:\/\/)(\/[^\s()]+\.[cm]?[jt]s):(\d+)/m.exec(error.stack ?? "") ?? [];
  const where = file === undefined ? "" : ` (${relative("", decodeURI(file))}:${line})`;
  return `${error.name}: ${error.message}${where}`;
}

/** @throws ConfigurationError when the file cannot be loaded or exports no pipeline. */
export async function loadPipeline(path: string): Promise<PipelineDefinition> {
  const file = resolve(path);
  if (!existsSync(file)) throw failure("invalid_option", `There is no pipeline file ${path}.`);
  hook();
  let loaded: { readonly default?: Partial<PipelineDefinition> };
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (cause) {
    if (isMillraceError(cause)) throw cause;
    throw failure("invalid_option", `The pipeline file ${path} could not be loaded: ${thrown(cause)}`, { cause });
  }
  if (typeof loaded.default?.stages !== "function") {
    throw failure("invalid_option", `${path} exports no pipeline. Its default export must be definePipeline({ … }).`);
  }
  return loaded.default as PipelineDefinition;
}
