/** A folder, and those above it that are not there yet. */

import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Not Node's own recursive `mkdir`: where a file system says ENOENT of a folder whose parent is there, as Linux's /proc does,
 * that tries for ever, on a thread (or, in its blocking form, in a process) that nothing ends but a kill.
 *
 * @param mode of each folder that is made
 * @returns whether the last one was made @throws the system's error, with its `code`
 */
export async function makeFolder(path: string, mode = 0o777): Promise<boolean> {
  const parent = dirname(path);
  try {
    return await makeOne(path, mode);
  } catch (error) {
    if (parent === path || (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  await makeFolder(parent, mode);
  return makeOne(path, mode);
}

/** Where the folder is already, or another has just made it, it does not matter why this one could not. */
async function makeOne(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, mode);
    return true;
  } catch (error) {
    const found = await stat(path).catch((fault: NodeJS.ErrnoException) => {
      throw fault.code === "ENOENT" ? error : fault;
    });
    if (found.isDirectory()) return false;
    throw error;
  }
}
