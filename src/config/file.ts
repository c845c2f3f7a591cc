/** A configuration file: found, read within bounds, and taken for what it says. */

import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { failure } from "../errors.ts";
import type { Configuration } from "./configuration.ts";
import { parseYaml } from "./yaml.ts";

/** The file that is read when none is named. */
export const CONFIG_FILE = "millrace.yaml";

/** Bytes. A configuration with prices for a thousand models has 100 kB. */
const LARGEST = 256 * 1024;

/** The path of the file to read: the named one, or the folder's own; undefined when there is none. */
export function configFile(named: string | undefined, cwd: string): string | undefined {
  if (named !== undefined) return named;
  return existsSync(join(cwd, CONFIG_FILE)) ? CONFIG_FILE : undefined;
}

/** @throws ConfigurationError for a file that is missing, too large, no UTF-8 or no configuration */
export function readConfigFile(path: string): Configuration {
  return parseYaml(textOf(path), path);
}

function textOf(path: string): string {
  const bytes = bytesOf(path);
  if (bytes.length > LARGEST) {
    throw failure("invalid_option", `${path} is no configuration: it has more than ${LARGEST / 1024} kB.`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw failure("invalid_option", `${path} is not UTF-8. Save it as that.`, { cause });
  }
}

/** Read piece by piece, since a device or a pipe does not say how much it holds. */
function bytesOf(path: string): Buffer {
  try {
    const file = openSync(path, "r");
    try {
      const bytes = Buffer.alloc(LARGEST + 1);
      let length = 0;
      for (let got = -1; got !== 0 && length < bytes.length; length += got) {
        got = readSync(file, bytes, length, bytes.length - length, null);
      }
      return bytes.subarray(0, length);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = { ENOENT: "there is no such file", EISDIR: "it is a folder" }[code ?? ""] ?? message;
    throw failure("invalid_option", `The configuration ${path} cannot be read: ${why}.`, { cause });
  }
}
