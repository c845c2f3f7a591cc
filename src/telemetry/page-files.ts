/** The files of the page: its own, and the chart library's out of its package. Read once, so that no path is ever looked up for a request. */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface PageFile {
  readonly type: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** The page is not compiled: it lies in `src` for the built package too. */
const FOLDER = fileURLToPath(new URL("../../src/telemetry/page/", import.meta.url));

const HTML = "text/html; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";
const ICON = "image/svg+xml";

const OWN = [
  ["/", "index.html", HTML],
  ["/page.css", "page.css", STYLE],
  ["/page.js", "page.js", SCRIPT],
  ["/charts.js", "charts.js", SCRIPT],
  ["/series.js", "series.js", SCRIPT],
  ["/lists.js", "lists.js", SCRIPT],
  ["/words.js", "words.js", SCRIPT],
  ["/icon.svg", "icon.svg", ICON],
] as const;

const CHARTS = [
  ["/uplot.js", "uplot/dist/uPlot.esm.js", SCRIPT],
  ["/uplot.css", "uplot/dist/uPlot.min.css", STYLE],
] as const;

/** By their paths. */
export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const { resolve } = createRequire(import.meta.url);
  const places = [
    ...OWN.map(([path, name, type]) => ({ path, type, place: join(FOLDER, name) })),
    ...CHARTS.map(([path, name, type]) => ({ path, type, place: resolve(name) })),
  ];
  const read = async ({ path, type, place }: (typeof places)[number]) =>
    [path, { type, body: new Uint8Array(await readFile(place)) }] as const;
  return new Map(await Promise.all(places.map(read)));
}
