/** The house's arrows: which room may know which. The picture is in src/README.md. */

import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "./support.ts";

/** Files at the root of src that any room may know. */
const GROUND = [
  "load",
  "folder",
  "missing",
  "fields",
  "template",
  "errors",
  "record",
  "usage",
  "options",
  "json",
  "utf8",
  "formats",
  "warn",
  "budget",
];

/** What each room may import besides itself and the ground. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(GROUND.map((file) => [file, []])),
  stage: ["events"],
  report: ["stage"],
  limits: [],
  events: ["limits"],
  http: [],
  analysis: [],
  simulator: [],
  store: [],
  providers: ["limits", "http", "analysis"],
  client: ["providers", "limits", "store", "events", "stage"],
  transforms: ["client", "providers", "limits", "analysis", "stage", "events"],
  sources: ["stage"],
  sinks: ["stage"],
  config: ["providers"],
  stages: ["sources", "transforms", "sinks", "stage"],
  pipeline: ["stages", "report", "stage", "providers"],
  telemetry: ["events", "report"],
  articles: ["pipeline", "report", "transforms", "client", "providers", "limits", "analysis", "config"],
  index: [
    "articles",
    "pipeline",
    "report",
    "stage",
    "sources",
    "transforms",
    "sinks",
    "client",
    "providers",
    "analysis",
    "telemetry",
  ],
  estimate: ["analysis", "client", "limits", "providers", "store"],
  cli: [
    "events",
    "index",
    "config",
    "pipeline",
    "providers",
    "report",
    "simulator",
    "sources",
    "sinks",
    "store",
    "telemetry",
    "transforms",
    "estimate",
  ],
};

const IMPORT = /(?:from|import)\s*\(?\s*"(\.[^"]+)"/g;

const roomOf = (path: string): string => path.split("/")[0]?.replace(/\.ts$/, "") ?? path;

function arrows(): { from: string; to: string; file: string }[] {
  const source = join(ROOT, "src");
  return globSync("**/*.ts", { cwd: source }).flatMap((file) => {
    const text = readFileSync(join(source, file), "utf8");
    return [...text.matchAll(IMPORT)].map(([, path = ""]) => {
      const to = roomOf(normalize(join(dirname(file), path)));
      return { from: roomOf(file), to, file };
    });
  });
}

describe("the house", () => {
  test("has no arrow that its picture does not show", () => {
    const wrong = arrows().filter(
      ({ from, to }) => from !== to && !GROUND.includes(to) && !ALLOWED[from]?.includes(to),
    );
    expect(wrong).toEqual([]);
  });

  test("has a place in the picture for every room and no place for one that is gone", () => {
    const rooms = new Set(globSync("**/*.ts", { cwd: join(ROOT, "src") }).map(roomOf));
    expect([...rooms].sort()).toEqual(Object.keys(ALLOWED).sort());
  });

  test("keeps its files under 300 lines", () => {
    const long = globSync("{src,pipelines}/**/*.{ts,js}", { cwd: ROOT }).filter(
      (file) => readFileSync(join(ROOT, file), "utf8").split("\n").length > 301,
    );
    expect(long).toEqual([]);
  });
});
