/** An estimate, and the question before it, in lines: pure. */

import { dollars } from "../budget.ts";
import type { Estimate } from "../estimate/estimate.ts";
import type { Range } from "../estimate/output.ts";
import type { Rehearsed } from "./rehearse.ts";
import { count, NO_PRICE, short, time } from "./words.ts";

/** What there is to know before a run; the last line is the one to decide on. */
export function estimateLines({ estimate, counted, tokenizer, fromPast, others }: Rehearsed): string[] {
  const { records, dropped, unusable, stored, requests, provider, model } = estimate;
  const parts = [`${count(records)} read`];
  if (dropped > 0) parts.push(`${count(dropped)} left out by the pipeline`);
  if (unusable > 0) parts.push(`${count(unusable)} cannot be asked about`);
  if (stored > 0) parts.push(`${count(stored)} answered already`);
  const lines = [row("records", parts.join(", ")), row("model", `${provider} ${model}`)];
  // On this machine, without tokens, prices and limits.
  if (provider === "local")
    return [...lines, `${count(requests)} to analyse on this machine: needs no network and costs nothing.`];
  if (requests > 0) {
    const sample = counted < requests ? `, by ${count(counted)} of the records` : "";
    lines.push(row("input", `counted with ${tokenizer}${sample}`));
    const basis = fromPast
      ? "as the store's answers to the same model were"
      : "as the answer's schema allows; unknown before a first run";
    lines.push(row("output", basis));
  }
  lines.push(row("cost", costBasis(estimate)));
  if (others > 0)
    lines.push(row("not counted", `${others} more asking ${others === 1 ? "stage" : "stages"} behind the first`));
  return [...lines, decision(estimate)];
}

function costBasis({ cost, pricesDate, requests }: Estimate): string {
  if (cost === null) return NO_PRICE;
  if (requests === 0) return "nothing is asked";
  if (cost.high === 0) return "nothing";
  return `${pricesDate === null ? "at the given price" : `at prices of ${pricesDate}`}; retries and re-asks come on top`;
}

function decision({ requests, inputTokens, outputTokens, cost, atLeastMs, limitedBy }: Estimate): string {
  if (requests === 0) return "Nothing is left to ask: no requests, no tokens, $0.00.";
  const money = cost === null ? "cost unknown" : between(cost, dollars);
  const tokens = `${between(inputTokens, about)} tokens in, ${between(outputTokens, about)} out`;
  const floor =
    atLeastMs === null || limitedBy === null
      ? "how long is not known before the provider tells its limits (or --rpm, --itpm … do)"
      : `${atLeastMs < 50 ? "no time to speak of" : `at least ${time(atLeastMs)}`} at ${short(limitedBy.perMinute)} ${LIMITS[limitedBy.kind]} a minute`;
  return `About ${count(requests)} requests, ${tokens}: ${money}; ${floor}.`;
}

const LIMITS = { requests: "requests", input: "input tokens", output: "output tokens", tokens: "tokens" } as const;

function between({ low, high }: Range, write: (amount: number) => string): string {
  const [from, to] = [write(low), write(high)];
  return from === to ? from : `${from}–${to}`;
}

/** An estimate has parts of a token. */
const about = (tokens: number): string => short(Math.round(tokens));

/** So much of a text is shown, in characters. */
const LONGEST = 2_000;

/** The first question as it would be sent. */
export function questionLines({ first, provider }: Rehearsed): string[] {
  if (first === undefined) return ["No record would be asked about."];
  const { request, source } = first;
  const where = source === undefined ? "" : ` (${source.file}:${source.line})`;
  const lines = [`The first request${where}, to ${provider.name} ${provider.model}:`];
  const texts = [
    ["system", request.system] as const,
    ...request.messages.map(({ role, content }) => [role, content] as const),
  ];
  for (const [role, text] of texts) if (text !== undefined) lines.push(`[${role}]`, shown(text));
  if (request.schema !== undefined) {
    const size = JSON.stringify(request.schema).length;
    lines.push(`[schema] ${request.schemaName ?? "answer"}, ${count(size)} characters of JSON Schema`);
  }
  lines.push(`[at most] ${count(request.maxOutputTokens ?? provider.maxOutputTokens)} output tokens`, "");
  return lines;
}

/** Control characters could steer the reader's terminal. */
function shown(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: see above.
  const plain = text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "�");
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)}… (${count(text.length)} characters)` : plain;
}

const row = (label: string, text: string): string => `  ${label.padEnd(13)}${text}`;
