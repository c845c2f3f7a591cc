/** How long a server asks to wait. Strict grammars: what is not understood is undefined, never guessed. */

/** A `Headers`, or anything that looks up a header by its lower-case name. */
export interface HeaderReader {
  get(name: string): string | null;
}

/** Digits with an optional fraction: RFC 9110 allows whole seconds only, servers send fractions too. */
const DECIMAL = /^\d+(?:\.\d+)?$/;

/** The three forms of an HTTP date that RFC 9110, section 5.6.7, obliges a recipient to read. */
const IMF_FIXDATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const RFC_850 = /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/;
const ASCTIME = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/;

/**
 * The wait that the answer's headers name, in whole ms from when it arrived: `retry-after-ms` (the vendors' own) before
 * `retry-after` (RFC 9110, section 10.2.3). A date in the past is 0; no wait is too long.
 *
 * @param now ms since the epoch; stands in for the answer's own `date`, against which a date is measured where it is
 * given, so that a wrong clock on either side does not matter
 */
export function retryAfterMs(headers: HeaderReader, now: number): number | undefined {
  return decimal(headers.get("retry-after-ms"), 1) ?? retryAfter(headers, now);
}

function retryAfter(headers: HeaderReader, now: number): number | undefined {
  const value = headers.get("retry-after");
  const seconds = decimal(value, 1_000);
  if (seconds !== undefined) return seconds;
  const until = httpDate(value);
  return until === undefined ? undefined : Math.max(0, until - (httpDate(headers.get("date")) ?? now));
}

function decimal(value: string | null, unit: number): number | undefined {
  const text = value?.trim() ?? "";
  return DECIMAL.test(text) ? Math.min(Math.ceil(Number(text) * unit), Number.MAX_SAFE_INTEGER) : undefined;
}

function httpDate(value: string | null): number | undefined {
  const text = value?.trim() ?? "";
  const time =
    IMF_FIXDATE.test(text) || RFC_850.test(text)
      ? Date.parse(text)
      : ASCTIME.test(text)
        ? Date.parse(`${text} GMT`)
        : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
