/** Keeps the page up with the run: takes what the server sends and shows it. */

import { charts } from "./charts.js";
import { CAUSES, showFailures, showHeld, showLetters, showLimits, showLog, showStages } from "./lists.js";
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

/**
 * How much of the input is done with, of 1: of the bytes read, as large a part as of the records. Null where the input's
 * size is not known.
 *
 * @param {Update["report"]} report
 */
function progressOf(report) {
  if (report === null) return null;
  const { bytesRead, bytesTotal, read, unfinished } = report;
  if (bytesTotal === null || bytesTotal === 0 || read === 0) return null;
  return (Math.min(1, bytesRead / bytesTotal) * (read - unfinished)) / read;
}

/** @param {Update} update @param {Point[]} points @returns {Figure[]} */
function figuresOf({ report, state }, points) {
  if (report === null) return [];
  const over = state === "done" || state === "stopped";
  const { read, written, deadLettered, dropped, usage, cost, retries, rateLimited, requests } = report;
  const failed = { value: count(deadLettered), note: percent(read === 0 ? 0 : deadLettered / read) };
  const tokens = `${short(usage.inputTokens)} in, ${short(usage.outputTokens)} out`;
  return [
    {
      id: "written",
      label: "written",
      value: count(written),
      note: `of ${count(read)} read${also(dropped, "dropped")}`,
    },
    { id: "failed", label: "failed", ...failed, ...(deadLettered > 0 ? { tone: "bad" } : {}) },
    { id: "rate", label: "a minute", ...rateOf(report, points, over) },
    { id: "flight", ...flightOf(report, over) },
    {
      id: "requests",
      label: "requests",
      value: count(requests),
      note: `${count(retries)} retries, ${count(rateLimited)} told to wait`,
    },
    { id: "latency", label: "latency", ...latencyOf(report, points, over) },
    cost === null
      ? { id: "cost", label: "tokens in", value: short(usage.inputTokens), note: `${short(usage.outputTokens)} out` }
      : { id: "cost", label: "spent", value: money(cost), note: tokens },
  ];
}

/** @param {number} value @param {string} what */
const also = (value, what) => (value > 0 ? `, ${count(value)} ${what}` : "");

/** @typedef {NonNullable<Update["report"]>} RunReport */

/** @param {RunReport} report @param {Point[]} points @param {boolean} over */
function rateOf(report, points, over) {
  const { written, elapsedMs, cached } = report;
  const rate = over
    ? (written / Math.max(1, elapsedMs)) * 60_000
    : (perMinute(points, (point) => point.written).at(-1) ?? 0);
  const left = over ? "" : remaining(report);
  return { value: short(rate), note: left || (cached > 0 ? `${count(cached)} without a call` : "records written") };
}

/** @param {RunReport} report */
function remaining(report) {
  const part = progressOf(report);
  return part === null || part < 0.01 || part === 1 ? "" : `about ${time((report.elapsedMs * (1 - part)) / part)} left`;
}

/** @param {RunReport} report @param {boolean} over */
function flightOf({ inFlight, allowed, peakConcurrency, heldBy }, over) {
  if (over) return { label: "most at once", value: count(peakConcurrency), note: "calls in flight" };
  const held = heldBy === null || heldBy === "concurrency" ? "" : `; ${CAUSES[heldBy] ?? heldBy}`;
  return { label: "in flight", value: count(inFlight), note: `of ${count(allowed)} allowed${held}` };
}

/** @param {RunReport} report @param {Point[]} points @param {boolean} over */
function latencyOf({ latencyMs }, points, over) {
  const latency = over ? latencyMs : points.findLast((point) => point.latency !== null)?.latency;
  if (!latency) return { value: "–", note: "no answer yet" };
  return { value: time(latency.p50), note: `median; 95 % within ${time(latency.p95)}` };
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
    for (const [line, text] of [label, value, note].entries()) {
      const place = box.children[line];
      if (place) place.textContent = text;
    }
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
    showState(update.state, STATES[update.state] ?? update.state);
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
