/** The tables and lists below the charts. All text goes in as text. */

import { limitNames } from "./series.js";
import { count, moment, percent, spaced, time, visible } from "./words.js";

/** @typedef {import("../../report.ts").RunReport} RunReport */
/** @typedef {import("../course.ts").Letter} Letter */
/** @typedef {import("../wording.ts").LogLine} LogLine */

/** Rows of a list at most. */
const MOST_ROWS = 12;

/** @param {string} tag @param {string} text @param {string} [name] */
function node(tag, text, name) {
  const made = document.createElement(tag);
  if (name !== undefined) made.className = name;
  made.textContent = text;
  return made;
}

/** A text of others, kept from turning its surroundings. @param {string} tag @param {string} text @param {string} [name] */
function foreign(tag, text, name) {
  const made = node(tag, "", name);
  made.append(node("bdi", visible(text)));
  return made;
}

/**
 * Names with a bar each.
 *
 * @param {HTMLElement} place
 * @param {{ name: string, part: number, text: string, note?: string }[]} rows part: of 1
 * @param {string} none said when there is none
 */
function meters(place, rows, none) {
  if (rows.length === 0) {
    place.replaceChildren(node("li", none, "quiet"));
    return;
  }
  place.replaceChildren(
    ...rows.slice(0, MOST_ROWS).map(({ name, part, text, note }) => {
      const row = node("li", "");
      const bar = node("span", "", "meter");
      bar.style.setProperty("--part", String(Math.max(0, Math.min(1, part))));
      if (part > 1) bar.classList.add("over");
      row.append(foreign("span", name, "label"), node("b", text), bar);
      if (note !== undefined) row.append(node("small", note, "quiet"));
      return row;
    }),
  );
}

/** @param {HTMLElement} place @param {RunReport["limits"]} limits */
export function showLimits(place, limits) {
  const nameOf = (/** @type {RunReport["limits"][number]} */ { provider, lane, kind, from }) =>
    [provider, lane, kind, from].join("/");
  const named = limitNames(limits.map(nameOf));
  const rows = limits.map((limit) => ({
    name: named(nameOf(limit)),
    part: limit.used,
    text: percent(limit.used),
    note: `${count(limit.perMinute)} a minute; ${count(limit.spent)} taken${limit.used > 1 ? ", more at first" : ""}`,
  }));
  meters(place, rows, "The provider has told none.");
}

/** @param {HTMLElement} place @param {Readonly<Record<string, number>>} heldBackMs */
export function showHeld(place, heldBackMs) {
  const held = Object.entries(heldBackMs).filter(([, ms]) => ms >= 1);
  const most = Math.max(...held.map(([, ms]) => ms));
  const rows = held
    .sort(([, a], [, b]) => b - a)
    .map(([cause, ms]) => ({ name: CAUSES[cause] ?? cause, part: ms / most, text: time(ms) }));
  meters(place, rows, "Nothing so far.");
}

/** @type {Readonly<Record<string, string>>} */
export const CAUSES = {
  requests: "limit on requests",
  input: "limit on input tokens",
  output: "limit on output tokens",
  tokens: "limit on tokens",
  pace: "pace found by refusals",
  pause: "pause after refusals",
  outage: "outage",
  concurrency: "calls in flight",
};

/** @param {HTMLElement} place @param {RunReport} report */
export function showFailures(place, { failures, deadLettered }) {
  const rows = Object.entries(failures)
    .sort(([, a], [, b]) => b - a)
    .map(([code, times]) => ({ name: spaced(code), part: times / deadLettered, text: count(times) }));
  meters(place, rows, "No record has failed.");
}

/** @param {HTMLElement} place @param {readonly Letter[]} letters oldest first */
export function showLetters(place, letters) {
  if (letters.length === 0) {
    const cell = /** @type {HTMLTableCellElement} */ (node("td", "None.", "quiet"));
    cell.colSpan = 4;
    const row = node("tr", "");
    row.append(cell);
    place.replaceChildren(row);
    return;
  }
  place.replaceChildren(
    ...letters.toReversed().map(({ time: at, code, message, status, attempts, stage, where }) => {
      const row = node("tr", "");
      const tries = attempts === 0 ? "" : attempts === 1 ? "1 attempt" : `${attempts} attempts`;
      const facts = [status === null ? "" : `status ${status}`, tries].filter((fact) => fact !== "").join(", ");
      const what = node("td", "");
      what.append(node("b", spaced(code)), node("small", facts, "quiet"));
      const place = node("td", "");
      place.append(foreign("span", where ?? "–", "where"), foreign("small", stage, "quiet"));
      row.append(node("td", moment(at), "when"), what, place, foreign("td", message, "why"));
      return row;
    }),
  );
}

/** @param {HTMLElement} place @param {readonly LogLine[]} lines oldest first */
export function showLog(place, lines) {
  if (lines.length === 0) {
    place.replaceChildren(node("li", "None so far.", "quiet"));
    return;
  }
  place.replaceChildren(
    ...lines.toReversed().map(({ time: at, who, weight, text }) => {
      const row = node("li", "", weight);
      row.append(node("time", moment(at), "when"), foreign("span", who, "who"), foreign("span", text));
      return row;
    }),
  );
}

/** @param {HTMLElement} place @param {RunReport["stages"]} stages */
export function showStages(place, stages) {
  place.replaceChildren(
    ...stages.map(({ name, in: took, out, dropped, deadLettered }) => {
      const row = node("tr", "");
      const head = foreign("th", name);
      head.setAttribute("scope", "row");
      row.append(head, ...[took, out, dropped, deadLettered].map((value) => node("td", count(value), "number")));
      return row;
    }),
  );
}
