/** Keeps the page up with the run: takes what the server sends and shows it. */

import { charts } from "./charts.js";
import { showFailures, showHeld, showLetters, showLimits, showLog, showStages } from "./lists.js";
import { perMinute } from "./series.js";
import { count, money, percent, short, time, visible } from "./words.js";

/** @typedef {import("../dashboard.ts").Update} Update */
/** @typedef {import("../course.ts").Point} Point */
/** @typedef {import("../course.ts").Letter} Letter */
/** @typedef {import("../wording.ts").LogLine} LogLine */
/** @typedef {{ label: string, value: string, note: string, tone?: string, id: string }} Figure */

/** As many as the server keeps. */
const MOST_LETTERS = 50;
const MOST_LINES = 200;

/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const showCharts = charts(at("charts"));

/** What has come so far. @type {{ points: Point[], letters: Letter[], log: LogLine[], update: Update | undefined }} */
const held = { points: [], letters: [], log: [], update: undefined };

/** @param {Update} update */
function take(update) {
  held.points = [...held.points.slice(0, update.from), ...update.points];
  held.letters = [...held.letters, ...update.letters].slice(-MOST_LETTERS);
  held.log = [...held.log, ...update.log].slice(-MOST_LINES);
  held.update = update;
  if (!document.hidden) show();
}

function show() {
  const { update, points } = held;
  if (update === undefined) return;
  at("title").textContent = visible(update.title);
  showNotice(update);
  const { report } = update;
  if (report === null) return;
  document.title = `${count(report.written)} written – millrace`;
  at("clock").textContent = time(report.elapsedMs);
  showBar(update);
  showFigures(figuresOf(update, points));
  showCharts(points);
  showLimits(at("limits"), report.limits);
  showHeld(at("held"), report.heldBackMs);
  showFailures(at("failures"), report);
  showLetters(at("letters"), held.letters);
  showLog(at("log"), held.log);
  showStages(at("stages"), report.stages);
}

/** @param {Update} update */
function showNotice({ why }) {
  at("notice").hidden = why === null;
  at("notice").textContent = why === null ? "" : visible(why);
}

/** @param {Update} update */
function showBar({ report, state }) {
  const part = state === "done" ? 1 : progressOf(report);
  at("bar").hidden = part === null;
  if (part === null) return;
  const shown = Math.round(part * 1_000) / 10;
  at("bar").style.setProperty("--part", String(part));
  at("bar").setAttribute("aria-valuenow", String(shown));
}

/** How much of the input is read, of 1; null where its size is not known. @param {Update["report"]} report */
function progressOf(report) {
  if (report === null) return null;
  const { bytesRead, bytesTotal } = /** @type {{ bytesRead?: number, bytesTotal?: number | null }} */ (report);
  return bytesRead && bytesTotal ? Math.min(1, bytesRead / bytesTotal) : null;
}

/** @param {Update} update @param {Point[]} points @returns {Figure[]} */
function figuresOf({ report, state }, points) {
  if (report === null) return [];
  const over = state === "done" || state === "stopped";
  const { read, written, deadLettered, dropped, usage, cost, retries, rateLimited, requests, elapsedMs } = report;
  const newest = points.at(-1);
  const rate = over ? (written / elapsedMs) * 60_000 : (perMinute(points, (point) => point.written).at(-1) ?? 0);
  const latency = points.findLast((point) => point.latency !== null)?.latency;
  const tokens = `${short(usage.inputTokens)} in, ${short(usage.outputTokens)} out`;
  return [
    {
      id: "written",
      label: "written",
      value: count(written),
      note: `of ${count(read)} read${dropped > 0 ? `, ${count(dropped)} dropped` : ""}`,
    },
    {
      id: "failed",
      label: "failed",
      value: count(deadLettered),
      note: percent(read === 0 ? 0 : deadLettered / read),
      tone: deadLettered > 0 ? "bad" : undefined,
    },
    {
      id: "rate",
      label: over ? "a minute, on the whole" : "a minute",
      value: short(rate),
      note: remaining(report, state),
    },
    over
      ? { id: "flight", label: "most at once", value: count(report.peakConcurrency), note: "calls in flight" }
      : {
          id: "flight",
          label: "in flight",
          value: count(newest?.inFlight ?? 0),
          note: `of ${count(newest?.allowed ?? 0)} allowed`,
        },
    {
      id: "requests",
      label: "requests",
      value: count(requests),
      note: `${count(retries)} retries, ${count(rateLimited)} told to wait`,
    },
    {
      id: "latency",
      label: "half within",
      value: latency ? time(latency.p50) : "–",
      note: latency ? `95 % within ${time(latency.p95)}` : "no answer yet",
    },
    cost === null
      ? { id: "cost", label: "tokens in", value: short(usage.inputTokens), note: `${short(usage.outputTokens)} out` }
      : { id: "cost", label: "spent", value: money(cost), note: tokens },
  ];
}

/** @param {NonNullable<Update["report"]>} report @param {Update["state"]} state */
function remaining(report, state) {
  const part = progressOf(report);
  if (state !== "running" || part === null || part < 0.01)
    return report.cached > 0 ? `${count(report.cached)} without a call` : "records written";
  return `about ${time((report.elapsedMs * (1 - part)) / part)} left`;
}

/** @param {Figure[]} figures */
function showFigures(figures) {
  const place = at("figures");
  while (place.children.length < figures.length) {
    const box = document.createElement("div");
    for (const tag of ["dt", "dd", "dd"]) box.append(document.createElement(tag));
    place.append(box);
  }
  for (const [index, { id, label, value, note, tone }] of figures.entries()) {
    const box = /** @type {HTMLElement} */ (place.children[index]);
    box.dataset.figure = id;
    box.dataset.tone = tone ?? "";
    const [term, number, more] = box.children;
    term.textContent = label;
    number.textContent = value;
    more.textContent = note;
  }
}

/** @type {Readonly<Record<string, string>>} */
const STATES = { waiting: "starting", running: "running", done: "finished", stopped: "stopped" };

/** @param {string} state @param {string} text */
function showState(state, text) {
  const place = at("state");
  if (place.dataset.state === state && place.textContent === text) return;
  place.dataset.state = state;
  place.textContent = text;
}

function connect() {
  const events = new EventSource("/events");
  let first = true;
  events.addEventListener("open", () => {
    first = true;
  });
  const hear = (/** @type {MessageEvent<string>} */ { data }) => {
    const update = /** @type {Update} */ (JSON.parse(data));
    // After a break all comes again.
    if (first) Object.assign(held, { points: [], letters: [], log: [] });
    first = false;
    take(update);
    showState(update.state, STATES[update.state]);
  };
  events.addEventListener("state", hear);
  events.addEventListener("end", (event) => {
    hear(event);
    // The server is gone now, as it should be.
    events.close();
  });
  events.addEventListener("error", () => {
    if (events.readyState !== EventSource.CLOSED) {
      showState("lost", "connection lost, trying again");
      return;
    }
    showState("lost", "not to be had, trying again");
    setTimeout(connect, 10_000);
  });
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) show();
});

connect();
