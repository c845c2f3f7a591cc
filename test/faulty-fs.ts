/**
 * A file system that fails at the Nth operation on a folder: Node's own functions, wrapped. Imported by a test, or put before
 * a process with `--import` and told by its environment what to do.
 */

import fs from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { resolve } from "node:path";

export interface Fault {
  /** Only operations on paths in this folder count. */
  readonly under: string;
  /** Which of them fails, from 1. */
  readonly at: number;
  /** Only operations of this name count, as `rename out.ndjson.partial`. */
  readonly only?: string;
  /** How, as ENOSPC; `short`: a write takes only half of what it is given, and says so. */
  readonly code: string;
}

export interface Faulty {
  /** The operations so far, as `rename out.ndjson.partial`. */
  readonly operations: readonly string[];
  /** The one that failed. */
  fired: string | undefined;
  restore(): void;
}

const FUNCTIONS = [
  "access",
  "mkdir",
  "open",
  "readFile",
  "readlink",
  "realpath",
  "rename",
  "rm",
  "stat",
  "unlink",
  "writeFile",
] as const;
const METHODS = ["close", "datasync", "read", "stat", "sync", "truncate", "write"] as const;

type AnyFunction = (...args: never[]) => Promise<unknown>;

export function installFault({ under, at, code, only }: Fault): Faulty {
  const promises = fs.promises as unknown as Record<string, AnyFunction>;
  const originals = FUNCTIONS.map((name) => [name, promises[name] as AnyFunction] as const);
  const operations: string[] = [];
  const faulty: Faulty = {
    operations,
    fired: undefined,
    restore() {
      for (const [name, original] of originals) promises[name] = original;
      syncBuiltinESMExports();
    },
  };
  /** Whether this operation is the one. */
  const falls = (name: string, path: string): boolean => {
    if (path !== under && !path.startsWith(`${under}/`)) return false;
    const told = `${name} ${path.slice(under.length + 1)}`;
    if ((code === "short" && name !== "write") || (only !== undefined && only !== told)) return false;
    if (operations.push(told) !== at) return false;
    faulty.fired = told;
    return true;
  };
  const error = (name: string, path: string) =>
    Object.assign(new Error(`${code}: injected, ${name} '${path}'`), { code, syscall: name, path });
  for (const [name, original] of originals) {
    promises[name] = async (...args: never[]) => {
      const path = resolve(String(args[0]));
      if (falls(name, path)) throw error(name, path);
      const made = await original(...args);
      return name === "open" ? wrapped(made as FileHandle, path) : made;
    };
  }
  const wrapped = (handle: FileHandle, path: string): FileHandle => {
    const methods = handle as unknown as Record<string, AnyFunction>;
    for (const name of METHODS) {
      const original = (methods[name] as AnyFunction).bind(handle);
      methods[name] = async (...args: never[]) => {
        if (!falls(name, path)) return original(...args);
        // A close that fails has closed; a write that fails has written some.
        if (name === "close") await original();
        if (name === "write") {
          const [bytes, from = 0] = args as unknown as [Uint8Array, number?];
          const half = Math.ceil((bytes.length - from) / 2);
          const written = await original(...([bytes, from, half] as unknown as never[]));
          if (code === "short") return written;
        }
        throw error(name, path);
      };
    }
    return handle;
  };
  syncBuiltinESMExports();
  return faulty;
}

const told = process.env.MILLRACE_TEST_FAULT;
if (told !== undefined) {
  const { report, ...fault } = JSON.parse(told) as Fault & { readonly report: string };
  const faulty = installFault(fault);
  process.on("exit", () => fs.writeFileSync(report, faulty.fired ?? ""));
}
