/** How many calls at once the process can carry. */

/** More at once than any provider allows one client. */
const MOST_CALLS = 1_000;

/** Files and sockets that are not calls. */
const OTHER_FILES = 64;

let most: number | undefined;

/** `auto` goes up to this: a call is a socket, and a socket is an open file. */
export function mostCalls(): number {
  most ??= Math.max(1, Math.min(MOST_CALLS, openFiles() - OTHER_FILES));
  return most;
}

function openFiles(): number {
  // Its report is the one place where Node tells the process's limits. Without the network part it takes some 10 ms.
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  const told = report.getReport() as { readonly userLimits?: { readonly open_files?: { readonly soft: unknown } } };
  report.excludeNetwork = before ?? false;
  const soft = told.userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : Number.POSITIVE_INFINITY;
}
