/** Numbers and texts as people read them: pure. */

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const clockless = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** @param {number | null | undefined} value */
export const count = (value) => (value === null || value === undefined ? "–" : whole.format(value));

/** @param {number} value */
export const short = (value) => (Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value));

/** @param {number} value in US dollars */
export function money(value) {
  const digits = value !== 0 && value < 1 ? 4 : 2;
  return `$${value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

/** @param {number} ms */
export function time(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${String(Math.floor(seconds % 60)).padStart(2, "0")}s`;
  return `${Math.floor(minutes / 60)}h ${String(minutes % 60).padStart(2, "0")}m`;
}

/** @param {number} part of 1 */
export const percent = (part) => {
  const value = part * 100;
  return `${value > 0 && value < 10 ? value.toFixed(1) : whole.format(value)} %`;
};

/** @param {number} bytes */
export const size = (bytes) => (bytes < 1e9 ? `${whole.format(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);

/** @param {number} ms since the epoch */
export const moment = (ms) => clock.format(ms);

/** @param {number} ms since the epoch */
export const minute = (ms) => clockless.format(ms);

/** A code of ours, as words. @param {string} code */
export const spaced = (code) => code.replaceAll("_", " ");

// What would turn the text around it, or cannot be seen.
const UNSEEN = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** A text of others, with what cannot be seen in it written out. @param {string} text */
export const visible = (text) =>
  text.replace(UNSEEN, (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
