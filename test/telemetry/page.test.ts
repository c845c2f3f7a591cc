/** The live page in a real browser. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import type { RunReport } from "../../src/index.ts";
import { articles, environment, folder, KEY, simulator, writeLines } from "../support.ts";
import { launch } from "./browser.ts";
import { publishDeadLetter, serving, standing } from "./support.ts";

const browser = await launch().catch((error: Error) => {
  console.warn(`NOT TRIED: the live page in a browser, since none starts here; to have it tried, ${error.message}`);
});

afterAll(() => browser?.close());

const LOOKS = [
  { name: "a desktop, light", viewport: { width: 1_360, height: 900 }, colorScheme: "light" },
  { name: "a phone, dark", viewport: { width: 360, height: 740 }, colorScheme: "dark" },
] as const;

/** A page, what went wrong on it, and which hosts it asked. */
async function opened(url: string, look: Omit<(typeof LOOKS)[number], "name"> = LOOKS[0]) {
  const context = await (browser as Browser).newContext({ ...look, locale: "en-GB" });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const faults: string[] = [];
  const hosts = new Set<string>();
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("dialog", (dialog) => faults.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => hosts.add(new URL(request.url()).host));
  await page.goto(url);
  return { page, faults, hosts };
}

/** The big numbers, by their names. */
const figures = (page: Page): Promise<Record<string, string>> =>
  page.$$eval("[data-figure]", (boxes) =>
    Object.fromEntries(boxes.map((box) => [box.getAttribute("data-figure") ?? "", box.children[1]?.textContent ?? ""])),
  );

const state = (page: Page, want: string) => page.waitForSelector(`#state[data-state="${want}"]`, { timeout: 60_000 });

const SCRIPT = `<script>window.broken=1;alert("x")</script><img src=x onerror="window.broken=1">`;
const TURNED = "\u202eright to left\u2066";

/** A file whose name is a script, lines of it that are broken in many ways, and titles that would break a page. */
function hostile(cwd: string): string {
  const name = `in ${SCRIPT.replaceAll("/", "_")} ${TURNED}.ndjson`;
  const lines = articles(40, 20).map((article, at) => ({
    ...article,
    title: [SCRIPT, TURNED, "w".repeat(10_000), `${SCRIPT}&amp;"'`][at % 4],
  }));
  writeLines(join(cwd, name), [SCRIPT, ...lines, { id: SCRIPT, title: SCRIPT }, '{"a":1', "w".repeat(10_000)]);
  return name;
}

describe.skipIf(browser === undefined)("the page", () => {
  test("of a run on hostile input ends with the report's numbers, runs nothing of it, and asks no other host", async () => {
    const faults = { error500: 0.1, rateLimit429: 0.1, wrongSchema: 0.05 };
    const server = await simulator({ latency: 250, seed: 5, faults });
    const cwd = folder();
    const name = hostile(cwd);
    const args = ["analyze", name, "-o", "out.ndjson", "-c", "4", "--report", "report.json", "--max-failures", "100%"];
    const run = await serving(args, { cwd, env: environment(server.url, "anthropic") });
    const { page, faults: wrong, hosts } = await opened(run.url);
    await state(page, "running");
    await state(page, "done");
    const { code } = await run.ended;
    expect(code).toBe(0);
    const report = JSON.parse(readFileSync(join(cwd, "report.json"), "utf8")) as RunReport;
    const shown = await figures(page);
    const number = (value: number) => value.toLocaleString("en-US");
    expect(shown).toMatchObject({
      written: number(report.written),
      failed: number(report.deadLettered),
      requests: number(report.requests),
      flight: number(report.peakConcurrency),
    });
    expect(report.requests).toBe((await server.stats()).requests);
    expect(report.deadLettered).toBe(4);
    expect(await page.locator("#letters tr").count()).toBe(4);
    const letters = (await page.textContent("#letters")) ?? "";
    expect(letters).toContain("<script>window.broken=1");
    // What would turn the text is written out.
    expect(letters).toContain("\\u202eright to left");
    expect(letters).not.toContain("\u202e");
    const text = (await page.textContent("body")) ?? "";
    expect(text).not.toContain(KEY);
    expect(text).not.toContain("several plain words");
    expect(await page.evaluate("window.broken")).toBeUndefined();
    expect(await page.locator("body script, body img").count()).toBe(0);
    expect([...hosts]).toEqual([new URL(run.url).host]);
    // The server is gone by now; the page knows, and does not take it for a fault.
    await page.waitForTimeout(3_000);
    expect(wrong).toEqual([]);
    expect(await page.textContent("#state")).toBe("finished");
  });

  for (const { name, ...look } of LOOKS) {
    test(`on ${name}, is as wide as the screen, with much data or none, and can be read`, async () => {
      const { dashboard, go, run } = await standing(folder());
      const empty = await opened(dashboard.url, look);
      await state(empty.page, "running");
      expect(await wider(empty.page)).toEqual([]);
      const source = { file: "w".repeat(2_000), line: 1, byteOffset: 0 };
      for (let letter = 0; letter < 60; letter++) {
        publishDeadLetter(() => ({
          stage: "read",
          code: "invalid_json",
          message: "w".repeat(2_000),
          status: 500,
          attempts: 6,
          source,
          time: Date.now(),
        }));
      }
      await empty.page.waitForSelector("#letters tr:nth-child(50)");
      expect(await wider(empty.page)).toEqual([]);
      expect(await faint(empty.page)).toEqual([]);
      expect(empty.faults).toEqual([]);
      go();
      await dashboard.end({ report: await run.done, error: undefined });
      await state(empty.page, "done");
    });
  }

  test("says that the run was stopped, and why", async () => {
    const { dashboard, go, run } = await standing(folder());
    const { page, faults } = await opened(dashboard.url);
    await state(page, "running");
    go();
    const report = await run.done;
    await dashboard.end({ report, error: { message: `Because of ${SCRIPT}` } });
    await state(page, "stopped");
    expect(await page.textContent("#notice")).toBe(`Because of ${SCRIPT}`);
    expect(faults).toEqual([]);
  });

  test("says that a server has vanished, and takes up with the next one on its port from its beginning", async () => {
    const server = await simulator({ latency: 60_000 });
    const cwd = folder();
    writeLines(join(cwd, "in.ndjson"), ["{broken", ...articles(3)]);
    const lost = await serving(["analyze", "in.ndjson", "-o", "a.ndjson"], {
      cwd,
      env: environment(server.url, "openai"),
    });
    const { page } = await opened(lost.url);
    await state(page, "running");
    await page.waitForSelector("#letters b");
    lost.child.kill("SIGKILL");
    await state(page, "lost");
    const { run, go } = await standing(cwd, Number(new URL(lost.url).port));
    await state(page, "running");
    expect(await page.textContent("#letters")).toBe("None.");
    go();
    await run.done;
  });
});

/** Elements that stick out of the page to the right. */
const wider = (page: Page): Promise<string[]> =>
  page.evaluate(`(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > width + 1).map((one) => one.tagName + "." + one.className);
  })()`);

/** Texts whose colour stands out from the page's by less than 4.5 to 1 (WCAG AA). */
const faint = (page: Page): Promise<string[]> =>
  page.evaluate(`(() => {
    const light = (text) => {
      const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255).map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (one) => {
      for (let at = one; at; at = at.parentElement) {
        const { backgroundColor } = getComputedStyle(at);
        if (!/, 0\\)$|transparent/.test(backgroundColor)) return backgroundColor;
      }
      return "rgb(255, 255, 255)";
    };
    const texts = [...document.querySelectorAll("body *")].filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""));
    return texts.filter((one) => {
      const [a, b] = [light(getComputedStyle(one).color), light(behind(one))];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
    }).map((one) => one.tagName + ": " + one.textContent.slice(0, 40));
  })()`);
